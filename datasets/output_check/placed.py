"""Numbers that were sent, each at its place among the numbers of the query; or every one that has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from datasets.output_check.numbers import Recomputed, Tells
from datasets.output_check.table_in import InvalidTable, Sent
from datasets.query import Problem
from datasets.validate import ValidMeasure
from disclosure.official import count_bounds
from disclosure.policy import Policy


@dataclass(frozen=True, slots=True)
class Placed:
    sent: Sent
    measure: ValidMeasure
    row: int
    output: int
    tells: Tells


def place(sent: Sequence[Sent], recomputed: Recomputed, policy: Policy) -> tuple[Placed, ...]:
    """Raises InvalidTable where a key or an output is none of the query's, or a column says what the query does not."""
    problems: list[Problem] = []
    found = []
    for each in sent:
        placed = _place(each, recomputed)
        wrong = [(each.column, _NOWHERE)] if placed is None else list(_contradictions(placed, policy))
        problems += [Problem("CodesNotFound", message, f"table[{each.line}].{column}") for column, message in wrong]
        if placed is not None:
            found.append(placed)
    if problems:
        raise InvalidTable(problems)
    return tuple(found)


_NOWHERE = "The query has no such number: totals are rows of it only if the query asks for them."


def _place(sent: Sent, recomputed: Recomputed) -> Placed | None:
    row = recomputed.rows.get(sent.key)
    measure = recomputed.measure(sent.measure)
    if row is None or measure is None:
        return None
    codes = [output.code for output in measure.statistic.outputs(measure.subject)]
    if sent.output not in codes:
        return None
    output = codes.index(sent.output)
    return Placed(sent, measure, row, output, recomputed.tells[measure.id][output])


def _contradictions(placed: Placed, policy: Policy) -> Iterator[tuple[str, str]]:
    """What a tidy row says beside its number is what the service would write there, or nothing."""
    subject, statistic, said = placed.measure.subject, placed.measure.statistic, placed.sent.said
    expected = {
        "statistic": {statistic.name},
        "variable": {subject.measure.variable or ""},
        "unit": {statistic.unit(subject)},
        "confidence": {str(policy.confidence)},
        **dict(zip(("lower", "upper"), _bounds(placed, policy), strict=True)),
    }
    for column, accepted in expected.items():
        if said.get(column, "") not in {"", *accepted}:
            yield column, "Wants what the service would write here, or nothing."


def _bounds(placed: Placed, policy: Policy) -> tuple[set[str], set[str]]:
    value = placed.sent.value
    if value is None or not placed.measure.statistic.is_count:
        return set(), set()
    lower, upper = count_bounds(np.array([int(value)]), policy)
    return {str(lower[0])}, {str(upper[0])}
