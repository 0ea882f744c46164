"""Remove what earlier runs kept and no current version needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.ingest.folder import CURRENT, PARTS, locked, remove_leftovers
from datasets.ingest.parts import part_path
from datasets.ingest.published import open_current


@dataclass(frozen=True, slots=True)
class Pruned:
    """Files that were removed, and the bytes they took."""

    files: int
    bytes: int


def prune(cuts: Path, cut: str, every: bool = False) -> Pruned:
    """Remove the parts that the current version was not made of, or every part; and what killed runs left.

    No version changes. A file whose part is gone is read again by the next ingest that is given it.
    """
    home = cuts / cut
    with locked(home) as folder:
        remove_leftovers(folder)
        needed = set() if every or not (home / CURRENT).is_file() else _needed(cuts, cut)
        gone = [path for path in (folder / PARTS).glob("*") if path not in needed]
        size = sum(path.stat().st_size for path in gone)
        for path in gone:
            path.unlink()
    return Pruned(len(gone), size)


def _needed(cuts: Path, cut: str) -> set[Path]:
    facts = open_current(cuts, cut).manifest.data_sets.values()
    return {part_path(cuts / cut / PARTS, key) for one in facts for key in one.parts}
