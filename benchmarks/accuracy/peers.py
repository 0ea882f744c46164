"""The peers' environments, built once from hash-locked requirements, and a run of a peer in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PEERS = {"smartnoise": "benchmarks.accuracy.peer_smartnoise", "opendp": "benchmarks.accuracy.peer_opendp"}


def environment(root: Path, peer: str) -> Path:
    """The peer's Python. Built again when its requirements change."""
    locked = root / "requirements" / f"peers-{peer}.txt"
    home = root / ".bench" / peer
    stamp = home / "installed"
    if not stamp.is_file() or stamp.read_bytes() != locked.read_bytes():
        print(f"{peer}: making its environment", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--requirement", locked], check=True, stdout=sys.stderr)
        stamp.write_bytes(locked.read_bytes())
    return home / "bin" / "python"


def run(root: Path, peer: str, module: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the module prints that is run in the peer's environment, with the parameters on its stdin."""
    python = environment(root, peer)
    done = subprocess.run(
        [python, "-W", "ignore", "-m", module],
        input=json.dumps(parameters),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
