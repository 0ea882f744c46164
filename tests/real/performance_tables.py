"""The example of performance tables, run as its README says, and the truth computed from the published file."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd

from tests.lib.linear_attacker import Cell

TYPES = {
    "Maintained school": "maintained",
    "Academy": "academy",
    "Special school": "special",
    "Independent school": "independent",
    "College": "college",
}
MEASURES = {"schools": "count", "attainment8": "mean"}


@dataclass(frozen=True, slots=True, repr=False)
class Truth:
    """Of one cell: schools, those of them with a score, and their scores from the largest down."""

    schools: int
    scores: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.scores)

    @property
    def dominated(self) -> bool:
        """By the policy's (2, 90) rule or its 10 % rule."""
        first, second = (*self.scores, 0.0, 0.0)[:2]
        rest = self.total - first - second
        return self.total > 0 and (first + second > 0.9 * self.total or rest < 0.1 * first)


@dataclass(frozen=True, repr=False)
class Released:
    """One table as it is served, and the truth of the same cells. A value is None where it is hidden."""

    body: dict[str, Any]
    truth: dict[Cell, Truth]

    def values(self, measure: str) -> dict[Cell, float | None]:
        names = self.body["query"]["groupBy"]
        rows = [row for row in self.body["results"] if row["measure"] == measure]
        return {tuple(row[name] for name in names): row["value"] for row in rows}

    def hidden(self, measure: str) -> set[Cell]:
        names = self.body["query"]["groupBy"]
        rows = [row for row in self.body["results"] if row["measure"] == measure and row["status"] == "c"]
        return {tuple(row[name] for name in names) for row in rows}


def published(file: Path) -> pd.DataFrame:
    found = pd.read_csv(file, dtype=str, keep_default_na=False)
    return pd.DataFrame(
        {
            "area": found["PCODE"].str.extract(r"^([A-Z]*)")[0].replace("", "unknown"),
            "school_type": found["SCHTYPE"].map(TYPES),
            "progress8": found["P8_BANDING"].replace({"": "none", "SUPP": "suppressed"}),
            "score": pd.to_numeric(found["ATT8SCR"], errors="coerce"),
        }
    )


def released(body: dict[str, Any], schools: pd.DataFrame) -> Released:
    codes = {each["name"]: [code["code"] for code in each["codes"]] for each in body["dimensions"]}
    names = body["query"]["groupBy"]
    return Released(body, {cell: _truth(schools, names, cell) for cell in product(*([*codes[n], None] for n in names))})


def _truth(schools: pd.DataFrame, names: list[str], cell: Cell) -> Truth:
    for name, code in zip(names, cell, strict=True):
        schools = schools if code is None else schools[schools[name] == code]
    return Truth(len(schools), tuple(sorted(schools["score"].dropna(), reverse=True)))


def run_readme(root: Path, file: Path, work: Path) -> str:
    """Every line of its one block of shell; gives the key that it made."""
    text = (root / "examples" / "performance-tables" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    environ = {**environment(root), "PUBLISHED": str(file), "WORK": str(work)}
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", block], env=environ, cwd=root, stdout=subprocess.DEVNULL)
    assert ran.returncode == 0, "the lines of the README do not run"
    (key,) = re.findall(r"npd_[A-Za-z0-9_-]*", (work / "key").read_text(encoding="utf-8"))
    return str(key)


def environment(root: Path) -> dict[str, str]:
    """Of commands: no settings of whoever runs the tests, and the packages that are tested."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PRIVACY_API_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    return {**own, "PATH": path, "PYTHONPATH": str(root)}


@contextmanager
def served(root: Path, home: Path, key: str) -> Iterator[httpx2.Client]:
    """The real server on a real socket, as behind a proxy that speaks HTTPS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environ = {**environment(root), "PRIVACY_API_BEHIND_TLS_PROXY": "true"}
    command = [sys.executable, "-m", "privacy_api", "serve", "--home", str(home), "--port", port]
    process = subprocess.Popen(command, env=environ, cwd=root, stderr=subprocess.DEVNULL)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}) as client:
            _wait(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def _wait(client: httpx2.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server did not start"
        try:
            assert client.get("/health").json()["status"] == "ok"
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not come up")
