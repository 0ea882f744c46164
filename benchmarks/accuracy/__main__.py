"""Runs all three, one at a time, and writes benchmarks/accuracy.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.accuracy import ours, peers, report
from benchmarks.accuracy.files import SOURCES, prepare
from benchmarks.accuracy.questions import QUESTIONS
from benchmarks.accuracy.truth import as_one, truth
from disclosure.accounting import NANO
from privacy_api.service.cuts import HostedDataSet

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--delta", type=float, default=1e-10)
    parser.add_argument("--absence", type=int, default=25, help="repetitions on the 7.4 million rows")
    parser.add_argument("--chem97", type=int, default=50, help="repetitions on the 31,022 rows")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the real files")
    parser.add_argument("--page", action="store_true", help="write the page again, from the errors of the last run")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "accuracy.md")
    return parser.parse_args()


def domains(hosted: Mapping[str, HostedDataSet]) -> dict[str, list[str]]:
    """Public codes of every variable that a question groups by, from the catalogues."""
    found = {"persistent": ["yes", "no"], "grade_a": ["yes", "no"]}
    for name, source in SOURCES.items():
        variables = {v.name: v for v in hosted[name].data_set.variables}
        for column, reference in source.references.items():
            variable, _, banding = reference.partition(".")
            named = {b.name: b.codes for b in variables[variable].bandings}
            found[column] = [c.code for c in (named[banding] if banding else variables[variable].atoms)]
    return found


def repetitions(files: Mapping[str, Path], given: argparse.Namespace) -> dict[str, int]:
    """By question: more where there are few cells to average over."""
    found = {}
    for question in QUESTIONS:
        cells = sum(len(truth(files[question.data], ask)) for ask in question.asks)
        found[question.id] = getattr(given, question.data) * (4 if cells < 200 else 1)
    return found


def measure(
    hosted: Mapping[str, HostedDataSet], files: Mapping[str, Path], total: ours.Budget, times: Mapping[str, int]
) -> dict[str, Any]:
    """Ours, by question: the better of its two noises, and what is expected of that."""
    found = {}
    for question in QUESTIONS:
        print(f"ours: {question.id} {question.title}", file=sys.stderr, flush=True)
        true = [truth(files[question.data], ask) for ask in question.asks]
        both: dict[str, dict[str, Any]] = {}
        for law in ours.LAWS:
            asked = ours.ask(question, SOURCES[question.data], hosted[question.data], law, total)
            ours.check(asked, true)
            both[law.value.capitalize()] = {
                **ours.errors(asked, true, times[question.id]),
                "expected": ours.expected(asked, true),
                "measurements": len(asked.bought),
            }
        how = min(both, key=lambda law: as_one(question, both[law]["errors"]))
        each = {law: as_one(question, one["errors"]) for law, one in both.items()}
        found[question.id] = both[how] | {"how": how, "both": each, "cells": sum(map(len, true))}
    return found


def run(given: argparse.Namespace) -> dict[str, Any]:
    total = ours.budget(given.epsilon, given.delta)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        files = {n: prepare(s, given.shared, home / f"{n}.parquet") for n, s in SOURCES.items()}
        hosted = {n: ours.host(s, ROOT / "examples", given.shared, home / "cuts") for n, s in SOURCES.items()}
        parameters = {
            "epsilon": given.epsilon,
            "delta": given.delta,
            "rho": total.nano_rho / NANO,
            "repetitions": repetitions(files, given),
            "files": {n: str(f) for n, f in files.items()},
            "most": {n: s.most for n, s in SOURCES.items()},
            "domains": domains(hosted),
        }
        mine = measure(hosted, files, total, parameters["repetitions"])
        for host in hosted.values():
            host.cut.engine.close()
        theirs = {name: peers.run(ROOT, name, module, parameters) for name, module in peers.PEERS.items()}
    return {"mine": mine, "theirs": theirs, "parameters": parameters}


def main() -> None:
    """With --page the errors of the last run are written up again."""
    given = arguments()
    missing = [s.file for s in SOURCES.values() if not (given.shared / s.file).is_file()]
    if missing:
        sys.exit(f"{', '.join(missing)} not in {given.shared}: see SOURCES.md of ../shared/data")
    kept = ROOT / ".bench" / "accuracy.json"
    if not given.page:
        found = run(given)
        del found["parameters"]["files"], found["parameters"]["domains"]
        kept.write_text(json.dumps(found), encoding="utf-8")
    given.out.write_text(report.page(**json.loads(kept.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
