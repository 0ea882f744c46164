"""A tiny cut of two data sets with one of everything, and files for it in either format."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue
from datasets.ingest import Published, ingest

CATALOGUE = """
[cut]
id = "tiny"
title = "A tiny cut"
privacy_unit = "pupil"
synthetic = true

[code_lists.area]
columns = ["code", "label", "region"]
rows = [["A3", "Corley", "S"], ["A1", "Ashby", "N"], ["A2", "Barton", "N"]]

[data_sets.census]
title = "Census"
sort_by = ["la"]
[data_sets.census.key]
unit = "pupil"
time = "year"
[data_sets.census.variables.year]
type = "time"
label = "Year"
identifiability = 5
sensitivity = "E"
codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"]]
[data_sets.census.variables.la]
type = "category"
column = "LA code"
label = "Local authority"
identifiability = 5
sensitivity = "E"
codes = "area"
[data_sets.census.variables.la.bandings.region]
label = "Region"
by = "region"
checked_against = "region"
codes = [["S", "South"], ["N", "North"]]
[data_sets.census.variables.la.bandings.some]
label = "Some of them"
bands = [["first", "First", ["A3"]], ["last", "Last", ["A2"]]]
[data_sets.census.variables.sex]
type = "category"
label = "Sex"
identifiability = 5
sensitivity = "D"
codes = [["M", "Male"], ["F", "Female"], ["U", "Unknown"]]
missing = "U"
recode = { "1" = "M", "2" = "F", "O'Neill" = "U" }
[data_sets.census.variables.score]
type = "number"
label = "Score"
identifiability = 5
sensitivity = "E"
range = ["0", "10"]
step = "0.1"
optional = true
bins = { edges = ["0", "2", "5", "10"] }
recode = { "ABS" = "missing" }
[data_sets.census.variables.score.bandings.wide]
label = "Wide"
edges = ["0", "5", "10"]
[data_sets.census.variables.points]
type = "number"
label = "Points"
identifiability = 5
sensitivity = "E"
range = ["-100", "100"]
step = "1"

[data_sets.exams]
title = "Exams"
max_rows = 6
references = [{ variable = "area", to = "census", to_variable = "la" }]
[data_sets.exams.key]
unit = "candidate"
time = "year"
also = ["subject"]
rows_per_period = 2
[data_sets.exams.variables.year]
type = "time"
label = "Year"
identifiability = 5
sensitivity = "E"
codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"]]
[data_sets.exams.variables.subject]
type = "category"
label = "Subject"
identifiability = 5
sensitivity = "E"
codes = ["EN", "MA", "SC"]
[data_sets.exams.variables.area]
type = "category"
label = "Area"
identifiability = 5
sensitivity = "E"
codes = "area"
"""

Row = Mapping[str, str | float | None]

CENSUS: list[Row] = [
    {"pupil": "P3", "year": "202223", "LA code": "A1", "region": "N", "sex": "2", "score": "10", "points": "7"},
    {"pupil": "P1", "year": "202122", "LA code": "A2", "region": "N", "sex": "F", "score": "2.0", "points": "-100"},
    {"pupil": "P2", "year": "202122", "LA code": "A3", "region": "S", "sex": None, "score": None, "points": "+8"},
    {"pupil": "P1", "year": "202223", "LA code": "A3", "region": "S", "sex": "1", "score": "1.9", "points": "100"},
    {"pupil": "P4", "year": "202122", "LA code": "A1", "region": "N", "sex": "M", "score": "ABS", "points": "0"},
]
EXAMS: list[Row] = [
    {"candidate": "P1", "year": "202122", "subject": "EN", "area": "A1"},
    {"candidate": "P1", "year": "202122", "subject": "MA", "area": "A2"},
    {"candidate": "P2", "year": "202122", "subject": "EN", "area": "A3"},
    {"candidate": "P9", "year": "202223", "subject": "SC", "area": "A1"},
]


def tiny() -> Catalogue:
    return load_catalogue(CATALOGUE)


def changed(rows: Sequence[Row], at: int, **values: str | float | None) -> list[Row]:
    """The rows, one of them with other values."""
    return [{**row, **values} if i == at else row for i, row in enumerate(rows)]


def write_file(path: Path, rows: Sequence[Row], columns: Sequence[str] = ()) -> Path:
    """A CSV, gzipped CSV or Parquet file, by its name. Parquet columns are numeric where all values are."""
    columns = columns or list(rows[0])
    if path.suffix == ".parquet":
        _parquet(path, rows, columns)
        return path
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([row[c] for c in columns] for row in rows)
    content = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _parquet(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """A column with a float in it is DOUBLE; texts in it that are no numbers become NULL."""
    doubles = {c for c in columns if any(isinstance(r[c], float) for r in rows)}
    shape = ", ".join(f'"{c}" {"DOUBLE" if c in doubles else "VARCHAR"}' for c in columns)
    marks = ", ".join("TRY_CAST(? AS DOUBLE)" if c in doubles else "?" for c in columns)
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t ({shape})")
        if rows:
            con.executemany(f"INSERT INTO t VALUES ({marks})", [[r[c] for c in columns] for r in rows])
        con.execute("COPY t TO $path (FORMAT parquet)", {"path": str(path)})


OUTLIVES = re.compile(r"cuts(/[a-z]+(/(parts(/.*)?|units\.duckdb(\.wal)?|ranks\.secret))?)?")


class Workplace:
    """Folders for sources and cuts, and how the tests ingest from one to the other. text: of the catalogue."""

    def __init__(self, root: Path) -> None:
        self.sources, self.cuts, self.text = root / "sources", root / "cuts", CATALOGUE
        self.sources.mkdir()

    def files(
        self, census: Sequence[Row] = CENSUS, exams: Sequence[Row] = EXAMS, kind: str = "csv"
    ) -> dict[str, list[Path]]:
        return {
            "census": [write_file(self.sources / f"census.{kind}", census)],
            "exams": [write_file(self.sources / f"exams.{kind}", exams)],
        }

    def ingest(self, sources: Mapping[str, Sequence[Path]], engine: str = "duckdb") -> Published:
        return ingest(load_catalogue(self.text), self.text, sources, self.cuts, engine=engine)

    def listing(self) -> list[str]:
        """All files and folders but those that outlive a run whatever becomes of it."""
        found = (str(p.relative_to(self.cuts.parent)) for p in self.cuts.parent.rglob("*"))
        return sorted(path for path in found if not OUTLIVES.fullmatch(path))
