"""Controlled rounding of tables with all their totals: how long it takes, and how much it changes beside the nearest.

`python -m benchmarks.controlled_rounding` prints the table of benchmarks/README.md.
"""

from __future__ import annotations

import math
import time

import numpy as np

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.rounding import CannotRound, RoundingMethod, nearest, rounded

PUPILS = 600_000


def grouped(size: int, each: int) -> Chain:
    """Codes in groups of so many."""
    groups = math.ceil(size / each)
    return Chain(size, (tuple(code // each for code in range(size)), (0,) * groups))


TABLES = {
    "20 × 10": (Chain.plain(20), Chain.plain(10)),
    "150 × 20": (Chain.plain(150), Chain.plain(20)),
    "150 in 10 × 20": (grouped(150, 15), Chain.plain(20)),
    "150 in 10 × 20 in 4": (grouped(150, 15), grouped(20, 5)),
    "500 × 90": (Chain.plain(500), Chain.plain(90)),
    "30 × 12 × 6": (Chain.plain(30), Chain.plain(12), Chain.plain(6)),
    "40 × 15 × 6": (Chain.plain(40), Chain.plain(15), Chain.plain(6)),
    "150 × 20 × 10": (Chain.plain(150), Chain.plain(20), Chain.plain(10)),
}


def cube(chains: tuple[Chain, ...]) -> Cube:
    """Poisson counts around independent shares."""
    rng = np.random.default_rng(1)
    shares = np.array(1.0)
    for chain in chains:
        shares = np.multiply.outer(shares, rng.dirichlet(np.ones(chain.size)))
    dimensions = tuple(Dimension.of(chain) for chain in chains)
    return Cube(dimensions, add_totals(rng.poisson(PUPILS * shares), dimensions))


def main() -> None:
    print("| table | cells with totals | base | seconds | within | change, to that of the nearest |")
    for name, chains in TABLES.items():
        exact = cube(chains)
        for base in (5,) if exact.values.size > 10_000 else (3, 5, 10):
            start = time.perf_counter()
            try:
                found = rounded(exact, RoundingMethod.CONTROLLED, base)
                least = np.abs(nearest(exact.values, base) - exact.values).sum()
                told = f"{found.within} | {np.abs(found.values - exact.values).sum() / least:.2f}"
            except CannotRound:
                told = "refused |"
            print(f"| {name} | {exact.values.size:,} | {base} | {time.perf_counter() - start:.2f} | {told} |")


if __name__ == "__main__":
    main()
