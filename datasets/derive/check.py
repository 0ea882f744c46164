"""Types of an expression: what kind of value it has, which codes it can yield, how large its numbers can be.

Numbers are exact: a value is a whole multiple of the expression's step, and no part of an expression can leave 58 bits,
whatever the data (interval arithmetic over the ranges of its variables).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
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
    looks_back,
)
from datasets.variables import Variable

LARGEST = 2**58
"""Leaves room for rounding to the step of the variable."""
MOST_YEARS = 50


class Kind(Enum):
    CODE = "a code"
    NUMBER = "a number"
    TRUTH = "a condition"
    NOTHING = "null"


@dataclass(frozen=True, slots=True)
class Type:
    """codes: those that it can yield, None for a literal's own. step, low, high: of numbers."""

    kind: Kind
    codes: frozenset[str] = frozenset()
    literal: bool = False
    step: Fraction = Fraction(1)
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)


class Mistyped(ValueError):
    """The expression has no type; the message says where and what is wanted."""


def check(expression: Expression, variable: Variable, variables: Mapping[str, Variable]) -> None:
    """Raises Mistyped unless every value of the expression is one of the variable's: a code of it, or a number."""
    found = type_of(expression, variables)
    if variable.numbers:
        _want(found, Kind.NUMBER, "a number's expression")
        return
    _want(found, Kind.CODE, "a category's expression")
    strange = sorted(found.codes - {atom.code for atom in variable.atoms})
    if strange:
        raise Mistyped(f"can yield {strange[0]!r}, which is no code of this variable")


def type_of(of: Expression, variables: Mapping[str, Variable]) -> Type:
    """Raises Mistyped."""
    found = _type_of(of, variables)
    if max(abs(found.low), abs(found.high)) / found.step >= LARGEST:
        raise Mistyped("can become too large: wants fewer products, or numbers of a larger step")
    return found


def _type_of(of: Expression, variables: Mapping[str, Variable]) -> Type:
    match of:
        case Name(name):
            return _of_name(name, variables)
        case Text(text):
            return Type(Kind.CODE, frozenset({text}), literal=True)
        case Figure(value):
            return _figure(Fraction(value))
        case Null():
            return Type(Kind.NOTHING)
        case Compare(op, left, right):
            _comparable([type_of(left, variables), type_of(right, variables)], op)
        case Logic(_, left, right):
            _conditions([left, right], variables)
        case Not(part):
            _conditions([part], variables)
        case In(part, options):
            _comparable([type_of(one, variables) for one in (part, *options)], "=")
        case Absent(part):
            type_of(part, variables)
        case Ever(condition, years):
            _ever(condition, years, variables)
        case Case(branches, otherwise):
            _conditions([condition for condition, _ in branches], variables)
            return _common([*(type_of(value, variables) for _, value in branches), type_of(otherwise, variables)])
        case Choose(_, parts):
            return _common([type_of(part, variables) for part in parts])
        case Arithmetic(op, left, right):
            return _sum(op, type_of(left, variables), type_of(right, variables))
        case _:
            assert_never(of)
    return Type(Kind.TRUTH)


def _of_name(name: str, variables: Mapping[str, Variable]) -> Type:
    variable = variables.get(name)
    if variable is None:
        raise Mistyped(f"names {name!r}, which is no variable of this data set (or is derived from this one)")
    if variable.numbers is None:
        return Type(Kind.CODE, frozenset(atom.code for atom in variable.atoms))
    step = Fraction(variable.numbers.step)
    return Type(Kind.NUMBER, step=step, low=variable.numbers.lowest * step, high=variable.numbers.highest * step)


def _figure(value: Fraction) -> Type:
    return Type(Kind.NUMBER, step=Fraction(1, value.denominator), low=value, high=value, literal=True)


def _want(found: Type, kind: Kind, what: str) -> None:
    if found.kind not in (kind, Kind.NOTHING):
        raise Mistyped(f"{what} wants {kind.value}, not {found.kind.value}")


def _conditions(several: Sequence[Expression], variables: Mapping[str, Variable]) -> None:
    for one in several:
        _want(type_of(one, variables), Kind.TRUTH, "and, or, not, when")


def _comparable(types: Sequence[Type], op: str) -> None:
    kinds = {one.kind for one in types} - {Kind.NOTHING}
    if kinds == {Kind.CODE}:
        if op not in ("=", "<>"):
            raise Mistyped("codes are compared with =, <> or in")
        known = frozenset[str]().union(*(one.codes for one in types if not one.literal))
        strange = sorted(code for one in types if one.literal for code in one.codes - known)
        if known and strange:
            raise Mistyped(f"compares with {strange[0]!r}, which the variable has not among its codes")
    elif len(kinds) > 1 or Kind.TRUTH in kinds:
        raise Mistyped("a comparison wants two numbers, or codes on both sides")


def _ever(condition: Expression, years: int, variables: Mapping[str, Variable]) -> None:
    if looks_back(condition):
        raise Mistyped("ever wants a condition of one row")
    if not 1 <= years <= MOST_YEARS:
        raise Mistyped(f"ever wants from 1 to {MOST_YEARS} years")
    _conditions([condition], variables)


def _common(types: Sequence[Type]) -> Type:
    """The type of one of several values."""
    real = [one for one in types if one.kind is not Kind.NOTHING]
    if len({one.kind for one in real}) > 1:
        raise Mistyped("wants values of one kind: all codes, or all numbers")
    if not real or real[0].kind is Kind.TRUTH:
        raise Mistyped("wants codes or numbers as values")
    codes = frozenset[str]().union(*(one.codes for one in real))
    step = common_step([one.step for one in real])
    return Type(real[0].kind, codes, False, step, min(one.low for one in real), max(one.high for one in real))


def common_step(steps: Sequence[Fraction]) -> Fraction:
    """The largest that all of these are multiples of."""
    below = math.lcm(*(step.denominator for step in steps))
    return Fraction(math.gcd(*(int(step * below) for step in steps)), below)


def _sum(op: str, left: Type, right: Type) -> Type:
    for one in (left, right):
        _want(one, Kind.NUMBER, op)
    if op == "*":
        ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
        return Type(Kind.NUMBER, step=left.step * right.step, low=min(ends), high=max(ends))
    low, high = (right.low, right.high) if op == "+" else (-right.high, -right.low)
    step = common_step([left.step, right.step])
    return Type(Kind.NUMBER, step=step, low=left.low + low, high=left.high + high)
