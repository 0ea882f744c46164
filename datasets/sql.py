"""Plan → SQL. The only module that knows any; built as a SQLGlot tree, every value a bound parameter.

Identifiers come from the catalogue and are quoted. A plan takes one statement for all aggregates with one number
per cell and their evidence, one for each variable that is binned, and one for largest contributions where a pupil may
have several rows in a cell: it adds up each pupil's rows first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never

from sqlglot import exp

from datasets.contribution import contribution
from datasets.dialects import DUCKDB, Dialect, Value
from datasets.dialects import number as _number
from datasets.plan import Plan
from datasets.variables import Variable
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.evidence import Evidence, Largest, RecordKeys

Wanted = Aggregate | Evidence
UNIT = "unit"
RECORD_KEY = "record_key"
MOST_RUNS = 4
"""A set of more runs of codes than this is compared by list rather than by ranges."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Columns of the result: one code position per axis; then `numbers_of` columns for each that is wanted. Where a
    variable is binned: the position of its atom, the count of rows, and the sum of record keys if any is wanted."""

    sql: str
    parameters: dict[str, Value]
    wanted: tuple[Wanted, ...]
    binned: Variable | None


def compile_plan(plan: Plan, dialect: Dialect = DUCKDB) -> tuple[Statement, ...]:
    wanted: tuple[Wanted, ...] = (*plan.aggregates, *plan.evidence)
    binned = sorted((w for w in wanted if _binned(w)), key=_binned)
    by_unit = () if _one_row_each(plan) else tuple(w for w in plan.evidence if isinstance(w, Largest))
    plain = tuple(w for w in wanted if w not in by_unit and not _binned(w))
    statements = [_statement(plan, plain, dialect)] if plain else []
    statements += [_of_units(plan, by_unit, dialect)] if by_unit else []
    for name, group in groupby(binned, key=_binned):
        statements.append(_binned_statement(plan, tuple(group), plan.data_set.by_name[name], dialect))
    return tuple(statements)


def _binned(wanted: Wanted) -> str:
    """The variable whose bins are counted, if any."""
    counted = wanted.of if isinstance(wanted, RecordKeys) else wanted
    return counted.variable if isinstance(counted, BinnedCount) else ""


def _one_row_each(plan: Plan) -> bool:
    """Whether a pupil has one row at most in each cell."""
    of_pupil = contribution(plan.data_set, plan.predicate, plan.axes)
    return max(of_pupil.most_per_cell or of_pupil.blocks) == 1


def _statement(plan: Plan, wanted: tuple[Wanted, ...], dialect: Dialect) -> Statement:
    parameters: dict[str, Value] = {}
    keys = _keys(plan)
    query = _grouped(
        _codes(keys, dialect),
        [n for w in wanted for n in _numbers(w, plan, dialect)],
        _admitted(plan, parameters, dialect),
        keys,
    )
    return Statement(query.sql(dialect=dialect.name), parameters, wanted, None)


def _binned_statement(plan: Plan, wanted: tuple[Wanted, ...], variable: Variable, dialect: Dialect) -> Statement:
    parameters: dict[str, Value] = {}
    keys = [*_keys(plan), _column(variable.stored_atoms)]
    numbers: list[exp.Expr] = [exp.Count(this=exp.Star())]
    if any(isinstance(w, RecordKeys) for w in wanted):
        numbers.append(_sum_of_keys((), dialect))
    query = _grouped(_codes(keys, dialect), numbers, _admitted(plan, parameters, dialect), keys)
    return Statement(query.sql(dialect=dialect.name), parameters, wanted, variable)


def _of_units(plan: Plan, wanted: tuple[Largest, ...], dialect: Dialect) -> Statement:
    parameters: dict[str, Value] = {}
    keys = _keys(plan)
    sums = [_column(f"?{place}") for place in range(len(wanted))]
    totals = [exp.alias_(_total(_size(w.total), w.total.present), s.this) for w, s in zip(wanted, sums, strict=True)]
    pupils = _grouped(keys, totals, _admitted(plan, parameters, dialect), [*keys, _column(UNIT)])
    numbers = [n for w, s in zip(wanted, sums, strict=True) for n in _largest(s, w.most, dialect)]
    query = _grouped(_codes(keys, dialect), numbers, exp.select().from_(pupils.subquery("pupils")), keys)
    return Statement(query.sql(dialect=dialect.name), parameters, wanted, None)


def _keys(plan: Plan) -> list[exp.Column]:
    return [_column(axis.column) for axis in plan.axes]


def _codes(keys: Iterable[exp.Column], dialect: Dialect) -> list[exp.Expr]:
    return [dialect.position(key.copy()) for key in keys]


def _admitted(plan: Plan, parameters: dict[str, Value], dialect: Dialect) -> exp.Select:
    """Selects nothing yet, from the rows that the criteria admit."""
    query = exp.select().from_(dialect.table(plan.data_set))
    condition = _where(plan, parameters, dialect)
    return query if condition is None else query.where(condition)


def _grouped(
    shown: Sequence[exp.Expr], numbers: Sequence[exp.Expr], rows: exp.Select, keys: Sequence[exp.Column]
) -> exp.Select:
    query = rows.select(*(s.copy() for s in shown), *numbers)
    return query.group_by(*(key.copy() for key in keys)) if keys else query


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _numbers(wanted: Wanted, plan: Plan, dialect: Dialect) -> list[exp.Expr]:
    match wanted:
        case Largest(total, most):
            return _largest(_if_present(_size(total), total.present), most, dialect)
        case RecordKeys(Count(present)):
            return [_sum_of_keys(present, dialect)]
        case RecordKeys():
            raise TypeError("keys of bins are in a statement of their own")
        case _:
            return [_aggregate(wanted, plan)]


def _largest(value: exp.Expr, most: int, dialect: Dialect) -> list[exp.Expr]:
    """The largest values, descending, then zeros."""
    return [exp.Coalesce(this=one, expressions=[_number(0)]) for one in dialect.largest(value, most)]


def _sum_of_keys(present: Sequence[str], dialect: Dialect) -> exp.Expr:
    total = dialect.sum_of_keys(_if_present(_column(RECORD_KEY), present))
    return exp.Coalesce(this=total, expressions=[_number(0)])


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
    return exp.Paren(this=exp.Sub(this=_clamped(part), expression=_number(part.origin)))


def _size(part: Sum) -> exp.Expr:
    """|clamp(x)|, without the origin."""
    return exp.Abs(this=_clamped(part))


def _clamped(part: Sum) -> exp.Expr:
    """clamp(x) as BIGINT. It is of no effect on a NULL, which `_if_present` leaves out."""
    clamped = exp.Least(
        this=exp.Greatest(this=_column(part.variable), expressions=[_number(part.lower)]),
        expressions=[_number(part.upper)],
    )
    return exp.cast(clamped, exp.DataType.Type.BIGINT)


def _total(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    total = exp.cast(exp.Sum(this=_if_present(value, present)), exp.DataType.Type.BIGINT)
    return exp.Coalesce(this=total, expressions=[_number(0)])


def _if_present(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    """The value in rows where all of these have one, else 0: LEAST and GREATEST would turn a NULL into a bound."""
    if not present:
        return value
    absent = [exp.Is(this=_column(name), expression=exp.Null()) for name in present]
    there = exp.Not(this=exp.Paren(this=exp.or_(*absent)))
    return exp.Case(ifs=[exp.If(this=there, true=value)], default=_number(0))


def _where(plan: Plan, parameters: dict[str, Value], dialect: Dialect) -> exp.Expr | None:
    """The canonical predicate as a disjunction of its paths: equal questions run equal SQL."""
    alternatives = []
    for path in plan.predicate.paths():
        parts = [_member(plan, level, mask, parameters, dialect) for level, mask in path]
        if not parts:
            return None
        alternatives.append(exp.and_(*parts, wrap=True))
    return exp.or_(*alternatives, wrap=True)


def _member(plan: Plan, level: int, mask: int, parameters: dict[str, Value], dialect: Dialect) -> exp.Expr:
    variable = plan.data_set.domain[level]
    column = _column(variable.stored_atoms)
    runs = list(_runs(atom for atom in range(len(variable.atoms)) if mask >> atom & 1))
    if len(runs) > MOST_RUNS:
        atoms = [atom for low, high in runs for atom in range(low, high + 1)]
        return exp.In(this=dialect.position(column), expressions=[_bind(atom, parameters) for atom in atoms])

    def stored(atom: int) -> exp.Expr:
        return dialect.atom(plan.data_set, variable, atom, lambda value: _bind(value, parameters))

    return exp.or_(*[_between(column.copy(), [stored(at) for at in dict.fromkeys(run)]) for run in runs], wrap=True)


def _between(column: exp.Column, ends: Sequence[exp.Expr]) -> exp.Expr:
    """ends: the first and the last, or the only one."""
    if len(ends) == 1:
        return exp.EQ(this=column, expression=ends[0])
    return exp.Between(this=column, low=ends[0], high=ends[1])


def _bind(value: Value, parameters: dict[str, Value]) -> exp.Placeholder:
    name = f"p{len(parameters)}"
    parameters[name] = value
    return exp.Placeholder(this=name)


def _runs(atoms: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Maximal runs of consecutive atoms, as (first, last)."""
    for _, group in groupby(enumerate(atoms), key=lambda pair: pair[1] - pair[0]):
        run = [atom for _, atom in group]
        yield run[0], run[-1]
