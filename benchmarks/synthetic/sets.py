"""The tables that all methods are given, and what is foretold in each."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.synthetic import absence, own, pupils
from benchmarks.synthetic.table import Table, load

ROOT = Path(__file__).resolve().parents[2]
TEST_ROWS, TEST_SEED = 120_000, 2


@dataclass(frozen=True)
class Set:
    """make: (folder of the real files) → the rows to fit to, and rows to test on that no method sees.

    target, least: the column to foretell from all others, and the least code that counts as yes.
    """

    title: str
    make: Callable[[Path], tuple[Table, Table]]
    target: str
    least: int
    peers: bool = True


def _pupils(rows: int, columns: Sequence[str] | None = None) -> tuple[Table, Table]:
    """columns: all of them without."""
    every = pupils.wide(rows + TEST_ROWS)
    if columns:
        every = every.only(columns)
    return every.with_codes(every.codes[:rows]), every.with_codes(every.codes[rows:])


def _absence(shared: Path, rows: int | None) -> tuple[Table, Table]:
    with (ROOT / "datasets" / "npd" / "codes" / "la_ever.csv").open(newline="", encoding="utf-8") as file:
        authorities = list(dict.fromkeys(r["old_code"] for r in csv.DictReader(file) if r["old_code"]))
    every = absence.read(shared, authorities)
    total = len(every.codes)
    unseen = np.random.default_rng(TEST_SEED).choice(total, TEST_ROWS, replace=False)
    if rows is None:
        kept = np.setdiff1d(np.arange(total), unseen)
    else:
        kept = np.sort(np.random.default_rng(absence.SEED).choice(total, rows, replace=False))
    return every.with_codes(every.codes[kept]), every.with_codes(every.codes[np.setdiff1d(unseen, kept)])


SETS = {
    "pupils-13": Set("39,000 pupils × 13 columns, made up", lambda _: _pupils(39_000, pupils.NARROW), "ks4_maths", 6),
    "absence-480k": Set(
        "absence microdata, 480,000 of its rows × 8", lambda s: _absence(s, 480_000), "absence_band", 2
    ),
    "pupils-17": Set(
        "480,000 pupils × 17 columns, made up", lambda _: _pupils(480_000, pupils.SEVENTEEN), "ks4_maths", 6, False
    ),
    "pupils-22": Set("480,000 pupils × 22 columns, made up", lambda _: _pupils(480_000), "ks4_maths", 6),
    "absence": Set("absence microdata, all rows × 8", lambda s: _absence(s, None), "absence_band", 2, False),
}


def of_file(file: Path, target: str) -> Set:
    """A table of one's own, of which a fifth is kept to test on."""
    every = own.read(file)
    order = np.random.default_rng(TEST_SEED).permutation(len(every.codes))
    kept = len(order) * 4 // 5
    parts = every.with_codes(every.codes[order[:kept]]), every.with_codes(every.codes[order[kept:]])
    title = f"{file.name}, {kept:,} of its rows × {len(every.columns)}"
    return Set(title, lambda _: parts, target, own.least(every, target))


def prepared(name: str, of: Set, shared: Path, cache: Path) -> tuple[Path, Table, Path]:
    """Where the table is, the table, and where the rows to test on are. Made again where they are not in the cache, and
    always of a file of one's own, which may be another by now."""
    stem, test = cache / name, cache / f"{name}-test"
    if name not in SETS or not (stem.with_suffix(".json").is_file() and test.with_suffix(".json").is_file()):
        fitted, unseen = of.make(shared)
        unseen.save(test)
        fitted.save(stem)
    return stem, load(stem), test
