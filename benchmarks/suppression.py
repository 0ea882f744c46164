"""How long secondary suppression takes, and how much it hides: `python -m benchmarks.suppression`.

Tables such as local authority × ethnicity × need, or with regions above the authorities: Poisson counts from a fixed
seed, all margins published, zeros shown.
"""

from __future__ import annotations

import time
from functools import reduce

import numpy as np

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.suppression.problem import CannotProtect, Problem
from disclosure.suppression.suppress import suppress

AREAS = Chain.plain(150)
REGIONS = Chain(150, (tuple(i % 20 for i in range(150)), (0,) * 20))
TABLES = {
    "150 x 20": ((AREAS, Chain.plain(20)), 600_000),
    "30 x 12 x 6": ((Chain.plain(30), Chain.plain(12), Chain.plain(6)), 200_000),
    "20 regions / 150 x 20": ((REGIONS, Chain.plain(20)), 600_000),
    "150 x 20 x 10": ((AREAS, Chain.plain(20), Chain.plain(10)), 600_000),
}


def table(chains: tuple[Chain, ...], pupils: int) -> Cube:
    """Areas of like sizes, other codes of very unlike ones."""
    rng = np.random.default_rng(1)
    shares = [rng.dirichlet(np.full(chain.size, 0.5 if place else 2.0)) for place, chain in enumerate(chains)]
    counts = rng.poisson(pupils * reduce(np.multiply.outer, shares)).astype(np.int64)
    dimensions = tuple(Dimension.of(chain) for chain in chains)
    return Cube(dimensions, add_totals(counts, dimensions))


def problem(cube: Cube, threshold: int) -> Problem:
    small, none = cube.values < threshold, np.zeros(cube.shape, np.bool_)
    empty = cube.values == 0
    return Problem(cube, small & ~empty, none, empty, 1, np.full(cube.shape, threshold - 1))


def main() -> None:
    print(
        f"{'table':24}{'threshold':>10}{'cells':>8}{'zeros':>8}{'primary':>9}{'hidden':>8}{'share':>8}{'seconds':>9}{'CPU':>8}"
    )
    for name, (chains, pupils) in TABLES.items():
        cube = table(chains, pupils)
        for threshold in (5, 10):
            asked = problem(cube, threshold)
            start, cpu = time.perf_counter(), time.process_time()
            try:
                hidden = int(suppress(asked).hidden.sum())
            except CannotProtect as refusal:
                print(f"{name:24}{threshold:10}  {refusal.reason}")
                continue
            passed, used = time.perf_counter() - start, time.process_time() - cpu
            counts = f"{cube.values.size:8}{int(asked.known.sum()):8}{int(asked.primary.sum()):9}{hidden:8}"
            print(f"{name:24}{threshold:10}{counts}{hidden / cube.values.size:8.1%}{passed:9.2f}{used:8.2f}")


if __name__ == "__main__":
    main()
