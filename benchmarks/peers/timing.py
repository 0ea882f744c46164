"""How long a peer takes. Runs in the peers' environments too, so it imports nothing of ours."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

QUESTIONS: Mapping[str, Sequence[str]] = {
    "sex × ethnicity": ("sex", "ethnicity"),
    "area × ethnicity": ("la", "ethnicity"),
}
Count = Callable[[Sequence[str]], int]
"""Groupings → a noisy count for each of their cells; how many came out."""


def report(connect: Callable[[], Count], parameters: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Wall seconds as JSON on stdout: until the data can be asked, and of each question the first and all others."""
    begun = time.perf_counter()
    count = connect()
    out: dict[str, Any] = {"ready": time.perf_counter() - begun, "questions": {}}
    for name, by in QUESTIONS.items():
        cells = 1
        for column in by:
            cells *= len(parameters["domains"][column])
        times = []
        for _ in range(parameters["repetitions"]):
            begun = time.perf_counter()
            found = count(by)
            times.append(time.perf_counter() - begun)
            if found != cells:
                raise SystemExit(f"{name}: {found} cells, not {cells}")
        out["questions"][name] = times
    out["versions"] = {package: version(package) for package in packages}
    json.dump(out, sys.stdout)
