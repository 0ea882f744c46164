"""Files as custodians have them: both formats, several files, odd names, quotes and line ends."""

from __future__ import annotations

import duckdb
import pytest

from datasets.ingest import IngestRefused, Place, Published
from tests.ingest.builders import CENSUS, EXAMS, Workplace, changed, write_file
from tests.lib.cuts import opened


def _rows(published: Published, query: str) -> list[tuple[object, ...]]:
    with opened(published) as con:
        return con.execute(query).fetchall()


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_all_formats_give_the_same_cut(work: Workplace, kind: str) -> None:
    published = work.ingest(work.files(kind=kind))
    table = """SELECT year, la, "la.region", "la.some", sex, score,
         enum_code("score.bin"), enum_code("score.wide"), points FROM census"""
    assert _rows(published, f"{table} ORDER BY ALL") == [
        ("202122", "A3", "S", "first", "U", None, 3, None, 8),
        ("202122", "A1", "N", None, "M", None, 3, None, 0),
        ("202122", "A2", "N", "last", "F", 20, 1, 0, -100),
        ("202223", "A3", "S", "first", "M", 19, 0, 0, 100),
        ("202223", "A1", "N", None, "F", 100, 2, 1, 7),
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeff{header}\n{rows}\n", id="byte order mark, no blank line"),
        pytest.param("{header}\r\n{rows}\r\n", id="CRLF"),
        pytest.param("{header},comment\n{rows}\n", id="unnamed column with quotes and line ends"),
        pytest.param("SEX,{header}\n{rows}\n", id="column whose name differs in case"),
    ],
)
def test_csv_as_it_comes(work: Workplace, content: str) -> None:
    end = "\r\n" if "\r" in content else "\n"
    extra = ',"a ""quoted""\nremark"' if "comment" in content else ""
    first = "x," if "SEX" in content else ""
    rows = end.join(f"{first}{','.join(str(v or '') for v in row.values())}{extra}" for row in CENSUS)
    path = work.sources / "odd.csv"
    path.write_bytes(content.format(header=",".join(CENSUS[0]), rows=rows).encode())
    published = work.ingest({**work.files(), "census": [path]})
    assert published.manifest.data_sets["census"].rows == len(CENSUS)
    assert _rows(published, "SELECT sex, count(*) FROM census GROUP BY ALL ORDER BY ALL") == [
        ("M", 2),
        ("F", 2),
        ("U", 1),
    ]


def test_a_file_name_is_no_pattern(work: Workplace) -> None:
    write_file(work.sources / "a1.csv", changed(CENSUS, 0, sex="wrong"))
    odd = [write_file(work.sources / name, CENSUS[i : i + 1]) for i, name in enumerate(["a[1].csv", "a?.csv", "*.csv"])]
    odd.append(write_file(work.sources / "year=1.parquet", CENSUS[3:]))
    published = work.ingest({**work.files(), "census": odd})
    assert published.manifest.data_sets["census"].rows == len(CENSUS)
    assert [file.name for file in published.manifest.data_sets["census"].files] == [p.name for p in odd]


def test_records_are_counted_in_each_file(work: Workplace) -> None:
    first = write_file(work.sources / "first.csv", CENSUS[:2])
    second = write_file(work.sources / "second.parquet", changed(CENSUS[2:], 0, sex="wrong"))
    third = write_file(work.sources / "third.csv.gz", [{**CENSUS[0], "pupil": "P7", "sex": "wrong"}])
    with pytest.raises(IngestRefused) as caught:
        work.ingest({**work.files(), "census": [first, second, third]})
    (problem,) = caught.value.report.problems
    assert (problem.count, problem.places) == (2, (Place("second.parquet", 1), Place("third.csv.gz", 2)))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_record_numbers_hold_in_large_files(work: Workplace, kind: str) -> None:
    """Files are read by several threads; a record's number must not depend on them."""
    bad = [0, 1, 122_879, 122_880, 399_998, 400_001, 499_999]
    path = work.sources / f"large.{kind}"
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'P' || i AS pupil, '202122' AS year, 'A1' AS \"LA code\", 'N' AS region, "
            "CASE WHEN list_contains($bad, i) THEN 'wrong' ELSE 'F' END AS sex, i % 101 / 10 AS score, 1 AS points, "
            f"repeat('x', i % 97) AS other FROM range(500000) r(i)) TO $path (FORMAT {kind})",
            {"bad": bad, "path": str(path)},
        )
    with pytest.raises(IngestRefused) as caught:
        work.ingest({**work.files(exams=[{**EXAMS[0]}]), "census": [path]})
    problem = next(p for p in caught.value.report.problems if p.about == "sex")
    first = 2 if kind == "csv" else 1
    assert problem.count == len(bad)
    assert [place.record for place in problem.places] == [i + first for i in bad[:5]]
