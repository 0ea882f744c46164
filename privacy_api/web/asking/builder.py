"""A half-built question: what the query builder keeps from step to step. Pure: addresses in, addresses out.

The state is the query itself, as the API takes it, but for what is not said yet. It is in the address of each step, so
that a step can be gone back to, kept, sent to a colleague, or written by hand; nothing is stored until it is asked.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.query_in import MOST_FILTERS, read_query

LONGEST = 1500
"""Characters of an address that stays readable; a longer one is packed, since proxies stop at eight thousand."""
PACKED = "z."
MOST = 64 * 1024
STEPS = ("who", "rows", "measures", "precision", "check")
Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """A condition: the variable, banding or level has one of the codes."""

    reference: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """who: simple conditions, each reference once; more: any others, as the API takes them. All must hold.

    measures: as the API takes them. rest: rho, display and groups, where they are said.
    """

    who: tuple[Choice, ...] = ()
    more: tuple[Value, ...] = ()
    group_by: tuple[str, ...] = ()
    totals: tuple[tuple[str, ...], ...] = ()
    measures: tuple[Value, ...] = ()
    rest: Value | None = None

    def codes(self, reference: str) -> tuple[str, ...]:
        return next((choice.codes for choice in self.who if choice.reference == reference), ())

    def with_choice(self, reference: str, codes: Iterable[str]) -> Draft:
        """In place of the one there was; without codes there is no condition."""
        kept = tuple(codes)
        changed = [Choice(c.reference, kept) if c.reference == reference else c for c in self.who]
        if all(choice.reference != reference for choice in self.who):
            changed.append(Choice(reference, kept))
        return replace(self, who=tuple(choice for choice in changed if choice.codes))

    def with_measure(self, place: int | None, measure: Value) -> Draft:
        """At its place, or at the end."""
        if place is None or place >= len(self.measures):
            return replace(self, measures=(*self.measures, measure))
        return replace(self, measures=(*self.measures[:place], measure, *self.measures[place + 1 :]))

    def without_measure(self, place: int) -> Draft:
        return replace(self, measures=self.measures[:place] + self.measures[place + 1 :])

    def with_rest(self, **parts: Any) -> Draft:
        """None for what is not said any more."""
        rest = {name: part for name, part in {**(self.rest or {}), **parts}.items() if part is not None}
        return replace(self, rest=rest or None)

    def named(self, names: Mapping[str, str]) -> Draft:
        """Levels called as what they are levels of, as forms offer them. names: level → reference."""

        def one(name: str) -> str:
            return names.get(name, name)

        return replace(
            self,
            who=tuple(Choice(one(choice.reference), choice.codes) for choice in self.who),
            group_by=tuple(map(one, self.group_by)),
            totals=tuple(tuple(map(one, total)) for total in self.totals),
        )

    @property
    def rho(self) -> Any:
        return (self.rest or {}).get("rho")


def draft_of(value: Any) -> Draft:
    """A query as the API takes it, or one without measures yet. Raises ApiError with every problem and its path."""
    if not isinstance(value, dict):
        raise ApiError(ErrorCode.INVALID_QUERY, (Problem("InvalidValue", "A question is a JSON object.", ""),))
    measures = value.get("measures") or []
    read_query({**value, "measures": measures or [{"statistic": "count"}]}, "")
    who, more = _conditions(value.get("criteria"))
    return Draft(
        who=tuple(who),
        more=tuple(more),
        group_by=tuple(value.get("groupBy", ())),
        totals=tuple(tuple(total) for total in value.get("totals", ())),
        measures=tuple(measures),
        rest={name: value[name] for name in ("rho", "display", "groups") if value.get(name) is not None} or None,
    )


def query_of(draft: Draft) -> dict[str, Any]:
    """As the API takes it, whether or not it has measures yet."""
    value = {
        "measures": list(draft.measures),
        "groupBy": list(draft.group_by),
        "totals": [list(total) for total in draft.totals],
        "criteria": _criteria(draft),
        **(draft.rest or {}),
    }
    return {name: part for name, part in value.items() if part not in (None, [])}


def _criteria(draft: Draft) -> Value | None:
    simple = {choice.reference: {"in": list(choice.codes)} for choice in draft.who}
    several = [dict(each) for each in _batched(simple.items(), MOST_FILTERS)]
    parts: list[Value] = [*({"filters": filters} for filters in several), *draft.more]
    return None if not parts else parts[0] if len(parts) == 1 else {"and": parts}


def _batched(items: Iterable[tuple[str, Any]], most: int) -> Iterable[list[tuple[str, Any]]]:
    listed = list(items)
    return (listed[n : n + most] for n in range(0, len(listed), most))


def _conditions(criteria: Value | None) -> tuple[list[Choice], list[Value]]:
    """What forms can show of the criteria, and the rest, untouched. All of it must hold."""
    simple: dict[str, tuple[str, ...]] = {}
    more: list[Value] = []
    for part in _conjuncts(criteria):
        reference, codes = _simple(part)
        if reference and reference not in simple:
            simple[reference] = codes
        else:
            more.append(part)
    return [Choice(*each) for each in simple.items()], more


def _conjuncts(criteria: Value | None) -> Iterable[Value]:
    """Single conditions that must all hold: of a conjunction, and of an object with several facets."""
    for name, part in (criteria or {}).items():
        if part is None:
            continue
        if name == "and":
            for each in part:
                yield from _conjuncts(each)
        elif name == "filters":
            for reference, compared in part.items():
                yield from (
                    {"filters": {reference: {op: codes}}} for op, codes in compared.items() if codes is not None
                )
        elif name in ("or", "not"):
            yield {name: part}
        else:
            yield from ({name: {op: values}} for op, values in part.items() if values is not None)


def _simple(part: Value) -> tuple[str, tuple[str, ...]]:
    """Reference and codes of a condition that check boxes can show; else no reference."""
    for reference, compared in part.get("filters", {}).items():
        ((operator, codes),) = compared.items()
        if operator in ("in", "eq"):
            listed = [codes] if isinstance(codes, str) else codes
            return reference, tuple(dict.fromkeys(listed))
    return "", ()


def text_of(draft: Draft) -> str:
    """For an address: JSON, or packed where that would be long."""
    text = json.dumps(query_of(draft), separators=(",", ":"), ensure_ascii=False)
    if len(text) <= LONGEST:
        return text
    return PACKED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def draft_from(text: str) -> Draft:
    """Of an address. Raises ApiError where it is no question."""
    if not text:
        return Draft()
    return draft_of(parse_json(_unpacked(text) if text.startswith(PACKED) else text.encode(), MOST))


def _unpacked(text: str) -> bytes:
    """At most MOST bytes, however many were packed."""
    packed = text.removeprefix(PACKED)
    try:
        opener = zlib.decompressobj()
        found = opener.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), MOST)
    except (binascii.Error, ValueError, zlib.error):
        raise _unreadable() from None
    if opener.unconsumed_tail or not opener.eof:
        raise _unreadable()
    return found


def _unreadable() -> ApiError:
    problem = Problem("InvalidValue", "The address of this question is cut off or damaged. Start it again.", "")
    return ApiError(ErrorCode.INVALID_QUERY, (problem,))


def step_of(path: str) -> str:
    """Where a problem of the validator is mended, by its path."""
    head = path.split(".")[0].split("[")[0]
    if head == "rho" or path.endswith(".precision") or ".precision." in path:
        return "precision"
    return {"criteria": "who", "groupBy": "rows", "totals": "rows", "measures": "measures"}.get(head, "check")


def field_of(path: str) -> str:
    """The id of the field at which a problem is shown: "groupBy[1]" is row-2, "measures[0].codes" measure-1."""
    head, _, rest = path.partition("[")
    number = rest.partition("]")[0]
    if head == "groupBy" and number.isdigit():
        return f"row-{int(number) + 1}"
    if head == "measures" and number.isdigit() and "precision" not in path:
        return f"measure-{int(number) + 1}"
    if path.startswith("criteria"):
        return "conditions"
    return "price" if "precision" in path else _FIELDS.get(head, "price")


_FIELDS = {"groupBy": "row-1", "totals": "totals", "measures": "measures", "rho": "price"}
