"""The example analyses on a generated cut of the whole catalogue: all that they measure, equal on Spark and DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import ingest
from synthetic.npd import make
from tests.spark.compare import differences, for_spark, measures_something, question
from tests.spark.remote import RemoteEngine, Worker

pytestmark = pytest.mark.spark
PUPILS, YEARS, SEED = 2000, range(2018, 2025), 2026
ANALYSES = sorted((Path(__file__).parent.parent.parent / "examples" / "analyses").glob("*.json"))


class Cut(NamedTuple):
    catalogue: Catalogue
    duckdb: DuckDBEngine
    spark: RemoteEngine


@pytest.fixture(scope="module")
def cut(root: Path, worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    home, npd = tmp_path_factory.mktemp("npd"), root / "datasets" / "npd"
    files, text = make(npd, home / "files", PUPILS, YEARS, SEED), bundle(npd)
    catalogue = load_catalogue(text)
    published = ingest(catalogue, text, files, home / "cuts")
    parquet = for_spark(published, home / "spark")
    with closing(DuckDBEngine(published.databases, 60)) as duckdb, closing(worker.open(parquet)) as spark:
        yield Cut(catalogue, duckdb, spark)


@pytest.mark.parametrize("path", ANALYSES, ids=[path.stem for path in ANALYSES])
def test_an_analysis_measures_the_same(cut: Cut, path: Path) -> None:
    asked = question(json.loads(path.read_text(encoding="utf-8")))
    assert measures_something(cut.catalogue, asked, cut.duckdb)
    assert list(differences(cut.catalogue, [asked], cut.duckdb, cut.spark)) == []


def test_they_are_all_there() -> None:
    assert len(ANALYSES) == 15
