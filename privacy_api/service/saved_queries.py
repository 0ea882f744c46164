"""Questions that people keep: save, share, forget, ask again, and what has changed since."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal, SavedQuery
from privacy_api.service.services import Services

MOST_NAME = 100


def save(
    principal: Principal,
    account: str,
    data_set: str,
    query: Mapping[str, Any],
    name: str,
    shared: bool,
    services: Services,
) -> SavedQuery:
    """Raises INVALID_QUERY at `name` for one that is none."""
    if not 1 <= len(name) <= MOST_NAME or not name.isprintable():
        message = f"Enter a name of 1 to {MOST_NAME} characters."
        raise ApiError(ErrorCode.INVALID_QUERY, (Problem("InvalidValue", message, "name"),))
    text = json.dumps(query, separators=(",", ":"), ensure_ascii=False)
    made = SavedQuery(
        f"sq-{secrets.token_hex(8)}", principal.project.id, account, name, data_set, text, shared, services.now()
    )
    return services.saved_queries.save(made)


def seen(id: str, account: str, projects: Sequence[str], services: Services) -> SavedQuery:
    """One's own, or one that a project of one's own shares; else it does not exist."""
    found = services.saved_queries.saved(id)
    if found is None or found.project not in projects or not (found.shared or found.account == account):
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def own(id: str, account: str, projects: Sequence[str], services: Services) -> SavedQuery:
    """To share or to forget: for whoever saved it."""
    found = seen(id, account, projects, services)
    if found.account != account:
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One number before and now; None where it was or is not shown. is_beyond: the intervals have nothing in common."""

    place: tuple[str, ...]
    measure: str
    before: float | None
    now: float | None
    is_beyond: bool


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Between two answers to one question, of two versions of its data set: rows that are in both."""
    old = {_key(row, before): row for row in before["results"]}
    found = []
    for row in now["results"]:
        key = _key(row, now)
        if (was := old.get(key)) is not None:
            found.append(Change(key[:-1], key[-1], was["value"], row["value"], _apart(was, row)))
    return found


def _key(row: Mapping[str, Any], release: Mapping[str, Any]) -> tuple[str, ...]:
    places = [row[d["name"]] or "Total" for d in release["dimensions"]]
    return (*places, row["measure"] + (f": {row['output']}" if row["output"] else ""))


def _apart(was: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    ends = (was["lower"], was["upper"], row["lower"], row["upper"])
    return None not in ends and (was["upper"] < row["lower"] or row["upper"] < was["lower"])
