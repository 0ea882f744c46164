"""Plan → SQL. The only module that knows any; built as a SQLGlot tree, every value a bound parameter.

Identifiers come from the catalogue and are quoted. A plan takes one statement for all aggregates with one number
per cell, and one for each variable that is binned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never

from sqlglot import exp

from datasets.plan import Plan
from datasets.variables import Variable
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts

Value = str | int
UNIT = "unit"
MOST_RUNS = 4
"""A set of more runs of codes than this is compared by list rather than by ranges."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Columns of the result: one code position per axis (and per binned variable), then one number per aggregate."""

    sql: str
    parameters: dict[str, Value]
    aggregates: tuple[Aggregate, ...]
    binned: Variable | None


def compile_plan(plan: Plan, dialect: str = "duckdb") -> tuple[Statement, ...]:
    binned = [a for a in plan.aggregates if isinstance(a, BinnedCount)]
    plain = tuple(a for a in plan.aggregates if not isinstance(a, BinnedCount))
    statements = [_statement(plan, plain, None, dialect)] if plain else []
    for name, group in groupby(sorted(binned, key=_variable), key=_variable):
        statements.append(_statement(plan, tuple(group), plan.data_set.by_name[name], dialect))
    return tuple(statements)


def _variable(aggregate: BinnedCount) -> str:
    return aggregate.variable


def _statement(plan: Plan, aggregates: tuple[Aggregate, ...], binned: Variable | None, dialect: str) -> Statement:
    columns = [axis.column for axis in plan.axes] + ([binned.stored_atoms] if binned else [])
    keys = [_column(name) for name in columns]
    numbers = [exp.Count(this=exp.Star())] if binned else [_aggregate(a, plan) for a in aggregates]
    parameters: dict[str, Value] = {}
    query = exp.select(*(exp.Anonymous(this="enum_code", expressions=[key]) for key in keys), *numbers)
    query = query.from_(exp.to_table(plan.data_set.id, quoted=True))
    condition = _where(plan, parameters)
    if condition is not None:
        query = query.where(condition)
    if keys:
        query = query.group_by(*[key.copy() for key in keys])
    return Statement(query.sql(dialect=dialect), parameters, aggregates, binned)


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def _aggregate(aggregate: Aggregate, plan: Plan) -> exp.Expr:
    match aggregate:
        case Count(present):
            return exp.Count(this=exp.Star()) if not present else _total(exp.Literal.number(1), present)
        case DistinctCount(variable):
            counted = UNIT if variable is None else plan.data_set.by_name[variable].stored_atoms
            return exp.Count(this=exp.Distinct(expressions=[_column(counted)]))
        case Sum():
            return _total(_from_origin(aggregate), aggregate.present)
        case SumOfProducts(left, right, origin):
            product = exp.Mul(this=_from_origin(left), expression=_from_origin(right))
            return _total(exp.Paren(this=exp.Sub(this=product, expression=_number(origin))), aggregate.present)
        case BinnedCount():
            raise TypeError("a binned count is a statement of its own")
        case _:
            assert_never(aggregate)


def _from_origin(part: Sum) -> exp.Expr:
    """(clamp(x) − origin) as BIGINT. The clamp is of no effect on a NULL, which `_total` leaves out."""
    clamped = exp.Least(
        this=exp.Greatest(this=_column(part.variable), expressions=[_number(part.lower)]),
        expressions=[_number(part.upper)],
    )
    wide = exp.cast(clamped, exp.DataType.Type.BIGINT)
    return exp.Paren(this=exp.Sub(this=wide, expression=_number(part.origin)))


def _total(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    """Sum over rows where all of these have a value: LEAST and GREATEST would turn a NULL into a bound."""
    if present:
        absent = [exp.Is(this=_column(name), expression=exp.Null()) for name in present]
        there = exp.Not(this=exp.Paren(this=exp.or_(*absent)))
        value = exp.Case(ifs=[exp.If(this=there, true=value)], default=exp.Literal.number(0))
    total = exp.cast(exp.Sum(this=value), exp.DataType.Type.BIGINT)
    return exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])


def _where(plan: Plan, parameters: dict[str, Value]) -> exp.Expr | None:
    """The canonical predicate as a disjunction of its paths: equal questions run equal SQL."""
    alternatives = []
    for path in plan.predicate.paths():
        parts = [_member(plan, level, mask, parameters) for level, mask in path]
        if not parts:
            return None
        alternatives.append(exp.and_(*parts, wrap=True))
    return exp.or_(*alternatives, wrap=True)


def _member(plan: Plan, level: int, mask: int, parameters: dict[str, Value]) -> exp.Expr:
    variable = plan.data_set.domain[level]
    runs = list(_runs(atom for atom in range(len(variable.atoms)) if mask >> atom & 1))
    if len(runs) > MOST_RUNS:
        code = exp.Anonymous(this="enum_code", expressions=[_column(variable.stored_atoms)])
        atoms = [atom for low, high in runs for atom in range(low, high + 1)]
        return exp.In(this=code, expressions=[_bind(atom, parameters) for atom in atoms])
    return exp.or_(*[_between(plan, variable, low, high, parameters) for low, high in runs], wrap=True)


def _between(plan: Plan, variable: Variable, low: int, high: int, parameters: dict[str, Value]) -> exp.Expr:
    column = _column(variable.stored_atoms)
    enum = exp.DataType.build(f'"{plan.data_set.id}.{variable.stored_atoms}"', udt=True)
    first, *last = [
        exp.Cast(this=_bind(variable.atoms[at].code, parameters), to=enum.copy()) for at in dict.fromkeys((low, high))
    ]
    return exp.Between(this=column, low=first, high=last[0]) if last else exp.EQ(this=column, expression=first)


def _bind(value: Value, parameters: dict[str, Value]) -> exp.Placeholder:
    name = f"p{len(parameters)}"
    parameters[name] = value
    return exp.Placeholder(this=name)


def _runs(atoms: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Maximal runs of consecutive atoms, as (first, last)."""
    for _, group in groupby(enumerate(atoms), key=lambda pair: pair[1] - pair[0]):
        run = [atom for _, atom in group]
        yield run[0], run[-1]
