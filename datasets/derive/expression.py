"""The closed vocabulary of derived variables. Missing numbers are NULL, with SQL's logic of three values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Name:
    """A variable: a category's code, or a number in its unit."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    value: Decimal


@dataclass(frozen=True, slots=True)
class Null:
    pass


@dataclass(frozen=True, slots=True)
class Compare:
    op: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic:
    op: Literal["and", "or"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


@dataclass(frozen=True, slots=True)
class In:
    part: Expression
    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """IS NULL."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is true, else `otherwise`."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    op: Literal["+", "-", "*"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Choose:
    """least and greatest of those that are not missing; coalesce: the first that is not."""

    op: Literal["least", "greatest", "coalesce"]
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Ever:
    """Whether the condition held in any row of the pupil in this data set, in this year or the `years` - 1 before."""

    condition: Expression
    years: int


Expression = (
    Name | Text | Figure | Null | Compare | Logic | Not | In | Absent | Case | Arithmetic | Choose | Ever
)  # fmt: skip


def parts(of: Expression) -> tuple[Expression, ...]:
    match of:
        case Compare(_, left, right) | Logic(_, left, right) | Arithmetic(_, left, right):
            return (left, right)
        case Not(part) | Absent(part) | Ever(part, _):
            return (part,)
        case In(part, options):
            return (part, *options)
        case Case(branches, otherwise):
            return (*(one for branch in branches for one in branch), otherwise)
        case Choose(_, several):
            return several
        case Name() | Text() | Figure() | Null():
            return ()


def walk(of: Expression) -> Iterator[Expression]:
    """The expression and all in it."""
    yield of
    for part in parts(of):
        yield from walk(part)


def names(of: Expression) -> frozenset[str]:
    return frozenset(one.name for one in walk(of) if isinstance(one, Name))


def looks_back(of: Expression) -> bool:
    """Whether it needs other rows of the pupil."""
    return any(isinstance(one, Ever) for one in walk(of))
