"""Plan → SQL. The only module that knows any; built as a SQLGlot tree, every value a bound parameter.

Identifiers come from the catalogue and are quoted. A plan takes one statement for all aggregates with one number
per cell and their evidence, one for each variable that is binned, and one for largest contributions where a pupil may
have several rows in a cell: it adds up each pupil's rows first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, groupby
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
MOST_TEXTS = 1024
MOST_BITS = 2**32
"""Of all bitmaps of a statement together, half a gibibyte: one for each cell, with a bit for each pupil."""
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


@dataclass(frozen=True, slots=True)
class _Test:
    """That a variable's atom is one of some. bound: how many values are bound for each run of atoms, 1 or 2; or, where
    there are too many runs, None, and `listed` atoms are compared one by one."""

    level: int
    bound: tuple[int, ...] | None
    listed: int = 0


@dataclass(frozen=True, slots=True)
class _Shape:
    """All that the text of a plan's statements depends on; plans of one shape differ in what is bound. plan: any of
    them, which also keeps the data set alive, and so its id its own."""

    data_set: int
    dialect: Dialect
    keys: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    adds_up_units: bool
    units: int | None
    paths: tuple[tuple[_Test, ...], ...]
    plan: Plan = field(compare=False)


def compile_plan(plan: Plan, dialect: Dialect = DUCKDB, units: int | None = None) -> tuple[Statement, ...]:
    """Texts are kept by shape: to build one takes a millisecond, which a short scan would feel.

    units: numbers of pupils are below it, which allows to mark those that a cell has seen rather than to hash them.
    """
    values: list[Value] = []
    paths = tuple(
        tuple(_test(plan, level, mask, dialect, values) for level, mask in path) for path in plan.predicate.paths()
    )
    wanted: tuple[Wanted, ...] = (*plan.aggregates, *plan.evidence)
    adds_up = any(isinstance(w, Largest) for w in plan.evidence) and not _one_row_each(plan)
    keys = tuple(axis.column for axis in plan.axes)
    marked = units if units is not None and plan.cells * units <= MOST_BITS else None
    shape = _Shape(id(plan.data_set), dialect, keys, wanted, adds_up, marked, paths, plan)
    parameters = {f"p{place}": value for place, value in enumerate(values)}
    return tuple(Statement(text.sql, parameters, text.wanted, text.binned) for text in _texts(shape))


@dataclass(frozen=True, slots=True)
class _Text:
    sql: str
    wanted: tuple[Wanted, ...]
    binned: Variable | None


@lru_cache(maxsize=MOST_TEXTS)
def _texts(shape: _Shape) -> tuple[_Text, ...]:
    binned = sorted((w for w in shape.wanted if _binned(w)), key=_binned)
    by_unit = tuple(w for w in shape.wanted if isinstance(w, Largest)) if shape.adds_up_units else ()
    plain = tuple(w for w in shape.wanted if w not in by_unit and not _binned(w))
    texts = [_plain(shape, plain)] if plain else []
    texts += [_of_units(shape, by_unit)] if by_unit else []
    for name, group in groupby(binned, key=_binned):
        texts.append(_of_bins(shape, tuple(group), shape.plan.data_set.by_name[name]))
    return tuple(texts)


def _binned(wanted: Wanted) -> str:
    """The variable whose bins are counted, if any."""
    counted = wanted.of if isinstance(wanted, RecordKeys) else wanted
    return counted.variable if isinstance(counted, BinnedCount) else ""


def _one_row_each(plan: Plan) -> bool:
    """Whether a pupil has one row at most in each cell."""
    of_pupil = contribution(plan.data_set, plan.predicate, plan.axes)
    return max(of_pupil.most_per_cell or of_pupil.blocks) == 1


def _plain(shape: _Shape, wanted: tuple[Wanted, ...]) -> _Text:
    keys = _keys(shape)
    numbers = [n for w in wanted for n in _numbers(w, shape)]
    query = _grouped(_codes(keys, shape.dialect), numbers, _admitted(shape), keys)
    return _Text(query.sql(dialect=shape.dialect.name), wanted, None)


def _of_bins(shape: _Shape, wanted: tuple[Wanted, ...], variable: Variable) -> _Text:
    keys = [*_keys(shape), _column(variable.stored_atoms)]
    numbers: list[exp.Expr] = [exp.Count(this=exp.Star())]
    if any(isinstance(w, RecordKeys) for w in wanted):
        numbers.append(_sum_of_keys((), shape.dialect))
    query = _grouped(_codes(keys, shape.dialect), numbers, _admitted(shape), keys)
    return _Text(query.sql(dialect=shape.dialect.name), wanted, variable)


def _of_units(shape: _Shape, wanted: tuple[Largest, ...]) -> _Text:
    keys = _keys(shape)
    sums = [_column(f"?{place}") for place in range(len(wanted))]
    totals = [exp.alias_(_total(_size(w.total), w.total.present), s.this) for w, s in zip(wanted, sums, strict=True)]
    pupils = _grouped(keys, totals, _admitted(shape), [*keys, _column(UNIT)])
    numbers = [n for w, s in zip(wanted, sums, strict=True) for n in _largest(s, w.most, shape.dialect)]
    query = _grouped(_codes(keys, shape.dialect), numbers, exp.select().from_(pupils.subquery("pupils")), keys)
    return _Text(query.sql(dialect=shape.dialect.name), wanted, None)


def _keys(shape: _Shape) -> list[exp.Column]:
    return [_column(key) for key in shape.keys]


def _codes(keys: Iterable[exp.Column], dialect: Dialect) -> list[exp.Expr]:
    return [dialect.position(key.copy()) for key in keys]


def _admitted(shape: _Shape) -> exp.Select:
    """Selects nothing yet, from the rows that the criteria admit."""
    query = exp.select().from_(shape.dialect.table(shape.plan.data_set))
    condition = _where(shape)
    return query if condition is None else query.where(condition)


def _grouped(
    shown: Sequence[exp.Expr], numbers: Sequence[exp.Expr], rows: exp.Select, keys: Sequence[exp.Column]
) -> exp.Select:
    query = rows.select(*(s.copy() for s in shown), *numbers)
    return query.group_by(*(key.copy() for key in keys)) if keys else query


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _numbers(wanted: Wanted, shape: _Shape) -> list[exp.Expr]:
    match wanted:
        case Largest(total, most):
            return _largest(_if_present(_size(total), total.present), most, shape.dialect)
        case RecordKeys(Count(present)):
            return [_sum_of_keys(present, shape.dialect)]
        case RecordKeys():
            raise TypeError("keys of bins are in a statement of their own")
        case DistinctCount(None):
            return [shape.dialect.distinct_units(_column(UNIT), shape.units)]
        case _:
            return [_aggregate(wanted, shape.plan)]


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
        case DistinctCount(str(variable)):
            counted = plan.data_set.by_name[variable].stored_atoms
            return exp.Count(this=exp.Distinct(expressions=[_column(counted)]))
        case DistinctCount():
            raise TypeError("pupils are counted as the dialect does it best")
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
    """clamp(x) as BIGINT, NULL where x is. Not by LEAST and GREATEST: DuckDB takes twice as long for these."""
    x, ends = _column(part.variable), (_number(part.lower), _number(part.upper))
    beyond = [(exp.LT(this=x, expression=ends[0]), ends[0]), (exp.GT(this=x.copy(), expression=ends[1]), ends[1])]
    cases = [exp.If(this=test.copy(), true=end.copy()) for test, end in beyond]
    return exp.cast(exp.Case(ifs=cases, default=x.copy()), exp.DataType.Type.BIGINT)


def _total(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    total = exp.cast(exp.Sum(this=_if_present(value, present)), exp.DataType.Type.BIGINT)
    return exp.Coalesce(this=total, expressions=[_number(0)])


def _if_present(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    """The value in rows where all of these have one, else 0."""
    if not present:
        return value
    absent = [exp.Is(this=_column(name), expression=exp.Null()) for name in present]
    there = exp.Not(this=exp.Paren(this=exp.or_(*absent)))
    return exp.Case(ifs=[exp.If(this=there, true=value)], default=_number(0))


def _where(shape: _Shape) -> exp.Expr | None:
    """The canonical predicate as a disjunction of its paths: equal questions run equal SQL."""
    places = count()
    alternatives = []
    for path in shape.paths:
        parts = [_member(shape, test, places) for test in path]
        if not parts:
            return None
        alternatives.append(exp.and_(*parts, wrap=True))
    return exp.or_(*alternatives, wrap=True)


def _test(plan: Plan, level: int, mask: int, dialect: Dialect, values: list[Value]) -> _Test:
    """values: those that are to be bound are added, in the order in which `_member` names them."""
    variable, runs = plan.data_set.domain[level], _runs(mask)
    if len(runs) > MOST_RUNS:
        atoms = [atom for low, high in runs for atom in range(low, high + 1)]
        values += atoms
        return _Test(level, None, len(atoms))
    ends = [tuple(dict.fromkeys(run)) for run in runs]
    values += [dialect.value(variable, atom) for run in ends for atom in run]
    return _Test(level, tuple(map(len, ends)))


def _member(shape: _Shape, test: _Test, places: Iterator[int]) -> exp.Expr:
    data_set = shape.plan.data_set
    variable = data_set.domain[test.level]
    column = _column(variable.stored_atoms)
    if test.bound is None:
        listed = [_bound(places) for _ in range(test.listed)]
        return exp.In(this=shape.dialect.position(column), expressions=listed)
    runs = [[shape.dialect.atom(data_set, variable, _bound(places)) for _ in range(ends)] for ends in test.bound]
    return exp.or_(*[_between(column.copy(), ends) for ends in runs], wrap=True)


def _between(column: exp.Column, ends: Sequence[exp.Expr]) -> exp.Expr:
    """ends: the first and the last, or the only one."""
    if len(ends) == 1:
        return exp.EQ(this=column, expression=ends[0])
    return exp.Between(this=column, low=ends[0], high=ends[1])


def _bound(places: Iterator[int]) -> exp.Placeholder:
    return exp.Placeholder(this=f"p{next(places)}")


def _runs(mask: int) -> list[tuple[int, int]]:
    """Maximal runs of consecutive atoms of a mask, as (first, last)."""
    return [(run.start(), run.end() - 1) for run in re.finditer("1+", f"{mask:b}"[::-1])]
