"""Expressions → SQLGlot trees over stored columns: codes as texts, numbers as integer ticks. Any dialect runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sqlglot import exp

from datasets.derive.check import Kind, common_step, type_of
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

OPS = {"=": exp.EQ, "<>": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
CHOICES = {"least": exp.Least, "greatest": exp.Greatest}


@dataclass(frozen=True, slots=True)
class Columns:
    """variables: by name. unit, year: the pupil's column, and an integer that counts academic years; for `ever`. flags:
    the column that holds an `ever`, where one is there already."""

    variables: Mapping[str, Variable]
    unit: exp.Expr | None = None
    year: exp.Expr | None = None
    flags: Mapping[Ever, str] = field(default_factory=dict)


def code(expression: Expression, columns: Columns) -> exp.Expr:
    """A category's code, as a text; NULL where the expression has none."""
    return _value(expression, columns, None)


def ticks(expression: Expression, step: Fraction, columns: Columns) -> exp.Expr:
    """A number in ticks of `step`, halves away from zero."""
    own = type_of(expression, columns.variables).step
    value = _value(expression, columns, own)
    ratio = own / step
    if ratio.denominator == 1:
        return _times(value, int(ratio))
    above, below = _times(exp.Abs(this=value.copy()), 2 * ratio.numerator), ratio.denominator
    size = exp.IntDiv(
        this=exp.Paren(this=exp.Add(this=above, expression=_number(below))), expression=_number(2 * below)
    )
    return exp.Mul(this=exp.Anonymous(this="sign", expressions=[value]), expression=exp.Paren(this=size))


def truth(condition: Expression, columns: Columns) -> exp.Expr:
    return _truth(condition, columns)


def _value(of: Expression, columns: Columns, step: Fraction | None) -> exp.Expr:
    """step: what a number is to be counted in, a divisor of its own step; None for codes and conditions."""
    match of:
        case Name(name) if columns.variables[name].numbers is None:
            return exp.cast(_column(name), exp.DataType.Type.TEXT)
        case Name(name):
            bigint = exp.cast(_column(name), exp.DataType.Type.BIGINT)
            return _scaled(bigint, _own(of, columns), step)
        case Figure(value):
            # As wide as every other number: of two literals an engine may make a product of 32 bits.
            return exp.cast(_number(int(Fraction(value) / (step or Fraction(1)))), exp.DataType.Type.BIGINT)
        case Text(text):
            return exp.Literal.string(text)
        case Null():
            return exp.Null()
        case Arithmetic(op, left, right):
            return _arithmetic(of, op, left, right, columns, step)
        case Case(branches, otherwise):
            ifs = [exp.If(this=_truth(c, columns), true=_value(v, columns, step)) for c, v in branches]
            return exp.Paren(this=exp.Case(ifs=ifs, default=_value(otherwise, columns, step)))
        case Choose("coalesce", several):
            first, *rest = (_value(part, columns, step) for part in several)
            return exp.Coalesce(this=first, expressions=rest)
        case Choose(op, several):
            first, *rest = (_value(part, columns, step) for part in several)
            return CHOICES[op](this=first, expressions=rest, ignore_nulls=True)
        case _:
            return _truth(of, columns)


def _truth(of: Expression, columns: Columns) -> exp.Expr:
    match of:
        case Compare(op, left, right):
            first, second = _alike([left, right], columns)
            return exp.Paren(this=OPS[op](this=first, expression=second))
        case In(part, options):
            first, *rest = _alike([part, *options], columns)
            return exp.Paren(this=exp.In(this=first, expressions=rest))
        case Logic(op, left, right):
            kind = exp.And if op == "and" else exp.Or
            return exp.Paren(this=kind(this=_truth(left, columns), expression=_truth(right, columns)))
        case Not(part):
            return exp.Paren(this=exp.Not(this=_truth(part, columns)))
        case Absent(part):
            (value,) = _alike([part], columns)
            return exp.Paren(this=exp.Is(this=value, expression=exp.Null()))
        case Ever() if of in columns.flags:
            return _column(columns.flags[of])
        case Ever(condition, years):
            return _ever(condition, years, columns)
    return exp.cast(exp.Null(), exp.DataType.Type.BOOLEAN)


def _ever(condition: Expression, years: int, columns: Columns) -> exp.Expr:
    if columns.unit is None or columns.year is None:
        raise ValueError("ever wants a pupil and a year")
    flag = exp.Case(ifs=[exp.If(this=_truth(condition, columns), true=_number(1))], default=_number(0))
    spec = exp.WindowSpec(
        kind="RANGE", start=_number(years - 1), start_side="PRECEDING", end="CURRENT ROW", end_side=None
    )
    window = exp.Window(
        this=exp.Max(this=flag),
        partition_by=[columns.unit.copy()],
        order=exp.Order(expressions=[exp.Ordered(this=columns.year.copy(), nulls_first=True)]),
        spec=spec,
    )
    return exp.Paren(this=exp.EQ(this=window, expression=_number(1)))


def _alike(several: Sequence[Expression], columns: Columns) -> list[exp.Expr]:
    """Codes as they are; numbers in a step that all of them are multiples of."""
    steps = [t.step for t in (type_of(one, columns.variables) for one in several) if t.kind is Kind.NUMBER]
    step = common_step(steps) if steps else None
    return [_value(one, columns, step) for one in several]


def _arithmetic(
    of: Expression, op: str, left: Expression, right: Expression, columns: Columns, step: Fraction | None
) -> exp.Expr:
    own, parts = _own(of, columns), (left, right)
    steps = (own, own) if op != "*" else tuple(_own(part, columns) for part in parts)
    first, second = (_value(part, columns, s) for part, s in zip(parts, steps, strict=True))
    kind = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}[op]
    return _scaled(exp.Paren(this=kind(this=first, expression=second)), own, step)


def _own(of: Expression, columns: Columns) -> Fraction:
    return type_of(of, columns.variables).step


def _scaled(value: exp.Expr, own: Fraction, step: Fraction | None) -> exp.Expr:
    return value if step is None else _times(value, int(own / step))


def _times(value: exp.Expr, factor: int) -> exp.Expr:
    return value if factor == 1 else exp.Paren(this=exp.Mul(this=value, expression=_number(factor)))


def _column(name: str) -> exp.Expr:
    return exp.column(exp.to_identifier(name, quoted=True))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Paren(this=exp.Neg(this=exp.Literal.number(-value)))
