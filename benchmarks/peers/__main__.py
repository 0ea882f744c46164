"""`python -m benchmarks.peers`: ours over HTTP and each peer in an environment of its own, one after the other.

Ours is a real server with keys, ledger (fsync), audit chain and intervals; each repetition buys more precision of the
same count, so that it is charged, scanned and drawn afresh. Peers are asked in their own process, without HTTP.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import httpx2

from benchmarks.accuracy.peers import run
from benchmarks.million import DATA_SET, SEXES, Home, areas, build, ethnicities
from benchmarks.peers.timing import QUESTIONS
from benchmarks.server import serving

ROOT = Path(__file__).resolve().parents[2]
PEERS = {"smartnoise": "smartnoise", "opendp": "opendp_polars", "tumult": "tumult"}
NAMES = {"smartnoise": "SmartNoise SQL", "opendp": "OpenDP Polars", "tumult": "Tumult Analytics"}
RHO = 0.005


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7, help="of each question; the first is told apart")
    parser.add_argument("--peer", nargs="*", choices=PEERS, default=list(PEERS))
    return parser.parse_args()


def ours(home: Home, repetitions: int) -> dict[str, Any]:
    """Wall seconds over HTTP, as `timing.report` has them."""
    with serving(home, {}, 1) as server:
        headers = {"Authorization": f"Bearer {home.key}"}
        with httpx2.Client(base_url=server.url, headers=headers, timeout=60) as client:
            questions = {name: asked(client, list(by), repetitions) for name, by in QUESTIONS.items()}
        return {"ready": server.started[0], "questions": questions, "versions": {"Python": platform.python_version()}}


def asked(client: httpx2.Client, by: list[str], repetitions: int) -> list[float]:
    times = []
    for step in range(1, repetitions + 1):
        body = {"measures": [{"statistic": "count"}], "groupBy": by, "rho": f"{RHO * step:.4f}"}
        begun = time.perf_counter()
        answer = client.post(f"/v1/data-sets/{DATA_SET}/query", json=body)
        times.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.text
        assert answer.json()["charge"]["nanoRho"] == round(RHO * 1e9), "each is charged"
    return times


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        home = build(Path(scratch))
        parameters = {
            "file": str(home.file),
            "epsilon": 1.0,
            "rho": RHO,
            "repetitions": given.repetitions,
            "domains": {"sex": list(SEXES), "ethnicity": ethnicities(), "la": areas()},
        }
        found = {"ours, over HTTP": ours(home, given.repetitions)}
        for peer in given.peer:
            print(f"{NAMES[peer]}", file=sys.stderr, flush=True)
            try:
                found[NAMES[peer]] = run(ROOT, peer, f"benchmarks.peers.{PEERS[peer]}", parameters)
            except CalledProcessError as failed:
                print(f"{NAMES[peer]} failed: {failed}", file=sys.stderr)
    show(found)


def show(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Markdown; ratios are of the medians of all but the first."""
    mine = next(iter(found.values()))
    names = " | ".join(f"{name}: first s | warm s | ours is" for name in QUESTIONS)
    print(f"| | versions | ready s | {names} |\n|---|---|---|{'---|---|---|' * len(QUESTIONS)}")
    for name, one in found.items():
        cells = [name, ", ".join(f"{k} {v}" for k, v in one["versions"].items()), f"{one['ready']:.1f}"]
        for question, (first, *warm) in one["questions"].items():
            middle = statistics.median(warm)
            ratio = middle / statistics.median(mine["questions"][question][1:])
            cells += [f"{first:.3f}", f"{middle:.3f}", "" if one is mine else f"{ratio:.0f} × faster"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
