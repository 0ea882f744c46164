"""Expressions in plain Python, in exact fractions: the oracle of the compiled ones, and slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import assert_never

from datasets.derive.expression import (
    Absent,
    Arithmetic,
    Case,
    Choose,
    Compare,
    Ever,
    Expression,
    Figure,
    In,
    Logic,
    Name,
    Not,
    Null,
    Text,
)

Value = str | Fraction | bool | None
Row = Mapping[str, str | Fraction | None]
"""Of each variable the code, or the number in its unit; None where a number is missing."""


def evaluate(of: Expression, row: Row, before: Sequence[tuple[int, Row]] = ()) -> Value:
    """before: the pupil's rows in this data set that are not later than this one's year, this one among them, each
    with how many years before it is."""
    match of:
        case Name(name):
            return row[name]
        case Text(text):
            return text
        case Figure(value):
            return Fraction(value)
        case Null():
            return None
        case Compare(op, left, right):
            return _compare(op, evaluate(left, row, before), evaluate(right, row, before))
        case Logic(op, left, right):
            return _logic(op == "and", evaluate(left, row, before), evaluate(right, row, before))
        case Not(part):
            found = evaluate(part, row, before)
            return None if found is None else not found
        case In(part, options):
            return _in(evaluate(part, row, before), [evaluate(option, row, before) for option in options])
        case Absent(part):
            return evaluate(part, row, before) is None
        case Case(branches, otherwise):
            return _case(branches, otherwise, row, before)
        case Choose(op, parts):
            return _choose(op, [v for v in (evaluate(p, row, before) for p in parts) if v is not None])
        case Arithmetic(op, left, right):
            return _sum(op, evaluate(left, row, before), evaluate(right, row, before))
        case Ever(condition, years):
            return any(evaluate(condition, one) is True for ago, one in before if ago < years)
        case _:
            assert_never(of)


def tick(value: Value, step: Fraction) -> int | None:
    """A number as a multiple of the step, halves away from zero."""
    if value is None:
        return None
    if not isinstance(value, Fraction):
        raise TypeError("a number is wanted")
    ticks = value / step
    size = (2 * abs(ticks.numerator) + ticks.denominator) // (2 * ticks.denominator)
    return size if ticks >= 0 else -size


def _compare(op: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if op == "=":
        return left == right
    if op == "<>":
        return left != right
    if isinstance(left, str) or isinstance(right, str):
        raise TypeError("codes have no order")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _logic(conjunction: bool, left: Value, right: Value) -> bool | None:
    decisive = not conjunction
    if left is decisive or right is decisive:
        return decisive
    return None if left is None or right is None else conjunction


def _in(found: Value, options: Sequence[Value]) -> bool | None:
    if found is None:
        return None
    return True if found in options else None if None in options else False


def _case(
    branches: Sequence[tuple[Expression, Expression]],
    otherwise: Expression,
    row: Row,
    before: Sequence[tuple[int, Row]],
) -> Value:
    for condition, value in branches:
        if evaluate(condition, row, before) is True:
            return evaluate(value, row, before)
    return evaluate(otherwise, row, before)


def _choose(op: str, there: Sequence[Value]) -> Value:
    if not there:
        return None
    if op == "coalesce":
        return there[0]
    numbers = [v for v in there if isinstance(v, Fraction)]
    if len(numbers) < len(there):
        raise TypeError("least and greatest want numbers")
    return min(numbers) if op == "least" else max(numbers)


def _sum(op: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        raise TypeError("numbers are wanted")
    return left + right if op == "+" else left - right if op == "-" else left * right
