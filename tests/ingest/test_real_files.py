"""The example catalogues on the real files: they fit, in bounded time and memory. No cell is shown, totals only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from datasets.catalogue_toml import load_catalogue

GIB = 2**30
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
example, file, cuts = map(Path, sys.argv[1:])
text = example.read_text()
catalogue = load_catalogue(text)
start = time.monotonic()
published = ingest(catalogue, text, {catalogue.data_sets[0].id: [file]}, cuts)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": time.monotonic() - start,
    "bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    "rows": published.manifest.data_sets[catalogue.data_sets[0].id].rows,
    "notes": len(published.manifest.notes),
    "database": str(*published.databases.values()),
}))
"""


@pytest.fixture
def cuts(tmp_path: Path) -> Iterator[Path]:
    """Gone after the test: pytest keeps its own folders for a while, and these would hold microdata."""
    yield tmp_path / "cuts"
    shutil.rmtree(tmp_path / "cuts", ignore_errors=True)


def _ingest(root: Path, example: str, file: str, cuts: Path) -> dict[str, Any]:
    data = root.parent / "shared" / "data" / file
    if not data.is_file():
        pytest.skip("absence microdata not in ../shared/data, see SOURCES.md")
    command = [sys.executable, "-c", PROGRAM, str(root / "examples" / example), str(data), str(cuts)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def _share(database: str, query: str) -> float:
    with duckdb.connect(database, read_only=True) as connection:
        return float(connection.execute(query).fetchall()[0][0])


@pytest.mark.parametrize("example", ["absence.toml", "chem97.toml"])
def test_the_examples_load(root: Path, example: str) -> None:
    assert load_catalogue((root / "examples" / example).read_text()).data_sets


@pytest.mark.slow
def test_absence_within_bounds(root: Path, cuts: Path) -> None:
    result = _ingest(root, "absence.toml", "absence_person_level_202223.parquet", cuts)
    assert (result["rows"], result["notes"]) == (7_396_032, 0)
    assert result["bytes"] < 2 * GIB
    assert result["seconds"] < 60
    share = """SELECT avg(("absence_band.persistent" = 'yes')::int) FROM absence"""
    assert _share(result["database"], share) == pytest.approx(0.212, abs=0.0005)


@pytest.mark.slow
def test_chem97(root: Path, cuts: Path) -> None:
    result = _ingest(root, "chem97.toml", "Chem97.csv", cuts)
    assert (result["rows"], result["notes"]) == (31_022, 0)
    assert _share(result["database"], "SELECT avg(score) FROM candidates") == pytest.approx(5.81, abs=0.01)
    assert _share(result["database"], "SELECT avg(gcse) / 1000 FROM candidates") == pytest.approx(6.286, abs=0.001)
    grades = "SELECT count(*) FILTER (grade::varchar::int IS DISTINCT FROM score) FROM candidates"
    assert _share(result["database"], grades) == 0
