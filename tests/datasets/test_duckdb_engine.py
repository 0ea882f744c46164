"""The DuckDB engine's limits: time, memory, what its connection can do, and what its failures say."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest

from datasets import sql
from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import EngineFailed, Plan
from datasets.query import And, Codes, Measure, Operator, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Aggregate, Count, DistinctCount
from tests.lib import school
from tests.lib.plans import only_plan
from tests.lib.service import pupils

CENSUS = school.census()
MILLIONS = 3_000_000
EASY: tuple[Aggregate, ...] = (Count(),)
HARD: tuple[Aggregate, ...] = (DistinctCount(),)


def plan(aggregates: tuple[Aggregate, ...], *by: str) -> Plan:
    valid = validate(Query(CENSUS.id, (Measure("m", "count"),), by), CENSUS, school.GRANTS, Limits(9000, 4))
    return valid.plan(0, aggregates)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cut of millions of rows, each of another pupil."""
    path = tmp_path_factory.mktemp("many") / "cut.duckdb"
    with closing(duckdb.connect(str(path))) as con:
        school.load_table(con, CENSUS, [])
        con.execute(
            f"""insert into census select i, (['202122', '202223', '202324'])[1 + i % 3], 'A' || (1 + i % 5),
            case when i % 5 < 2 then 'N' else 'S' end, (['F', 'M'])[1 + i % 2], chr((97 + i % 11)::int), 'first',
            i % 17, 'missing', '2 to 10', i % 201 from range({MILLIONS}) t(i)"""
        )
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    school.write_cut(tmp_path / "cut.duckdb", CENSUS, pupils(40))
    return tmp_path / "cut.duckdb"


@pytest.fixture
def engine(small: Path) -> Iterator[DuckDBEngine]:
    with closing(DuckDBEngine({"census": small})) as made:
        yield made


def says_nothing(failed: pytest.ExceptionInfo[EngineFailed]) -> bool:
    return (str(failed.value), failed.value.args) == ("", ())


