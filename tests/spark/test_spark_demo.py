"""Everything that questions on the demonstration's cut measure, on Spark and on DuckDB: equal, cell for cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import Published, ingest
from tests.lib.structural import SMALL, generate
from tests.spark.compare import differences, for_spark, question
from tests.spark.remote import RemoteEngine, Worker

pytestmark = pytest.mark.spark
PUPILS = 3000
THIS_YEAR = {"timePeriods": {"eq": {"period": "2023/2024", "code": "AY"}}}


def census(*measures: Mapping[str, Any], by: tuple[str, ...] = (), **parts: Any) -> dict[str, Any]:
    return {"dataSet": "demo.census", "query": {"measures": list(measures), "groupBy": list(by), **parts}}


COUNT = {"statistic": "count"}
QUESTIONS: dict[str, dict[str, Any]] = {
    "pupils by region, with totals": census(COUNT, by=("REG", "fsm"), totals=[["REG"], []], criteria=THIS_YEAR),
    "an authority's pupils": census(
        COUNT, by=("LA", "year_group.phase"), criteria={"filters": {"sex": {"in": ["F"]}, "sen": {"notEq": "N"}}}
    ),
    "absence": census(
        *({"statistic": s, "variable": "absence"} for s in ("mean", "sd", "median", "histogram")),
        {"statistic": "percentage", "variable": "fsm", "codes": ["Y"]},
        by=("year_group.phase", "fsm"),
    ),
    "distinct pupils over years": census(
        {"statistic": "pupils"}, {"statistic": "distinct", "variable": "la"}, by=("REG",)
    ),
    "a model of absence": census(
        {"statistic": "ols", "variable": "absence", "terms": ["fsm", "sen"]}, criteria=THIS_YEAR
    ),
    "key stage 4": {
        "dataSet": "demo.ks4",
        "query": {
            "measures": [
                {"statistic": "mean", "variable": "attainment8"},
                {"statistic": "distribution", "variable": "attainment8.tens"},
            ],
            "groupBy": ["ks2_band", "disadvantaged"],
        },
    },
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("demo")
    text = SMALL.read_text(encoding="utf-8")
    catalogue = load_catalogue(text)
    sources = {name: [path] for name, path in generate(catalogue, PUPILS, 2026, folder).items()}
    return ingest(catalogue, text, sources, folder / "cuts")


@pytest.fixture(scope="module")
def engines(
    published: Published, worker: Worker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DuckDBEngine, RemoteEngine]]:
    folder: Path = for_spark(published, tmp_path_factory.mktemp("spark"))
    with closing(DuckDBEngine(published.databases)) as duckdb, closing(worker.open(folder)) as spark:
        yield duckdb, spark


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_on_the_demonstration(
    name: str, published: Published, engines: tuple[DuckDBEngine, RemoteEngine]
) -> None:
    catalogue = load_catalogue(published.catalogue_text)
    assert list(differences(catalogue, [question(QUESTIONS[name])], *engines)) == []
