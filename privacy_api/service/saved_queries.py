"""Questions that people keep: save, share, forget, ask again, and what has changed since."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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


Range: TypeAlias = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Change:
    """One number before and now, each None where it was or is not shown, and its interval. place: labels of the groups.
    measure: its id and the output."""

    place: tuple[str, ...]
    measure: tuple[str, str]
    before: float | None
    now: float | None
    before_range: Range
    now_range: Range

    @property
    def is_beyond(self) -> bool:
        """The intervals have nothing in common."""
        if self.before_range is None or self.now_range is None:
            return False
        return self.before_range[1] < self.now_range[0] or self.now_range[1] < self.before_range[0]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Between two answers to one question, of two versions of its data set: rows that are in both."""
    old = {_key(row, before): row for row in before["results"]}
    found = []
    for row in now["results"]:
        key = _key(row, now)
        if (was := old.get(key)) is not None:
            measure = (row["measure"], row["output"])
            found.append(Change(_place(row, now), measure, was["value"], row["value"], _range(was), _range(row)))
    return found


def _key(row: Mapping[str, Any], release: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(row[d["name"]] for d in release["dimensions"]), row["measure"], row["output"])


def _place(row: Mapping[str, Any], release: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        next((str(c["label"]) for c in d["codes"] if c["code"] == row[d["name"]]), row[d["name"]] or "Total")
        for d in release["dimensions"]
    )


def _range(row: Mapping[str, Any]) -> Range:
    return None if row["lower"] is None or row["upper"] is None else (row["lower"], row["upper"])
