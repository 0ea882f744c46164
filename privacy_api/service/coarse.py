"""Answers that T2 rows may be made from: what this service released, as it released it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from privacy_api.ports import Ledger
from synthetic.coarse.answers import CoarseRefused, read_answers
from synthetic.coarse.release import MARGINS, margins, read_margins
from synthetic.tiers import Tier


def released(answers: Mapping[str, bytes], ledger: Ledger) -> list[bytes]:
    """The stored bodies of these answers, given by the names of their files. Raises CoarseRefused for one without a
    release, with one that is not in the ledger, or with one that says something else; LedgerBroken."""
    ledger.verify()
    return [_stored(name, answer, ledger) for name, answer in sorted(answers.items())]


def _stored(name: str, answer: bytes, ledger: Ledger) -> bytes:
    try:
        given = json.loads(answer)
        given.pop("charge", None)  # what the request cost, which stands before the release
        found = ledger.release(given["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CoarseRefused(f"{name}: is no answer of this API") from None
    if found is None or found.is_model:
        raise CoarseRefused(f"{name}: this service has released no such answer")
    if json.loads(found.body) != given:
        raise CoarseRefused(f"{name}: is not as it was released")
    return found.body


def is_released(folder: Path, tier: Tier, ledger: Ledger) -> bool:
    """Whether the tables that a T2 release was made from are those of answers in the ledger; other tiers have none.
    Raises LedgerBroken."""
    if tier is not Tier.COARSENED:
        return True
    ledger.verify()
    try:
        found = [ledger.release(name) for name in read_margins(folder).releases]
        bodies = [one.body for one in found if one and not one.is_model]
        return len(bodies) == len(found) and margins(read_answers(bodies)) == (folder / MARGINS).read_text("utf-8")
    except (OSError, KeyError, TypeError, ValueError):
        return False
