"""The attack that the cell key method does not withstand: one count, asked as two parts, split in ever new ways.

`python -m benchmarks.split_averaging` prints the tables of docs/cell-key.md. Every record has a random 64-bit key, as
HMAC-SHA256 would give; a query splits the records of one count in two at random, as one more yes/no variable would.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from disclosure.cell_key import Flex, Parameters, PTable, maximum_entropy, perturbed, perturbed_sums
from disclosure.cell_key.keys import Keys, mixed
from disclosure.cell_key.lookup import changes
from disclosure.cell_key.strength import delta
from disclosure.rounding.random import by_key
from disclosure.tables import Integers

SEED = 20_260_401
TRIALS = 150
QUERIES = (10, 50, 100, 200, 400)
TABLES = {
    "D 5, V 1": Parameters(5, 1.0),
    "D 5, V 2": Parameters(5, 2.0),
    "D 5, V 3, js 2": Parameters(5, 3.0, 2),
    "D 8, V 3, js 2": Parameters(8, 3.0, 2),
    "D 9, V 5, js 3": Parameters(9, 5.0, 3),
    "D 10, V 5": Parameters(10, 5.0),
    "D 5, V 3, js 2, stay ½": Parameters(5, 3.0, 2, stay=0.5),
}
EPSILONS = (0.5, 1.0, 2.0, 4.0)
Release = Callable[[Integers, Keys], Integers]


def splits(rng: np.random.Generator, size: int, most: int) -> tuple[Integers, Keys]:
    """Counts and keys (queries, 2) of the two parts of one set of records."""
    keys = rng.integers(0, 2**64, size, np.uint64)
    first = rng.random((most, size)) < rng.uniform(0.1, 0.9, (most, 1))
    members = np.stack([first, ~first], axis=1)
    sums = np.where(members, keys, np.uint64(0)).sum(axis=2, dtype=np.uint64)
    return members.sum(axis=2, dtype=np.int64), sums


def recovered(release: Release) -> dict[int, float]:
    """Share of trials in which the rounded mean over the first queries is the exact count."""
    rng = np.random.default_rng(SEED)
    hits = dict.fromkeys(QUERIES, 0)
    for _ in range(TRIALS):
        size = int(rng.integers(30, 301))
        shown = release(*splits(rng, size, max(QUERIES))).sum(axis=1)
        for queries in QUERIES:
            hits[queries] += round(float(shown[:queries].mean())) == size
    return {queries: found / TRIALS for queries, found in hits.items()}


def halves(table: PTable, key: int, uniform: Callable[[Keys], Keys]) -> float:
    """Standard deviation of the sum of two parts of 100, over splits of a set whose key is given."""
    first = np.random.default_rng(SEED).integers(0, 2**64, 20_000, np.uint64)
    both = np.stack([first, np.uint64(key) - first])
    return float(changes(np.full(both.shape, 100, np.int64), uniform(both), table).sum(axis=0).std())


def sums(flex: Flex, table: PTable, contributors: int) -> tuple[float, float]:
    """Median and upper quartile of the relative change of sums of log-normal amounts (sigma 1.5, median 3,000)."""
    rng = np.random.default_rng(SEED)
    amounts = np.sort(np.rint(np.exp(rng.normal(np.log(3000), 1.5, (2000, contributors)))).astype(np.int64), axis=1)
    total, largest = amounts.sum(axis=1), amounts[:, : -len(flex.weights) - 1 : -1]
    shown = perturbed_sums(total, largest, rng.integers(0, 2**64, 2000, np.uint64), table, flex)
    found = np.abs(shown / total - 1)
    return float(np.median(found)), float(np.quantile(found, 0.75))


def line(name: str, *cells: str) -> None:
    print(f"| {' | '.join([name, *cells])} |")


def main() -> None:
    tables = {name: maximum_entropy(parameters) for name, parameters in TABLES.items()}
    line("exact after", *map(str, QUERIES))
    for name, table in tables.items():
        line(name, *(f"{share:.0%}" for share in recovered(lambda n, k, t=table: perturbed(n, k, t)).values()))
    for base in (3, 5, 10):
        shares = recovered(lambda n, k, b=base: by_key(n, mixed(k, b"random rounding"), b))
        line(f"random rounding, base {base}", *(f"{share:.0%}" for share in shares.values()))
    print()
    line("δ at ε", *map(str, EPSILONS), "from or to 0")
    for name, table in tables.items():
        line(name, *(f"{delta(table, e):.4f}" for e in EPSILONS), f"{delta(table, 4, least=0):.3f}")
    print()
    line("sd of the two parts together", "sums as they are", "sums mixed")
    for part in (0, 1, 2, 4):
        key = 2**64 * part // 8
        found = [halves(tables["D 10, V 5"], key, how) for how in (lambda k: k, lambda k: mixed(k, b"counts"))]
        line(f"key of the whole {part}/8 of the range", *(f"{sd:.2f}" for sd in found))
    print()
    fine = maximum_entropy(Parameters(20, 20.0))
    flex = Flex(small=0.2, large=0.03, point=1000, weights=(1.0, 0.5, 0.3), steps=4)
    line("contributors", "median", "upper quartile")
    for contributors in (3, 10, 30, 100):
        line(str(contributors), *(f"{share:.1%}" for share in sums(flex, fine, contributors)))


if __name__ == "__main__":
    main()
