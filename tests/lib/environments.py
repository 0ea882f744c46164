"""Environments of their own for what is too large, or pins too much, for the one that the tests run in."""

from __future__ import annotations

import subprocess
import sys
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path


class NotBuilt(Exception):
    """The environment could not be built; says why."""


def environment(root: Path, name: str) -> Path:
    """The Python of .venv-<name>, installed once for its requirements; several test processes wait for one to do it."""
    home, requirements = root / f".venv-{name}", root / "requirements" / f"{name}.txt"
    home.mkdir(exist_ok=True)
    stamp, wanted = home / "installed", sha256(requirements.read_bytes()).hexdigest()
    python = home / "bin" / "python"
    with (home / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (stamp.is_file() and stamp.read_text() == wanted):
            _install(home, python, requirements)
            stamp.write_text(wanted)
    return python


def _install(home: Path, python: Path, requirements: Path) -> None:
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for command in ([sys.executable, "-m", "venv", home], [*pip, "--requirement", requirements]):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise NotBuilt(f"{home.name} could not be built: {run.stderr[-2000:]}")
