"""The NPD catalogue takes files in: a few pupils of every data set, links and derived variables among them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import bundle
from datasets.ingest import Published, ingest
from datasets.npd import FOLDER
from tests.lib.cuts import opened
from tests.lib.structural import generate

pytestmark = pytest.mark.slow
PUPILS = 40


@pytest.fixture(scope="module")
def published(npd: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("npd")
    files = generate(npd, PUPILS, 7, folder)
    _write_schools(files["schools"])
    return ingest(npd, bundle(FOLDER), {name: [path] for name, path in files.items()}, folder / "cuts")


def _write_schools(path: Path) -> None:
    """The stand-in list of schools says all that their data does."""
    with (FOLDER / "codes" / "schools.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["school", "laestab", "la", "phase", "type", "intake", "admissions", "sixth_form"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[row["code"], *(row[name] for name in names[1:])] for row in rows])


@pytest.fixture(scope="module")
def stored(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(published) as connection:
        yield connection


def test_every_data_set_is_taken_in(npd: Catalogue, published: Published) -> None:
    assert [d.id for d in npd.data_sets if f"{d.id}: " not in published.report_text] == []
    assert "schools: 403 records" in published.report_text


def test_key_stage_2_is_found_five_years_before(stored: duckdb.DuckDBPyConnection) -> None:
    """Tests of 2015/16 to 2018/19 are those of key stage 4 in 2020/21 to 2023/24; before and after there were none."""
    rows = stored.execute("SELECT year::VARCHAR, bool_and(ks2_prior_band = 'no_ks2') FROM ks4 GROUP BY 1").fetchall()
    assert len(rows) == 10
    assert sorted(year for year, none in rows if not none) == ["202021", "202122", "202223", "202324"]


def test_a_pupil_stands_where_the_school_does(stored: duckdb.DuckDBPyConnection) -> None:
    wrong = """SELECT count(*) FROM census c JOIN schools s ON c.school::VARCHAR = s.school::VARCHAR
        WHERE c.school_la::VARCHAR <> s.la::VARCHAR OR c."school_la.region"::VARCHAR <> s."la.region"::VARCHAR"""
    assert stored.execute(wrong).fetchone() == (0,)


def test_who_is_disadvantaged_had_free_meals_or_care(stored: duckdb.DuckDBPyConnection) -> None:
    wrong = """SELECT count(*) FROM census WHERE (disadvantaged = '1')
        <> (fsm6 = '1' OR cla_any_day = '1' OR post_care IN ('A', 'G', 'R'))"""
    assert stored.execute(wrong).fetchone() == (0,)
