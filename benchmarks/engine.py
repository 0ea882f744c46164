"""Our engine against bare DuckDB on the same connection, and count cubes against both: CPU milliseconds.

    python -m benchmarks.engine 1000000 10000000 [--folder DIR] [--memory 4GB]

One table for each number of rows; with several, the exponent of cost against rows. Tables written into a folder
stay there for the next run (some 14 bytes a row).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import exp, log, nan
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.query_set import Question, questions
from benchmarks.wide_census import Cut, write
from datasets.cubes import Cube, read_cube
from datasets.dialects import DUCKDB
from datasets.engines.cubes import CubeEngine
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest.cubes import write_cubes
from datasets.plan import EngineFailed

ROUNDS, SHORT = 25, 3
ENOUGH = 4_000.0
"""CPU milliseconds after which a question has been asked often enough, if it was asked `SHORT` times."""


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU ms, the least of several; nan where there is none."""

    bare: float
    ours: float
    cube: float


def measure(question: Question, cut: Cut, scan: DuckDBEngine, cubes: CubeEngine) -> Costs:
    plan, sql = question.plan(cut.data_set), question.sql(DUCKDB.table(cut.data_set).sql("duckdb"))

    def bare() -> None:
        with scan._connection.cursor() as cursor:
            cursor.execute(sql).fetchnumpy()

    works: list[Callable[[], object]] = [bare, lambda: scan.aggregate(plan)]
    if cubes.cube_for(plan):
        works.append(lambda: cubes.aggregate(plan))
        ours, theirs = cubes.aggregate(plan), scan.aggregate(plan)
        assert all(np.array_equal(ours[a], theirs[a]) for a in plan.aggregates), question.name
    return Costs(*[*_least(works), nan][:3])


def _least(works: Sequence[Callable[[], object]]) -> list[float]:
    """Taken in turn, so that whatever else the machine does falls on all alike."""
    found = [[nan] for _ in works]
    for done in range(ROUNDS):
        if done >= SHORT and sum(map(sum, ([t for t in times if t == t] for times in found))) > ENOUGH:
            break
        for work, times in zip(works, found, strict=True):
            times.append(_cpu(work))
    return [float(np.nanmin(times)) if not all(np.isnan(times)) else nan for times in found]


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    try:
        work()
    except (EngineFailed, duckdb.Error):
        return nan
    return 1000 * (time.process_time() - start)


def prepared(rows: int, folder: Path) -> tuple[Cut, list[Cube]]:
    """The table, and its cubes, counted anew."""
    cut = write(rows, folder)
    for left in folder.glob("census.*.npy"):
        left.unlink()
    start = time.process_time()
    files = write_cubes(cut.database, cut.data_set, folder)
    print(f"\n{rows:,} rows. {len(files)} cubes counted in {time.process_time() - start:.1f} s (CPU)", end="; ")
    start = time.perf_counter()
    cubes = [read_cube(folder / file.file.name, cut.data_set, file.axes) for file in files]
    with closing(DuckDBEngine({cut.data_set.id: cut.database})):
        print(f"file and cubes opened in {1000 * (time.perf_counter() - start):.0f} ms.\n")
    return cut, cubes


def run(rows: int, folder: Path, memory: str) -> dict[str, Costs]:
    cut, cubes = prepared(rows, folder)
    with closing(DuckDBEngine({cut.data_set.id: cut.database}, seconds=600, memory=memory)) as scan:
        engine = CubeEngine(scan, {cut.data_set.id: cubes})
        costs = {question.name: measure(question, cut, scan, engine) for question in questions(cut.data_set)}
    print("| question | bare | ours | ours ÷ bare | by cube | scan ÷ cube |\n|---|---|---|---|---|---|")
    for name, of in costs.items():
        cube = f"{of.cube:.2f} | {of.ours / of.cube:.0f}" if of.cube == of.cube else " | "
        print(f"| {name} | {of.bare:.1f} | {of.ours:.1f} | {of.ours / of.bare:.2f} | {cube} |")
    ratios = [of.ours / of.bare for of in costs.values() if of.ours == of.ours]
    print(f"| geometric mean | | | {exp(sum(map(log, ratios)) / len(ratios)):.2f} | | |", flush=True)
    return costs


def exponents(found: dict[int, dict[str, Costs]]) -> None:
    """Slope of log cost by log rows: 1 where cost grows as rows do, 0 where it does not grow."""
    print("\n| cost grows as rows to the power of | bare | ours | by cube |\n|---|---|---|---|")
    for name in next(iter(found.values())):
        each = [
            [(rows, getattr(costs[name], way)) for rows, costs in found.items()] for way in ("bare", "ours", "cube")
        ]
        print(f"| {name} | {' | '.join(_slope(points) for points in each)} |")


def _slope(points: Sequence[tuple[int, float]]) -> str:
    known = [(log(rows), log(cost)) for rows, cost in points if cost == cost]
    return f"{np.polyfit(*np.array(known).T, 1)[0]:.2f}" if len(known) > 1 else ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine")
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--memory", default="4GB")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = {rows: run(rows, folder, asked.memory) for rows in sorted(asked.rows)}
    if len(found) > 1:
        exponents(found)


if __name__ == "__main__":
    main()
