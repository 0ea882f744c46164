"""What a step costs. Runs in the peers' environments too, so it imports nothing of ours."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any


def timed(step: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The step's result; its wall and CPU seconds, of all threads and of processes that it has ended."""
    wall, cpu = time.perf_counter(), _cpu()
    found = step()
    return found, {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def peak_mb() -> float:
    """The most memory that this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
