"""A question in words, for people who check it before they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from privacy_api.web.asking.builder import Choice, Draft
from privacy_api.web.asking.measure_words import Labels, listed, measure_words
from privacy_api.web.asking.offer import Offered

MOST_NAMED = 6


def condition_words(choice: Choice, offered: Mapping[str, Offered], labels: Labels) -> str:
    """ "Region is London or South East"."""
    of = offered.get(choice.reference)
    words = {code.code: code.label for code in of.codes} if of else {}
    named = [words.get(code, code) for code in choice.codes]
    several = named if len(named) <= MOST_NAMED else [*named[: MOST_NAMED - 1], f"{len(named) - MOST_NAMED + 1} others"]
    return f"{labels.variable(choice.reference)} is {' or '.join(several)}"


def more_words(value: Mapping[str, Any], labels: Labels) -> str:
    """Any criteria, as plainly as they go."""
    ((name, part),) = value.items()
    if name == "not":
        return f"not ({_inner(part, labels)})"
    if name in ("and", "or"):
        return f" {name} ".join(f"({_inner(each, labels)})" for each in part)
    if name == "filters":
        return "; ".join(f"{labels.variable(r)} {_compared(_named(r, c, labels))}" for r, c in part.items())
    return f"{'place' if name == 'locations' else 'time period'} {_compared(part)}"


def _named(reference: str, comparison: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    """Codes by their labels."""
    return {
        operator: [labels.code(reference, code) for code in ([codes] if isinstance(codes, str) else codes)]
        for operator, codes in comparison.items()
    }


def _inner(value: Mapping[str, Any], labels: Labels) -> str:
    return " and ".join(more_words({name: part}, labels) for name, part in value.items())


_OPERATORS = {
    "eq": "is", "in": "is one of", "notEq": "is not", "notIn": "is none of",
    "gt": "is after", "gte": "is from", "lt": "is before", "lte": "is up to",
}  # fmt: skip


def _compared(comparison: Mapping[str, Any]) -> str:
    return " and ".join(f"{_OPERATORS[op]} {_values(values)}" for op, values in comparison.items())


def _values(values: Any) -> str:
    if isinstance(values, list):
        return ", ".join(_values(value) for value in values)
    return " ".join(str(part) for part in values.values()) if isinstance(values, dict) else str(values)


def total_words(total: Sequence[str], labels: Labels) -> str:
    return f"Totals by {listed([labels.variable(name) for name in total])}" if total else "The grand total"


def summary(draft: Draft, offered: Mapping[str, Offered], labels: Labels) -> dict[str, list[str]]:
    """Step → what was said in it."""
    who = [condition_words(choice, offered, labels) for choice in draft.who]
    return {
        "who": [*who, *(more_words(each, labels) for each in draft.more)] or ["Everybody in the data set"],
        "rows": [
            *(labels.variable(name) for name in draft.group_by),
            *(total_words(total, labels) for total in draft.totals),
        ]
        or ["One number for all of them"],
        "measures": [measure_words(measure, labels) for measure in draft.measures] or ["None yet"],
    }
