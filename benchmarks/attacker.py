"""How long the attacker takes: python -m benchmarks.attacker"""

from __future__ import annotations

import time

import numpy as np

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.suppression.attacker import intervals
from disclosure.suppression.audit import audit
from disclosure.suppression.problem import Pattern, Problem
from disclosure.suppression.repair import repaired


def areas_by_groups(sizes: tuple[int, ...], pupils: int, threshold: int) -> Problem:
    """Uneven areas and groups; counts from 1 below the threshold are primary, zeros are shown."""
    random = np.random.default_rng(4)
    share = np.ones(())
    for size in sizes:
        share = np.multiply.outer(share, random.lognormal(0, 1.2, size))
    share = share * random.lognormal(0, 0.5, sizes)
    dimensions = tuple(Dimension.of(Chain.plain(size)) for size in sizes)
    cube = Cube(dimensions, add_totals(random.poisson(share / share.sum() * pupils).astype(np.int64), dimensions))
    small = (cube.values > 0) & (cube.values < threshold)
    width = np.full(cube.shape, threshold - 1, np.int64)
    return Problem(cube, small, np.zeros_like(small), cube.values == 0, 1, width)


def two_in_every_line(problem: Problem) -> Pattern:
    """The smallest cells of each line, until it hides two: a start that is to be audited and repaired."""
    hidden, values, again = problem.primary.copy(), problem.cube.values, True
    while again:
        again = False
        for axis in range(hidden.ndim):
            lines, cells = np.moveaxis(hidden, axis, -1), np.moveaxis(values, axis, -1)
            for at in map(tuple, np.argwhere(lines.sum(-1) == 1)):
                free = np.flatnonzero(~lines[at] & (cells[at] > 0))
                lines[(*at, free[np.argmin(cells[at][free])])] = again = True
    return Pattern(hidden, np.zeros_like(values))


def main() -> None:
    for sizes, pupils in (((150, 20), 600_000), ((30, 12, 6), 200_000)):
        problem = areas_by_groups(sizes, pupils, 5)
        start = two_in_every_line(problem)
        began = time.perf_counter()
        found = audit(problem, start)
        audited = time.perf_counter()
        print(f"{sizes}: {problem.primary.sum()} primary, {found.hidden} hidden; audit {audited - began:.1f} s,")
        print(f"  {found.programs} programs, {found.narrow.sum()} narrow, {found.recoverable} known exactly")
        better, proof = repaired(problem, start)
        print(f"  repair: {better.hidden.sum()} hidden, {time.perf_counter() - audited:.1f} s, passed {proof.passed}")
        if len(sizes) == 2:
            began = time.perf_counter()
            intervals(problem, better.hidden, better.hidden)
            each = 1000 * (time.perf_counter() - began) / 2 / better.hidden.sum()
            print(f"  both ends of every hidden cell: {each:.1f} ms per end")


if __name__ == "__main__":
    main()