def test_within_its_limits_it_answers(many: Path) -> None:
    """The positive control of both limits below."""
    with closing(DuckDBEngine({"census": many}, seconds=60)) as engine:
        found = engine.aggregate(plan((*EASY, *HARD), "la", "sex"))
        assert found[Count()].sum() == found[DistinctCount()].sum() == MILLIONS


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pupils are hashed, as where bitmaps would be too large: these take neither long nor much."""
    monkeypatch.setattr(sql, "MOST_BITS", 0)


@pytest.mark.usefixtures("hashed")
def test_beyond_the_time_limit_it_gives_up_and_says_nothing(many: Path) -> None:
    with closing(DuckDBEngine({"census": many}, seconds=0.1)) as engine:
        started = time.monotonic()
        with pytest.raises(EngineFailed) as failed:
            engine.aggregate(plan(HARD, "la", "sex", "need"))
        assert time.monotonic() - started < 6
        assert says_nothing(failed)
        assert engine.aggregate(plan(EASY))[Count()].item() == MILLIONS, "an easy question is answered all the same"


@pytest.mark.usefixtures("hashed")
def test_beyond_the_memory_limit_it_gives_up_and_says_nothing(many: Path) -> None:
    with closing(DuckDBEngine({"census": many}, seconds=60, memory="40MB")) as engine:
        with pytest.raises(EngineFailed) as failed:
            engine.aggregate(plan(HARD))
        assert says_nothing(failed)
        assert engine.aggregate(plan(EASY))[Count()].item() == MILLIONS
    assert [p.name for p in many.parent.iterdir()] == ["cut.duckdb"], "nothing was spilled to disk"


def counted(engine: DuckDBEngine, *by: str) -> np.ndarray:
    return engine.aggregate(plan(HARD, *by))[DistinctCount()]


def test_pupils_are_as_many_whether_marked_or_hashed(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groupings: tuple[tuple[str, ...], ...] = ((), ("la",), ("la", "sex", "year"), ("need",))
    with closing(DuckDBEngine({"census": many}, seconds=60)) as engine:
        marked = [counted(engine, *by) for by in groupings]
        monkeypatch.setattr(sql, "MOST_BITS", 0)
        assert all(np.array_equal(m, counted(engine, *by)) for m, by in zip(marked, groupings, strict=True))


def test_nobody_is_counted_in_a_table_without_rows(tmp_path: Path) -> None:
    school.write_cut(tmp_path / "cut.duckdb", CENSUS, [])
    with closing(DuckDBEngine({"census": tmp_path / "cut.duckdb"})) as engine:
        assert counted(engine).item() == 0


@pytest.mark.parametrize("by", [("la",), ()])
def test_cells_that_nobody_is_in_are_zero(engine: DuckDBEngine, by: tuple[str, ...]) -> None:
    nobody = And((Codes("la", Operator.IN, ("A1",)), Codes("need", Operator.IN, ("k",))))
    query = Query(CENSUS.id, (Measure("m", "pupils"),), by, nobody)
    asked = validate(query, CENSUS, school.GRANTS, Limits(9000, 4)).plan(0, HARD)
    expected = MemoryEngine({"census": pupils(40)}).aggregate(asked)[DistinctCount()]
    assert np.array_equal(engine.aggregate(asked)[DistinctCount()], expected)


def overflowing() -> tuple[DataSet, list[Row]]:
    """A data set with more rows than it declares, so that a sum of squares leaves int64."""
    text = school.CATALOGUE.replace('range = ["0", "200"]', 'range = ["0", "1e9"]')
    data_set = load_catalogue(text.replace('sort_by = ["la"]', "max_rows = 2")).data_sets[0]
    atoms = {"year": 0, "la": 0, "sex": 0, "need": 0, "score": 0}
    return data_set, [Row(i, atoms, {"score": -4, "days": 10**9}) for i in range(100)]


def test_a_fault_that_quotes_data_says_nothing(tmp_path: Path) -> None:
    data_set, rows = overflowing()
    path = tmp_path / "cut.duckdb"
    school.write_cut(path, data_set, rows)
    measure = Measure("m", "variance", "days")
    asked = only_plan(validate(Query(data_set.id, (measure,)), data_set, frozenset(), Limits(9000, 4)))
    exact = MemoryEngine({data_set.id: rows[:1]}).aggregate(asked)
    quoted = str(100 * int(max(exact[a].item() for a in exact.aggregates)))
    with closing(duckdb.connect(str(path), read_only=True)) as con, pytest.raises(duckdb.Error, match=quoted):
        con.execute(
            "select sum((days - 500000000)::bigint * (days - 500000000) - 125000000000000000)::bigint from census"
        )
    with closing(DuckDBEngine({"census": path})) as engine, pytest.raises(EngineFailed) as failed:
        engine.aggregate(asked)
    assert says_nothing(failed)
    assert quoted not in "".join(traceback.format_exception(failed.value))


HOME = '"cut:census".main'
TABLE = f"{HOME}.census"
LOCKED = {
    "select content from read_text('{folder}/t.csv')": "disabled by configuration",
    "select * from read_csv('{folder}/t.csv')": "disabled by configuration",
    "select * from '{folder}/t.csv'": "disabled by configuration",
    "select * from glob('{folder}/*')": "disabled by configuration",
    "copy {table} to '{folder}/out.csv'": "disabled by configuration",
    "attach '{folder}/other.duckdb'": "disabled by configuration",
    "export database '{folder}/out'": "disabled by configuration",
    "set threads = 8": "configuration has been locked",
    "set global max_execution_time = 0": "configuration has been locked",
    "reset memory_limit": "configuration has been locked",
    "create table {home}.z(a int)": "read-only",
    "insert into {table} (unit) values (1)": "read-only",
    "delete from {table}": "read-only",
    "drop table {table}": "read-only",
}
NEVER = {
    "install httpfs": "disabled by configuration",
    "load httpfs": "disabled through configuration",
    "set enable_external_access = true": "configuration has been locked",
    "create persistent secret s (type http, bearer_token 'x')": "Persistent secrets are disabled",
    "select getenv('PATH')": "getenv does not exist",
    "select * from rows": "rows does not exist",
}
"""Refused as well; without the lock they would ask the network, or fail for reasons of their own."""


@pytest.mark.parametrize("statement", [*LOCKED, *NEVER])
def test_the_connection_can_only_read_its_own_tables(engine: DuckDBEngine, small: Path, statement: str) -> None:
    rows = [1]  # what a replacement scan would find
    before = small.read_bytes()
    (small.parent / "t.csv").write_text("a\n1\n")
    with engine._connection.cursor() as cursor:
        with pytest.raises(duckdb.Error, match=(LOCKED | NEVER)[statement]):
            cursor.execute(statement.format(folder=small.parent, home=HOME, table=TABLE)).fetchall()
        assert cursor.execute(f"select count(*) from {TABLE}").fetchall() == [(40,)], rows
    assert small.read_bytes() == before
    assert sorted(p.name for p in small.parent.iterdir()) == ["cut.duckdb", "t.csv"]


@pytest.mark.parametrize("statement", LOCKED)
def test_without_the_lock_each_statement_works(small: Path, statement: str) -> None:
    """The positive control: what is refused above is refused by the lock."""
    (small.parent / "t.csv").write_text("a\n1\n")
    with closing(duckdb.connect(str(small))) as con:
        con.execute(statement.format(folder=small.parent, home="main", table="census")).fetchall()


def test_every_cursor_has_the_limits(small: Path) -> None:
    settings = "max_execution_time", "threads", "enable_external_access", "lock_configuration"
    with (
        closing(DuckDBEngine({"census": small}, seconds=2.5, threads=2)) as engine,
        engine._connection.cursor() as cursor,
    ):
        shown = [cursor.execute(f"select current_setting('{name}')").fetchall()[0][0] for name in settings]
    assert shown == [2500, 2, False, True]


def test_closed_it_answers_nothing_and_holds_nothing(small: Path) -> None:
    engine = DuckDBEngine({"census": small})
    with pytest.raises(duckdb.Error), closing(duckdb.connect(str(small))) as con:
        con.execute("select 1")
    engine.close()
    with pytest.raises(EngineFailed) as failed:
        engine.aggregate(plan(EASY))
    assert says_nothing(failed)
    with closing(duckdb.connect(str(small))) as con:
        con.execute("delete from census")


LIFE = """
import sys
from pathlib import Path
from datasets.engines.duckdb import DuckDBEngine
from tests.datasets.test_duckdb_engine import EASY, plan
engine = DuckDBEngine({"census": Path(sys.argv[1])})
print(engine.aggregate(plan(EASY)))
engine.close()
"""


def test_a_program_that_closes_it_ends_quietly(small: Path, root: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", LIFE, str(small)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert (ended.stdout, ended.stderr) == ("<ExactTable Count(1, 1)>\n", "")


def test_answers_are_dense_over_the_whole_key_space(engine: DuckDBEngine) -> None:
    found = engine.aggregate(plan((*EASY, *HARD), "la", "sex"))
    expected = np.zeros((5, 3), np.int64)
    expected[0, :2] = 20
    assert (found[Count()].reshape(5, 3) == expected).all()
    assert (found[DistinctCount()].reshape(5, 3) == expected).all()


def test_the_engines_failure_carries_no_other(small: Path) -> None:
    engine = DuckDBEngine({"census": small})
    engine.close()
    with pytest.raises(EngineFailed) as failed:
        engine.aggregate(plan(EASY))
    assert failed.value.__context__ is None


def test_a_time_limit_is_never_no_limit(small: Path) -> None:
    engine = DuckDBEngine({"census": small}, seconds=0.0005)
    with closing(engine), engine._connection.cursor() as cursor, pytest.raises(duckdb.InterruptException):
        cursor.execute("select sum(range) from range(100000000)").fetchall()
