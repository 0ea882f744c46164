"""Expressions of derived variables in words, for people who read no SQL."""

from __future__ import annotations

from collections.abc import Mapping
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
from datasets.variables import Variable

COMPARED = {"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}
SIGNS = {"+": "+", "-": "−", "*": "×"}
CHOSEN = {"least": "the least of", "greatest": "the greatest of", "coalesce": "the first that is there of"}
Variables = Mapping[str, Variable]


def rule(variable: Variable, variables: Variables) -> list[str]:
    """How a derived variable is made: one line, or one for each case of it."""
    match variable.derived:
        case None:
            return []
        case Case(branches, otherwise):
            lines = [f"{_value(then, variable)} where {_words(when, variables)}" for when, then in branches]
            rest = "missing" if isinstance(otherwise, Null) else _value(otherwise, variable)
            return [*lines, f"otherwise {rest}"]
        case expression:
            return [_words(expression, variables)]


def _value(of: Expression, variable: Variable) -> str:
    """What a case yields: a code with its label, or a number."""
    if not isinstance(of, Text):
        return _words(of, {})
    label = next((atom.label for atom in variable.atoms if atom.code == of.text), of.text)
    return f"`{of.text}`" if label == of.text else f"`{of.text}` {label}"


def _words(of: Expression, variables: Variables) -> str:
    match of:
        case Name(name):
            return f"`{name}`"
        case Text(text):
            return f"`{text}`"
        case Figure(value):
            return f"{value:f}"
        case Null():
            return "missing"
        case Compare(op, left, right):
            return f"{_words(left, variables)} {COMPARED[op]} {_compared(left, right, variables)}"
        case Logic(op, left, right):
            return f"{_part(left, op, variables)} {op} {_part(right, op, variables)}"
        case Not(part):
            return f"not ({_words(part, variables)})"
        case In(part, options):
            return f"{_words(part, variables)} is {_or([_compared(part, option, variables) for option in options])}"
        case Absent(part):
            return f"{_words(part, variables)} is missing"
        case Arithmetic(op, left, right):
            return f"{_term(left, op, variables)} {SIGNS[op]} {_term(right, op, variables)}"
        case Choose(op, parts):
            return f"{CHOSEN[op]} {', '.join(_words(part, variables) for part in parts)}"
        case Ever(condition, years):
            before = f" or in one of the {years - 1} years before" if years > 1 else ""
            return f"in any row of the pupil in this academic year{before}, {_words(condition, variables)}"
        case Case(branches, otherwise):
            several = [f"{_words(then, variables)} where {_words(when, variables)}" for when, then in branches]
            return f"({'; '.join(several)}; otherwise {_words(otherwise, variables)})"
        case _:
            assert_never(of)


def _compared(left: Expression, right: Expression, variables: Variables) -> str:
    """A code beside its variable gets its label."""
    if isinstance(left, Name) and isinstance(right, Text) and left.name in variables:
        return _value(right, variables[left.name])
    return _words(right, variables)


def _part(of: Expression, op: str, variables: Variables) -> str:
    text = _words(of, variables)
    return f"({text})" if isinstance(of, Logic) and of.op != op else text


def _term(of: Expression, op: str, variables: Variables) -> str:
    text = _words(of, variables)
    return f"({text})" if isinstance(of, Arithmetic) and op != "+" else text


def _or(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"
