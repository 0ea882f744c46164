"""Ours against the least that could do it, in one process and one run: bare DuckDB, bare OpenDP, a stored answer."""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import duckdb
import numpy as np
from fastapi.testclient import TestClient

from benchmarks import census, large
from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest, open_current
from disclosure.accounting import nano_rho
from disclosure.noise import discrete_gaussian
from privacy_api.bootstrap import make_app, open_stores
from privacy_api.cli.cuts import bind, preset
from privacy_api.cli.progress import Bar
from privacy_api.ports import Principal, Project
from privacy_api.service.answer_query import answer_query
from privacy_api.settings import Settings, load_settings
from privacy_api.wire.query_in import read_query

ROUNDS = 15
PATH = "/v1/data-sets/bench.census/query"


def cpu(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median CPU milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def question(year: int) -> dict[str, object]:
    criteria = {"timePeriods": {"eq": {"period": str(2000 + year), "code": "CY"}}}
    return {"measures": [{"statistic": "count"}], "groupBy": ["la", "year_group"], "criteria": criteria, "rho": "0.001"}


def build(home: Path) -> Settings:
    settings = load_settings({}, home=home, mode="demo", latency_slot_ms=0, log_level="ERROR")
    text = census.catalogue()
    census.write(home / "census.parquet")
    with Bar() as bar:
        ingest(load_catalogue(text), text, {"census": [home / "census.parquet"]}, settings.cuts, bar)
    bind(settings.policies, "bench", preset("dp-default").replace("cells = 10000", "cells = 50000"))
    return settings


def bare_duckdb(database: Path) -> float:
    sql = """select enum_code(la), enum_code(year_group), count(*) from census
        where "year" = $y group by la, year_group"""
    with duckdb.connect(str(database), read_only=True, config={"threads": "1"}) as connection:
        years = iter(range(1000))
        return cpu(lambda: connection.execute(sql, {"y": str(2000 + next(years) % 20)}).fetchnumpy())


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        settings = build(Path(scratch))
        stores = open_stores(settings)
        project = stores.projects.create_project(Project("bench", "Bench", nano_rho(Decimal("0.5")), frozenset()))
        key = stores.projects.create_key("bench", "", "test")[1]
        stores.close()
        cells = np.zeros((census.AREAS * census.GROUPS, 1), np.int64)
        scan = bare_duckdb(open_current(settings.cuts, "bench").databases["census"])
        app = make_app(settings)
        noise = cpu(lambda: discrete_gaussian(cells, 1, 1_000_000))
        principal, services = Principal("bench", project), app.state.services
        years = iter(range(20))

        def ask() -> object:
            return answer_query(read_query(question(next(years)), "bench.census"), principal, services)

        ask()
        fresh = cpu(ask)
        stored = cpu(lambda: answer_query(read_query(question(0), "bench.census"), principal, services), 50)
        with TestClient(app) as client:
            headers = {"Authorization": f"Bearer {key}"}
            http_stored = cpu(lambda: client.post(PATH, json=question(0), headers=headers), 50)
            preview = cpu(lambda: client.post(f"{PATH}/preview", json=question(0), headers=headers), 50)
            http_fresh = cpu(lambda: client.post(PATH, json=question(next(years)), headers=headers), 3)
        parts = large.answers(services, principal)
        services.close()
    report(scan, noise, fresh, stored, http_fresh, http_stored, preview)
    report_large(parts, large.noise_on_100_000())


def report_large(parts: dict[str, dict[str, float]], noise: dict[str, float]) -> None:
    names = list(large.PARTS.values())
    print(f"\n| 20,520 cells | {' | '.join(names)} | in all |\n|---|{'---|' * (len(names) + 1)}")
    for name, found in parts.items():
        total = sum(found.values())
        cells = [f"{found[part]:.0f} ({100 * found[part] / total:.0f} %)" for part in names]
        print(f"| {name} | {' | '.join(cells)} | {total:.0f} |")
    print("\n| noise on 100,000 numbers, wall ms |  |\n|---|---|")
    for how, ms in noise.items():
        print(f"| {how} | {ms:.0f} |")


def report(
    scan: float, noise: float, fresh: float, stored: float, http_fresh: float, http_stored: float, preview: float
) -> None:
    rows = [
        ("bare DuckDB, one census of 10 million rows, LA × year group", scan, ""),
        ("bare OpenDP noise on its 2,280 cells", noise, ""),
        ("ours, fresh: validate, charge, scan, noise, intervals, store", fresh, f"{fresh / (scan + noise):.2f} × bare"),
        ("ours, stored: the same question again", stored, f"{fresh / stored:.0f} × cheaper than fresh"),
        ("over HTTP (in process, client included), fresh", http_fresh, ""),
        ("over HTTP (in process, client included), stored", http_stored, ""),
        ("over HTTP (in process, client included), preview", preview, ""),
    ]
    python = platform.python_version()
    print(f"Python {python}, DuckDB {version('duckdb')}, OpenDP {version('opendp')}; CPU milliseconds, medians\n")
    print("| what | ms | ratio |\n|---|---|---|")
    for what, ms, ratio in rows:
        print(f"| {what} | {ms:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
