"""A real server in processes of its own: started, asked, and what it takes of the machine (Linux)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.million import Home

PATIENCE = 120
TICKS = os.sysconf("SC_CLK_TCK")
Question = tuple[str, dict[str, Any]]
"""Address and body."""


@dataclass(frozen=True, slots=True)
class Server:
    """started: wall and CPU seconds until /health said 200, which is when all was checked and ready."""

    pid: int
    url: str
    key: str
    started: tuple[float, float]

    @property
    def cpu(self) -> float:
        """Seconds, all processes."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def memory(self, what: str) -> float:
        """MiB, all processes: VmRSS, or VmHWM for the most since `forget`."""
        return sum(_status(pid, what) for pid in _family(self.pid)) / 1024

    def forget(self) -> None:
        """The peak so far."""
        for pid in _family(self.pid):
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def drive(self, questions: Sequence[Question], clients: int) -> list[float]:
        """Seconds of each, asked by so many clients in a process of theirs, each with one question at a time."""
        task = json.dumps({"url": self.url, "key": self.key, "clients": clients, "questions": questions})
        command = [sys.executable, "-m", "benchmarks.clients"]
        found = subprocess.run(command, input=task, capture_output=True, text=True, check=True)
        times: list[float] = json.loads(found.stdout)
        return times


@contextmanager
def serving(home: Home, settings: Mapping[str, str], workers: int) -> Iterator[Server]:
    """`privacy-api serve` as anybody starts it, but for the settings given."""
    port = _free_port()
    command = [sys.executable, "-m", "privacy_api", "serve", "--mode", "demo", "--home", str(home.path)]
    command += ["--port", str(port), "--workers", str(workers)]
    url, begun = f"http://127.0.0.1:{port}", time.perf_counter()
    log = (home.path / "server.log").open("wb")
    process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=log)
    try:
        _wait(process, url)
        spent = sum(_cpu(pid) for pid in _family(process.pid))
        yield Server(process.pid, url, home.key, (time.perf_counter() - begun, spent))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        log.close()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx2.get(f"{url}/health").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.01)
    raise SystemExit("the server did not start; see server.log in its home")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _status(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))
