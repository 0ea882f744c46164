"""What is published: types, order, codes, bins, ticks and pseudonyms."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import Published, ingest
from datasets.ingest.columns import stored_columns
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, Row, Workplace, changed, tiny, write_file
from tests.lib.cuts import opened

Connection = duckdb.DuckDBPyConnection


@pytest.fixture
def published(work: Workplace) -> Published:
    return work.ingest(work.files())


@pytest.fixture
def cut(published: Published) -> Iterator[Connection]:
    with opened(published) as connection:
        yield connection


def test_columns_and_types(cut: Connection) -> None:
    described = {name: kind.split("(")[0] for name, kind, *_ in cut.execute("DESCRIBE census").fetchall()}
    assert described == {
        "unit": "UINTEGER",
        "year": "ENUM",
        "la": "ENUM",
        "la.region": "ENUM",
        "la.some": "ENUM",
        "sex": "ENUM",
        "score": "INTEGER",
        "score.bin": "ENUM",
        "score.wide": "ENUM",
        "points": "INTEGER",
    }
    assert [name for (name,) in cut.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()] == [
        "census",
        "exams",
    ]


def test_enum_codes_are_the_places_of_atoms(cut: Connection) -> None:
    for data_set in tiny().data_sets:
        for column in stored_columns(data_set):
            if column.codes is not None:
                members = f'SELECT enum_range("{column.name}") FROM "{data_set.id}" LIMIT 1'
                assert tuple(cut.execute(members).fetchall()[0][0]) == column.codes


def test_rows_are_sorted_by_time_then_sort_by_then_unit(cut: Connection) -> None:
    rows = cut.execute("SELECT enum_code(year), enum_code(la), unit FROM census").fetchall()
    assert rows == sorted(rows) and len(rows) == len(CENSUS)


def test_units_are_dense_and_shared_by_data_sets(cut: Connection) -> None:
    """Each census row is recognisable by its points, each exam by its row: P1 to P4 and P9 are five units."""
    by_points = dict(cut.execute("SELECT points, unit FROM census").fetchall())
    p1, p2, p3, p4 = by_points[-100], by_points[8], by_points[7], by_points[0]
    assert by_points[100] == p1
    exams = cut.execute("SELECT subject, area, unit FROM exams ORDER BY ALL").fetchall()
    p9 = next(unit for subject, _, unit in exams if subject == "SC")
    assert exams == [("EN", "A3", p2), ("EN", "A1", p1), ("MA", "A2", p1), ("SC", "A1", p9)]
    assert sorted({p1, p2, p3, p4, p9}) == [0, 1, 2, 3, 4]


def test_units_that_recur_in_a_single_file(work: Workplace) -> None:
    text = CATALOGUE[: CATALOGUE.index("[data_sets.exams]")]
    published = ingest(load_catalogue(text), text, {"census": work.files()["census"]}, work.cuts)
    with opened(published) as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT unit), max(unit) FROM census").fetchall()
    assert counted == [(5, 4, 3)]


def test_no_identifier_of_the_source_is_in_the_files(work: Workplace) -> None:
    """Long ones, so that they cannot stand there by chance. Each keeps its pseudonym in every version."""
    names = [f"IDENTIFIER-{i:05}" for i in range(300)]
    census = [{**CENSUS[1], "pupil": name} for name in names]
    first, second = (work.ingest(work.files(census, [{**EXAMS[1], "candidate": names[0]}])) for _ in range(2))
    files = [path for path in work.cuts.rglob("*") if path.is_file()]
    assert {"units.duckdb", "census.duckdb", "exams.duckdb"} < {path.name for path in files}
    for file in files:
        content = file.read_bytes()
        assert b"IDENTIFIER" not in content and b"stage" not in content, file.name
    assert _unit_of_the_exam(first) == _unit_of_the_exam(second)


def _unit_of_the_exam(published: Published) -> int:
    with opened(published) as connection:
        return int(connection.execute("SELECT unit FROM exams").fetchall()[0][0])


def test_rounding_is_noted_not_refused(work: Workplace) -> None:
    census: list[Row] = changed(changed(CENSUS, 0, score="0.25"), 1, score="0.30000000000000004", points="-0.5")
    published = work.ingest(work.files(census))
    notes = [(n.rule, n.data_set, n.about, n.count) for n in published.manifest.notes]
    assert notes == [("rounded", "census", "score", 2), ("rounded", "census", "points", 1)]
    with opened(published) as connection:
        rows = connection.execute("SELECT score, points FROM census WHERE la = 'A2' OR points = 7").fetchall()
    assert sorted(rows) == [(3, -1), (3, 7)]


def test_doubles_mean_their_shortest_decimals(work: Workplace) -> None:
    """0.3 in a Parquet double is the tick 3 of step 0.1, though its binary value lies beside it."""
    census = [{**row, "score": i / 10} for i, row in enumerate(CENSUS)]
    published = work.ingest(work.files(census, kind="parquet"))
    assert published.manifest.notes == ()
    with opened(published) as connection:
        assert connection.execute("SELECT list(score ORDER BY score) FROM census").fetchall() == [([0, 1, 2, 3, 4],)]


def test_wide_ranges_take_bigint_and_rows_without_unit_have_none(work: Workplace) -> None:
    text = CATALOGUE[: CATALOGUE.index("[data_sets.exams]")]
    text = text.replace('["-100", "100"]\nstep = "1"', '["0", "3000000000"]\nclamp = ["0", "100"]\nstep = "1"')
    text = text.replace('[data_sets.census.key]\nunit = "pupil"\ntime = "year"', 'key = "each row is one pupil"')
    census = changed(changed(CENSUS, 1, points="2999999999"), 3, pupil="P1", year="202122")
    path = write_file(work.sources / "census.csv", census)
    published = ingest(load_catalogue(text), text, {"census": [path]}, work.cuts)
    with opened(published) as connection:
        described = {name: kind for name, kind, *_ in connection.execute("DESCRIBE census").fetchall()}
        assert connection.execute("SELECT max(points) FROM census").fetchall() == [(2999999999,)]
    assert described["points"] == "BIGINT" and "unit" not in described


def test_fifty_thousand_codes(work: Workplace) -> None:
    codes = ", ".join(f'"{i:06}"' for i in range(50_000))
    text = f"""
[cut]
id = "large"
title = "Large"
privacy_unit = "pupil"
synthetic = true
[data_sets.d]
title = "D"
key = "each row is one pupil"
[data_sets.d.variables.urn]
type = "category"
label = "School"
identifiability = 5
sensitivity = "E"
codes = [{codes}]
"""
    path = work.sources / "d.csv"
    path.write_text("urn\n049999\n000000\n032768\n")
    published = ingest(load_catalogue(text), text, {"d": [path]}, work.cuts)
    with opened(published) as connection:
        stored = connection.execute("SELECT enum_code(urn) FROM d ORDER BY urn").fetchall()
    assert stored == [(0,), (32_768,), (49_999,)]
