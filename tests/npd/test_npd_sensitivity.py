"""Every relationship path of NPD's catalogue, over every shape of time: what one pupil can move.

A generated cut is made twice, the second time without a few pupils. Nobody else's rows may change, whichever of the
43 links and the derived variables they carry; so what a pupil moves is what the pupil's own rows count, and no table
may count more of them than the contribution analysis claims.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml import bundle
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import Published, ingest
from datasets.npd import FOLDER
from datasets.plan import Plan
from datasets.query import And, Codes, Criteria, Measure, Operator, Period, Periods, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.sensitivity import Contribution, l1, l2_squared
from synthetic.npd import make
from tests.lib.cuts import opened
from tests.lib.plans import plans

pytestmark = pytest.mark.slow
PUPILS, YEARS, SEED = 500, range(2017, 2025), 7
LIMITS = Limits(cells=2_000_000, group_by=8)
Files = dict[str, list[Path]]


@dataclass(frozen=True)
class Cuts:
    """whole: of everybody; without: the next version, which lacks some; units: who they are in both."""

    whole: Published
    without: Published
    units: tuple[int, ...]


@pytest.fixture(scope="module")
def cuts(npd: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Cuts:
    folder, text = tmp_path_factory.mktemp("npd"), bundle(FOLDER)
    files = make(FOLDER, folder / "files", PUPILS, YEARS, SEED)
    gone = chosen(npd, files)
    whole = ingest(npd, text, files, folder / "cuts")
    without = ingest(npd, text, removed(npd, files, gone, folder / "without"), folder / "cuts")
    units = everybody(whole) - everybody(without)
    assert len(units) == len(gone) > 2
    return Cuts(whole, without, tuple(sorted(units)))


def chosen(npd: Catalogue, files: Files) -> list[str]:
    """Some with the most rows, so many that each data set has one of them."""
    rows = {d.id: rows_of(d.key.unit, files[d.id]) for d in npd.data_sets if d.key.unit is not None}
    every = sum(rows.values(), Counter[str]())
    found = [pupil for pupil, _ in every.most_common(2)]
    for here in rows.values():
        if not here.keys() & set(found):
            found.append(max(here, key=lambda pupil: (here[pupil], every[pupil])))
    return found


def rows_of(unit: str, paths: list[Path]) -> Counter[str]:
    rows = duckdb.read_parquet([str(path) for path in paths])
    return Counter(dict(rows.aggregate(f'"{unit}", count(*)').fetchall()))


def removed(npd: Catalogue, files: Files, pupils: list[str], folder: Path) -> Files:
    """The files, anew, without any row of these pupils; those that held nobody else are gone."""
    found: Files = {}
    for data_set in npd.data_sets:
        unit, paths = data_set.key.unit, files[data_set.id]
        found[data_set.id] = (
            paths if unit is None else [p for path in paths if (p := _without(path, unit, pupils, folder))]
        )
    return found


def _without(path: Path, unit: str, pupils: list[str], folder: Path) -> Path | None:
    rows = duckdb.from_parquet(str(path)).filter(f'"{unit}" NOT IN ({", ".join(map(repr, pupils))})')
    if not rows.count("*").fetchall()[0][0]:
        return None
    to = folder / path.parent.name / path.name
    to.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(str(to))
    return to


def everybody(cut: Published) -> set[int]:
    with opened(cut) as connection:
        names = [name for name in cut.databases if name != "schools"]
        return {
            row[0] for name in names for row in connection.execute(f'SELECT DISTINCT unit FROM "{name}"').fetchall()
        }


def test_nobody_elses_rows_depend_on_a_pupil(npd: Catalogue, cuts: Cuts) -> None:
    with opened(cuts.whole) as before, opened(cuts.without) as after:
        for data_set in npd.data_sets:
            who = "" if data_set.public else f"WHERE unit NOT IN {cuts.units}"
            kept = before.execute(f'SELECT * FROM "{data_set.id}" {who} ORDER BY ALL').fetchall()
            assert kept == after.execute(f'SELECT * FROM "{data_set.id}" ORDER BY ALL').fetchall(), data_set.id


@pytest.fixture(scope="module")
def alone(cuts: Cuts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[DuckDBEngine]]:
    """Of each of the pupils, an engine over that pupil's rows and no others."""
    with ExitStack() as stack:
        engines = []
        for unit in cuts.units:
            databases = {n: only(unit, p, tmp_path_factory.mktemp("one")) for n, p in pupils_only(cuts.whole).items()}
            engines.append(DuckDBEngine(databases))
            stack.callback(engines[-1].close)
        yield engines


def pupils_only(cut: Published) -> Mapping[str, Path]:
    return {name: path for name, path in cut.databases.items() if name != "schools"}


def only(unit: int, database: Path, folder: Path) -> Path:
    copy = folder / database.name
    shutil.copyfile(database, copy)
    copy.chmod(0o600)
    with duckdb.connect(str(copy)) as connection:
        (table,) = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        connection.execute(f'DELETE FROM "{table[0]}" WHERE unit <> {unit}')
    return copy


