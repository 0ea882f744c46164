"""What derived values need of earlier rows of the same pupil (`ever`), without a window over all of them.

For each condition that is looked back for, the pupils and periods in which it held are kept as a table: few, since most
conditions are rare, and narrow. A row of a period then asks whether its pupil is among those of the periods in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from datasets.catalogue import DataSet
from datasets.derive.expression import Ever, Expression, parts
from datasets.derive.sql import truth
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database
from datasets.ingest.derived import derived, names_of
from datasets.ingest.slices import Rows, Slice
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.variables import Variable


@dataclass(frozen=True, slots=True)
class LookBack:
    """tables: condition → the table of (unit, place of the period) in which it held."""

    data_set: DataSet
    tables: Mapping[Expression, Sql]

    @property
    def flags(self) -> dict[Ever, str]:
        """`ever` → a column of `with_flags`; of those whose conditions are known."""
        known = [ever for _, ever in looked_back(self.data_set) if ever.condition in self.tables]
        return {ever: f"?ever{i}" for i, ever in enumerate(dict.fromkeys(known))}

    def with_flags(self, of: Slice, rows: Sql) -> Sql:
        """The rows of one period, with a column for each `ever`."""
        if not self.flags or not of.periods:
            return rows
        shown, joins = [Sql("r.*")], list[Sql]()
        for ever, flag in self.flags.items():
            shown.append(sql("{f}.{unit} IS NOT NULL AS {f}", f=name(flag), unit=name(UNIT)))
            joins.append(self._join(of, ever, name(flag)))
        return sql("(SELECT {s} FROM {r} r {j})", s=listed(shown), r=rows, j=listed(joins, " "))

    def _join(self, of: Slice, ever: Ever, flag: Sql) -> Sql:
        last = place_of(self.data_set, of)
        return sql(
            "LEFT JOIN (SELECT DISTINCT {unit} FROM {t} WHERE place BETWEEN {first} AND {last}) {flag} "
            "ON r.{unit} = {flag}.{unit}",
            unit=name(UNIT),
            t=self.tables[ever.condition],
            first=Sql(str(last - ever.years + 1)),
            last=Sql(str(last)),
            flag=flag,
        )

    def drop(self, database: Database) -> None:
        for table in self.tables.values():
            database.run(sql("DROP TABLE {t}", t=table))


def place_of(data_set: DataSet, of: Slice) -> int:
    """Of the slice's period among those of the catalogue."""
    (period,) = of.periods
    return [atom.code for atom in data_set.time.atoms].index(period) if data_set.time else 0


def look_back(
    database: Database, data_set: DataSet, slices: Sequence[Slice], rows_of: Callable[[Slice], Rows]
) -> LookBack:
    """Conditions are looked at in the order of the variables, so that one may rest on what was found for another."""
    found = LookBack(data_set, {})
    for i, (variable, ever) in enumerate(looked_back(data_set)):
        if ever.condition in found.tables:
            continue
        table = name(f"held:{data_set.id}:{i}")
        database.run(sql("CREATE TABLE {t} ({unit} UINTEGER, place INTEGER)", t=table, unit=name(UNIT)))
        for one in slices:
            held = _held(database, found, variable, ever, one, rows_of(one))
            database.run(sql("INSERT INTO {t} {held}", t=table, held=held.query), **held.values)
        found = LookBack(data_set, {**found.tables, ever.condition: table})
    return found


def _held(database: Database, found: LookBack, variable: Variable, ever: Ever, of: Slice, rows: Rows) -> Rows:
    condition = truth(ever.condition, names_of(found.data_set, found.flags))
    query = sql(
        "SELECT DISTINCT {unit}, {place} FROM {rows} WHERE {condition}",
        unit=name(UNIT),
        place=Sql(str(place_of(found.data_set, of))),
        rows=derived(database, found.data_set, found.with_flags(of, rows.query), found.flags, before=variable),
        # The expression is the catalogue's, not of the data, and SQLGlot quotes what stands in it.
        condition=Sql(exp.Paren(this=condition).sql(dialect="duckdb")),
    )
    return Rows(query, rows.values)


def looked_back(data_set: DataSet) -> Iterator[tuple[Variable, Ever]]:
    """Every `ever` with the variable that it stands in; what is within another comes first."""
    for variable in data_set.variables:
        if variable.derived is not None:
            yield from ((variable, ever) for ever in _inner_first(variable.derived))


def _inner_first(of: Expression) -> Iterator[Ever]:
    for part in parts(of):
        yield from _inner_first(part)
    if isinstance(of, Ever):
        yield of
