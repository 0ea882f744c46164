"""Text → expression. SQLGlot parses; what is not in our vocabulary is refused by name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

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

COMPARISONS: dict[type[exp.Expr], Literal["=", "<>", "<", "<=", ">", ">="]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
SUMS: dict[type[exp.Expr], Literal["+", "-", "*"]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
CHOICES: dict[type[exp.Expr], Literal["least", "greatest", "coalesce"]] = {
    exp.Least: "least",
    exp.Greatest: "greatest",
    exp.Coalesce: "coalesce",
}
DEEPEST = 200
MOST_FIGURES = 40
YEARS = re.compile(r"\d{1,4}", re.ASCII)
FIGURE = re.compile(rf"(?=.{{1,{MOST_FIGURES}}}\Z)(\d+\.?\d*|\.\d+)", re.ASCII)
WANTED = (
    "wants names of variables, 'codes', decimals, and or not, = <> < <= > >=, in, between, is null, case, + - *, "
    "least, greatest, coalesce, ever(condition, years)"
)


class NotUnderstood(ValueError):
    """The text is no expression; the message says what would be."""


def parse(text: str) -> Expression:
    """Raises NotUnderstood."""
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError:
        raise NotUnderstood(f"cannot be read: {WANTED}") from None
    except RecursionError:
        raise NotUnderstood(f"is nested deeper than {DEEPEST}") from None
    return _read(tree, 0)


def _read(tree: exp.Expr, depth: int) -> Expression:
    if depth > DEEPEST:
        raise NotUnderstood(f"is nested deeper than {DEEPEST}")
    deeper = depth + 1
    match tree:
        case exp.Paren():
            return _read(tree.this, deeper)
        case exp.Column():
            return _name(tree)
        case exp.Literal():
            return Text(tree.this) if tree.is_string else _figure(tree.this)
        case exp.Null():
            return Null()
        case exp.Neg():
            return Arithmetic("-", Figure(Decimal(0)), _read(tree.this, deeper))
        case exp.Not():
            return Not(_read(tree.this, deeper))
        case exp.And() | exp.Or():
            return Logic("and" if isinstance(tree, exp.And) else "or", *_two(tree, deeper))
        case exp.In():
            return In(_read(tree.this, deeper), _options(tree, deeper))
        case exp.Between():
            low, high = (_read(tree.args[end], deeper) for end in ("low", "high"))
            part = _read(tree.this, deeper)
            return Logic("and", Compare(">=", part, low), Compare("<=", part, high))
        case exp.Is() if isinstance(tree.expression, exp.Null):
            return Absent(_read(tree.this, deeper))
        case exp.Case() if tree.this is None:
            return _case(tree, deeper)
        case exp.Anonymous() if tree.name.lower() == "ever":
            return _ever(tree, deeper)
    if type(tree) in COMPARISONS:
        return Compare(COMPARISONS[type(tree)], *_two(tree, deeper))
    if type(tree) in SUMS:
        return Arithmetic(SUMS[type(tree)], *_two(tree, deeper))
    if type(tree) in CHOICES:
        several = tuple(_read(part, deeper) for part in (tree.this, *tree.expressions))
        return Choose(CHOICES[type(tree)], several)
    raise NotUnderstood(f"{type(tree).__name__} is not understood: {WANTED}")


def _two(tree: exp.Expr, depth: int) -> tuple[Expression, Expression]:
    return _read(tree.this, depth), _read(tree.expression, depth)


def _name(tree: exp.Column) -> Name:
    if tree.table or not isinstance(tree.this, exp.Identifier):
        raise NotUnderstood("wants bare names of variables of this data set")
    return Name(tree.name)


def _figure(text: str) -> Figure:
    """Without an exponent: 1e999999999 is a short text and a very long integer."""
    if not FIGURE.fullmatch(text):
        raise NotUnderstood(f"wants decimals of at most {MOST_FIGURES} figures, such as 0.5")
    return Figure(Decimal(text))


def _options(tree: exp.In, depth: int) -> tuple[Expression, ...]:
    if tree.args.get("query") or not tree.expressions:
        raise NotUnderstood("'in' wants a list in brackets")
    return tuple(_read(option, depth) for option in tree.expressions)


def _case(tree: exp.Case, depth: int) -> Case:
    branches = tuple((_read(one.this, depth), _read(one.args["true"], depth)) for one in tree.args["ifs"])
    otherwise = tree.args.get("default")
    return Case(branches, Null() if otherwise is None else _read(otherwise, depth))


def _ever(tree: exp.Anonymous, depth: int) -> Ever:
    match tree.expressions:
        case [condition, exp.Literal() as years] if not years.is_string and YEARS.fullmatch(years.this):
            return Ever(_read(condition, depth), int(years.this))
    raise NotUnderstood("ever wants a condition and a whole number of years")
