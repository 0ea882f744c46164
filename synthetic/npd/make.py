"""The source files of a whole cut: chunk by chunk of pupils, each chunk's tables one file per year (and term)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import local

import numpy as np

from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.npd import census
from synthetic.npd.cover import covered
from synthetic.npd.fit import fitted
from synthetic.npd.layout import CHANGED, LAST, Layout
from synthetic.npd.mess import CORRECTED, MORE_LATE, REPEATED, Draw, corrected, emptied, picked, some
from synthetic.npd.parquet import Column, Ids, Writer
from synthetic.npd.streams import stream
from synthetic.npd.tables import TABLES
from synthetic.npd.targets import Targets
from synthetic.npd.world import Chunk, Rows, World

Progress = Callable[[str, int, int], None]
"""Called with what begins now, and how many parts of how many are done; the last call has all done."""
LINES_PER_CHUNK = 50_000
Written = list[tuple[str, Path, int]]
"""Data set, file and rows of each."""


def silent(name: str, done: int, total: int) -> None:
    """Nobody watches."""


def make(
    catalogue: Path,
    folder: Path,
    pupils: int,
    years: range,
    seed: int,
    progress: Progress = silent,
    workers: int = 1,
) -> dict[str, list[Path]]:
    """Write Parquet files for every data set into `folder`; returns data set → its files, in order.

    catalogue: its folder, NPD's or one made from it; its list of schools says what each is. pupils: all who are of
    school age in any of the years, or two years younger; some 14 of years + 15 year groups are in one census. years:
    by the year in which the academic year ends; a data set has files for those that its catalogue knows. The same
    arguments give the same bytes, whatever the number of workers. Raises ValueError where the catalogue lacks what the
    generator knows, and what loading a catalogue raises.
    """
    world = World(load_catalogue(bundle(catalogue)), catalogue, years, seed)
    progress("schools", 0, 1)
    files: dict[str, list[Path]] = {d.id: [] for d in world.catalogue.data_sets}
    files["schools"].append(write_schools_of(world, folder)[1])
    for name, path, _ in write_chunks(chunks_of(world, pupils, LINES_PER_CHUNK), folder, progress, workers):
        files[name].append(path)
    return files


def chunks_of(world: World, pupils: int, size: int) -> list[Chunk]:
    """size: lines of a chunk, with little more pupils than those."""
    youngest = -2 if world.catalogue.data_set("early_years") else 0
    late = CHANGED + MORE_LATE * world.messiness
    targets = Targets(Layout(world.schools, world.years, pupils, size, (youngest, LAST), late), world.flat)
    return [Chunk(world, targets, i) for i in range(targets.layout.chunks)]


def write_chunks(
    chunks: Sequence[Chunk],
    folder: Path,
    progress: Progress,
    workers: int,
    only: str | None = None,
    as_csv: bool = False,
) -> Written:
    """All files of the chunks, or those of one data set, in the order of the chunks."""
    written: Written = []
    progress("pupils", 0, len(chunks))
    with ExitStack() as open_writers, ThreadPoolExecutor(workers) as pool:
        own = local()

        def write(chunk: Chunk) -> Written:
            if not hasattr(own, "writer"):
                own.writer = open_writers.enter_context(Writer(chunk.world.marks, as_csv))
            return _write_chunk(own.writer, chunk.anew(), folder, only)

        for done, files in enumerate(pool.map(write, chunks), 1):
            written += files
            progress("pupils", done, len(chunks))
    return written


def write_schools_of(world: World, folder: Path, as_csv: bool = False) -> tuple[str, Path, int]:
    data_set = world.catalogue.data_set("schools")
    if data_set is None:
        raise ValueError("data_sets.schools: the generator needs it in the catalogue")
    rows = census.schools(world.schools)
    with Writer(world.marks, as_csv) as writer:
        columns = fitted(data_set, rows.who, rows.known, lambda name: stream(world.seed, f"schools.{name}", 0, 0))
        return data_set.id, writer.write(folder / "schools" / "schools.parquet", columns), len(rows.who)


def _write_chunk(writer: Writer, chunk: Chunk, folder: Path, only: str | None) -> Written:
    return [
        (data_set.id, _write(writer, folder, chunk, data_set, year, part, rows), len(rows.who))
        for data_set in chunk.world.catalogue.data_sets
        if only in (None, data_set.id)
        for year in _years(data_set, chunk.world.years)
        for part, rows in TABLES[data_set.id](chunk, year)
        if len(rows.who)
    ]


def _years(data_set: DataSet, years: range) -> Iterator[int]:
    """Those that the data set has a code for."""
    if data_set.id in TABLES:
        known = {int(p.period[-4:]) for p in data_set.time_periods}
        yield from (year for year in years if year in known)


def _write(writer: Writer, folder: Path, chunk: Chunk, data_set: DataSet, year: int, part: str, rows: Rows) -> Path:
    """A file, named by what it holds: census/2024-SPR-000.parquet is the spring of 2023/24, the first chunk."""

    def draw(name: str) -> np.random.Generator:
        return chunk.stream(f"{data_set.id}.{name}.{part}", year)

    world, ids = chunk.world, chunk.pupils.numbers[rows.who]
    name = "-".join(text for text in (str(year), part, f"{chunk.number:03d}") if text)
    columns = fitted(data_set, ids, rows.known, draw, year)
    if world.coverage and chunk.number == 0 and part in ("", world.terms[0]):
        columns = covered(data_set, columns, year)
    columns, lost = emptied(data_set, columns, draw, world.messiness)
    world.spoilt.append(("missing", lost))
    if world.messiness and data_set.id == "census":
        _apart(writer, folder / "mess", name, columns, data_set, draw, world)
    return writer.write(folder / data_set.id / f"{name}.parquet", columns)


def _apart(
    writer: Writer, folder: Path, name: str, columns: dict[str, Column], data_set: DataSet, draw: Draw, world: World
) -> None:
    """Rows that ingest would refuse beside the others."""
    rows = len(next(c.numbers for c in columns.values() if isinstance(c, Ids)))
    for kind, share in (("duplicates", REPEATED), ("corrections", CORRECTED)):
        held = some(draw(kind), rows, share * world.messiness)
        world.spoilt.append((kind, len(held)))
        if len(held):
            again = {c: picked(column, held) for c, column in columns.items()}
            if kind == "corrections":
                again = corrected(again, data_set.by_name["fsm_eligible"].column)
            writer.write(folder / kind / f"census-{name}.parquet", again)
