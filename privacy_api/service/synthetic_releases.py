"""Synthetic releases: who has signed them, putting them out, and what anybody may then read of them.

A release is shown as long as the record says that enough people signed these very bytes, and that they were put out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Audit, AuditFilter, Happening, Shelf, Shelved, ShelvedTable
from privacy_api.service.services import Services
from synthetic.publish import id_of
from synthetic.tiers import SIGNATURES, Tier

SIGNED, RELEASED = "synthetic-signed", "synthetic-released"
MOST = 1_000
"""Entries of the record that are looked at for one release."""


MOST_CSV_ROWS = 2_000_000
"""Of a table that is written as CSV for whoever asks; larger ones are Parquet alone."""


class AlreadySigned(ValueError):
    """Nobody signs twice."""


@dataclass(frozen=True, slots=True)
class SyntheticRelease:
    """signatures: of different people. released: when it was put out."""

    shelved: Shelved
    signatures: int
    released: str

    @property
    def id(self) -> str:
        return self.shelved.id


def sign(digest: str, actor: str, reason: str, tier: Tier, audit: Audit) -> list[str]:
    """Everybody who has signed these very bytes, the first first. Raises AlreadySigned."""
    before = signers(digest, audit)
    if actor.casefold() in map(str.casefold, before):
        raise AlreadySigned
    audit.record(SIGNED, actor, _subject(digest), {"digest": digest, "reason": reason, "what": tier.value})
    return [*before, actor]


def signers(digest: str, audit: Audit) -> list[str]:
    """Each once, however the name is written."""
    found = {each.actor.casefold(): each.actor for each in reversed(_recorded(SIGNED, digest, audit))}
    return list(reversed(found.values()))


def put_out(folder: Path, digest: str, actor: str, audit: Audit, shelf: Shelf) -> None:
    """Recorded when all of it is there: whatever happens before, nobody sees it."""
    tables = shelf.put(folder, digest)
    audit.record(RELEASED, actor, _subject(digest), {"digest": digest, "tables": tables})


def is_out(digest: str, audit: Audit, shelf: Shelf) -> bool:
    return any(each.digest == digest and _shown(each, audit) for each in shelf.releases())


def releases(services: Services) -> list[SyntheticRelease]:
    """Newest first."""
    shown = (_shown(each, services.audit) for each in services.shelf.releases())
    return sorted((each for each in shown if each), key=lambda each: (each.released, each.id), reverse=True)


def find_release(name: str, services: Services) -> SyntheticRelease:
    for each in services.shelf.releases():
        if each.id == name and (shown := _shown(each, services.audit)):
            return shown
    raise ApiError(ErrorCode.NOT_FOUND, detail="No such release; /v1/synthetic/releases lists them.")


def find_table(release: SyntheticRelease, name: str) -> ShelvedTable:
    """By the names of the manifest alone."""
    found = release.shelved.tables.get(name)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail=f"Its tables are {', '.join(release.shelved.tables)}.")
    return found


def has_csv(table: ShelvedTable) -> bool:
    return table.rows <= MOST_CSV_ROWS


def _shown(shelved: Shelved, audit: Audit) -> SyntheticRelease | None:
    signed = len(signers(shelved.digest, audit))
    out = [e for e in _recorded(RELEASED, shelved.digest, audit) if e.facts["tables"] == shelved.tables_digest]
    if not out or signed < SIGNATURES[Tier(shelved.manifest["tier"])]:
        return None
    return SyntheticRelease(shelved, signed, out[-1].at)


def _recorded(kind: str, digest: str, audit: Audit) -> Sequence[Happening]:
    found = audit.happenings(AuditFilter(kinds=frozenset({kind}), subject=_subject(digest)), None, MOST)
    return [each for each in found if each.facts["digest"] == digest]


def _subject(digest: str) -> str:
    return f"synthetic:{id_of(digest)}"
