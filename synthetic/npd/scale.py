"""School censuses alone, at the size of NPD and beyond, for benchmarks."""

from __future__ import annotations

from pathlib import Path

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.npd.make import Progress, chunks_of, silent, write_chunks, write_schools_of
from synthetic.npd.world import TERMS, World

PUPILS_PER_CHUNK, SAMPLE = 200_000, 20_000


def make_census(
    catalogue: Path,
    folder: Path,
    rows: int,
    years: range,
    seed: int,
    progress: Progress = silent,
    workers: int = 1,
) -> dict[str, list[Path]]:
    """Write the files of `census`, some `rows` rows over the years and their three terms, and of `schools`.

    As `make` otherwise. A worker takes some 400 MB, whatever the number of rows.
    """
    world = World(load_catalogue(bundle(catalogue)), catalogue, years, seed)
    files = {"schools": [write_schools_of(world, folder)[1]], "census": list[Path]()}
    chunks = chunks_of(world, _pupils_for(world, rows), PUPILS_PER_CHUNK)
    for name, path, _ in write_chunks(chunks, folder, progress, workers, only="census"):
        files[name].append(path)
    return files


def _pupils_for(world: World, rows: int) -> int:
    """So many pupils as have the rows, judged by a sample."""
    sample = chunks_of(world, SAMPLE, SAMPLE)[0]
    found = sum(len(sample.pupils.on_roll(year, term)) for year in world.years for term in range(len(TERMS)))
    return max(1, round(rows * SAMPLE / max(found, 1)))
