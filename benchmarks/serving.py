"""What a server gives that is asked by eight clients at once: `python -m benchmarks.serving`.

A million pupils, `privacy-api serve` as anybody starts it, HTTP, keys, ledger with fsync, audit chain, intervals.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.million import DATA_SET, ETHNICITIES, build, year_groups
from benchmarks.server import Question, Server, serving

ADDRESS = f"/v1/data-sets/{DATA_SET}/query"
SMALL, LARGE = ["sex", "ethnicity"], ["la", "ethnicity"]
CLIENTS = 8


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2], help="server processes, one run for each")
    parser.add_argument("--questions", type=int, default=400, help="fresh counts of 36 cells; others in proportion")
    parser.add_argument("--setting", action="append", default=[], help="PRIVACY_API_… as NAME=VALUE")
    return parser.parse_args()


def fresh(by: list[str], draw: random.Random) -> Iterator[dict[str, Any]]:
    """Counts of populations that nobody asked for before: five to ten of fifteen year groups."""
    seen: set[tuple[str, ...]] = set()
    while True:
        groups = tuple(sorted(draw.sample(year_groups(), draw.randint(5, 10))))
        if groups not in seen:
            seen.add(groups)
            criteria = {"filters": {"year_group": {"in": list(groups)}}}
            yield {"measures": [{"statistic": "count"}], "groupBy": by, "criteria": criteria}


def loads(count: int) -> dict[str, list[Question]]:
    """By name. Stored answers and previews are of what the first load has asked."""
    draw = random.Random(20261122)  # noqa: S311 - questions, not noise
    small, large = fresh(SMALL, draw), fresh(LARGE, draw)
    asked = [next(small) for _ in range(count)]
    stored = [(ADDRESS, body) for body in asked]
    previews = [(f"{ADDRESS}/preview", body) for body in asked]
    found = {
        "fresh, 36 cells": stored,
        f"fresh, {152 * ETHNICITIES:,} cells": [(ADDRESS, next(large)) for _ in range(count // 4)],
        "stored, 36 cells": stored,
        "previews": previews,
    }
    kinds = ([(ADDRESS, next(small)), (ADDRESS, next(large)), stored[i], previews[i]] for i in range(count // 4))
    return found | {"mixed, a quarter each": [question for four in kinds for question in four]}


def row(server: Server, name: str, questions: list[Question], clients: int) -> list[str]:
    before, begun = server.cpu, time.perf_counter()
    times = server.drive(questions, clients)
    wall, cpu = time.perf_counter() - begun, server.cpu - before
    del wall  # of the clients' own start too
    rate = clients * len(times) / sum(times)
    p50, p95 = (1000 * q for q in (statistics.median(times), statistics.quantiles(times, n=20)[-1]))
    return [name, str(clients), f"{rate:.0f}", f"{p50:.1f}", f"{p95:.1f}", f"{1000 * cpu / len(times):.1f}"]


def measure(server: Server, count: int) -> None:
    by_name, rest = loads(count), random.Random(1)  # noqa: S311 - questions, not noise
    warm = [(ADDRESS, next(fresh([*by, "sex"][:2], rest))) for by in (SMALL, LARGE)]
    server.drive([*warm, *((f"{ADDRESS}/preview", body) for _, body in warm)], 1)
    server.forget()
    at_rest, first = server.memory("VmRSS"), server.started
    rows = [row(server, name, questions, CLIENTS) for name, questions in by_name.items()]
    growth = (server.memory("VmHWM") - at_rest) / CLIENTS
    for name in ("stored, 36 cells", "previews"):
        rows.append(row(server, name, by_name[name][:100], 1))
    print(f"start: {first[0]:.2f} s, {first[1]:.2f} s of CPU until /health says 200")
    print(f"memory: {at_rest:.0f} MiB after one question of each kind, {server.memory('VmHWM'):.0f} MiB at most, ")
    print(f"which is {growth:.1f} MiB for each of {CLIENTS} questions at a time\n")
    print("| what | clients | queries/s | p50 ms | p95 ms | CPU ms of the server |\n|---|---|---|---|---|---|")
    for cells in rows:
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    given = arguments()
    print(f"Python {platform.python_version()}, DuckDB {version('duckdb')}, OpenDP {version('opendp')}\n")
    for workers in given.workers:
        with tempfile.TemporaryDirectory() as scratch:
            home = build(Path(scratch))
            with serving(home, dict(pair.split("=", 1) for pair in given.setting), workers) as server:
                print(f"### {workers} worker(s)\n")
                measure(server, given.questions)
                print()


if __name__ == "__main__":
    main()