def questions(data_set: DataSet) -> Iterator[tuple[str, Query]]:
    """Each variable that a link brings over each shape of time, some of its codes too; and each shape of time alone."""
    for when, time in shapes(data_set).items():
        yield when, question(data_set, (), time)
        for variable in linked(data_set):
            yield when, question(data_set, (variable,), time)
        for variable in linked(data_set)[::3]:
            yield when, question(data_set, (), together(time, codes_of(data_set, variable)))
    for period in periods_of(data_set):
        yield "one year", question(data_set, (), ((), Periods(Operator.EQ, (period,))))


def periods_of(data_set: DataSet) -> list[Period]:
    return [Period(p.period, p.kind) for p in data_set.time_periods if int(p.period[-4:]) in YEARS]


def shapes(data_set: DataSet) -> dict[str, tuple[tuple[str, ...], Criteria | None]]:
    """How a question may speak of time: what it is grouped by, and which periods it admits."""
    periods = periods_of(data_set)
    last, two = Periods(Operator.EQ, (periods[-1],)), Periods(Operator.IN, tuple(periods[-2:]))
    time = (data_set.time.name,) if data_set.time else ()
    found: dict[str, tuple[tuple[str, ...], Criteria | None]] = {
        "all years together": ((), None),
        "each year": (time, None),
        "one year": ((), last),
        "from one year to the next": (time, two),
    }
    if "term" in data_set.by_name:
        spring = Codes("term", Operator.IN, ("SPR",))
        found |= {
            "each census": ((*time, "term"), None),
            "one term of all years": ((), spring),
            "one census": ((), And((last, spring))),
        }
    return found


def linked(data_set: DataSet) -> list[str]:
    """Variables that links bring, where they have codes to group by."""
    return [v.name for v in data_set.variables if v.linked and v.atoms and not v.numbers]


def codes_of(data_set: DataSet, variable: str) -> Criteria:
    """About half of its codes."""
    atoms = [atom.code for atom in data_set.by_name[variable].atoms]
    return Codes(variable, Operator.IN, tuple(atoms[: 1 + len(atoms) // 2]))


def together(
    time: tuple[tuple[str, ...], Criteria | None], criteria: Criteria
) -> tuple[tuple[str, ...], Criteria | None]:
    return time[0], criteria if time[1] is None else And((time[1], criteria))


def question(data_set: DataSet, by: tuple[str, ...], time: tuple[tuple[str, ...], Criteria | None]) -> Query:
    measures = (Measure("rows", "count"), Measure("pupils", "pupils"))
    return Query(data_set.id, measures, (*time[0], *by), time[1])


def asked(data_set: DataSet, query: Query) -> ValidQuery:
    return validate(query, data_set, frozenset(v.name for v in data_set.variables), LIMITS)


@pytest.fixture(scope="module")
def reached(npd: Catalogue, alone: list[DuckDBEngine]) -> set[tuple[str, str]]:
    """Asks all, and tells where some pupil moved a table exactly as far as is claimed."""
    found: set[tuple[str, str]] = set()
    for data_set in npd.data_sets:
        for when, query in () if data_set.public else questions(data_set):
            valid = asked(data_set, query)
            for plan, layout in zip(plans(valid), valid.layouts, strict=True):
                what, tight = f"{data_set.id} {when} {query}", 0
                for engine in alone:
                    tight += check(engine, plan, layout.contribution, what)
                if tight:
                    found.add((data_set.id, when))
    return found


def check(engine: DuckDBEngine, plan: Plan, claim: Contribution, what: str) -> bool:
    """No further than is claimed; whether it is as far."""
    table, tight = engine.aggregate(plan), False
    for aggregate in plan.aggregates:
        numbers = table[aggregate]
        assert (numbers**2).sum() <= l2_squared(aggregate, claim), what
        assert numbers.sum() <= l1(aggregate, claim), what
        tight |= int(numbers.sum()) == l1(aggregate, claim)
    return tight


def test_no_pupil_moves_a_table_further_than_claimed(reached: set[tuple[str, str]]) -> None:
    """And the claims are not so wide that nothing could break them: some pupil moves a table exactly as far."""
    one_a_year = {"ks1", "ks2", "ks4", "ks5", "phonics", "eyfsp", "absence_year"}
    assert {of for of, when in reached if when == "one year"} >= one_a_year
    assert {("census", "one census"), ("absence", "one year")} <= reached


def test_every_link_is_spoken_of_and_finds_somebody(npd: Catalogue, cuts: Cuts) -> None:
    """Else the test above would be about empty columns."""
    empty = []
    with opened(cuts.whole) as connection:
        for data_set in npd.data_sets:
            for link in data_set.links:
                names = [v.name for v in data_set.variables if v.linked and v.linked.link == link.name]
                counted = ", ".join(f'count(DISTINCT "{name}")' for name in names)
                values = connection.execute(f'SELECT {counted} FROM "{data_set.id}"').fetchone()
                if values is None or max(values) < 2:
                    empty.append((data_set.id, link.name))
    assert sum(len(d.links) for d in npd.data_sets) == 43
    assert empty == []
