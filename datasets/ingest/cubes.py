"""Count cubes of a data set: made of its stored table, kept beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from datasets.catalogue import Catalogue, DataSet
from datasets.cubes import Counts, Cube, CubeRefused, chosen, dtype_of, read_cube, save_cube, shape_of
from datasets.ingest.database import Database, IngestFailed, read_only
from datasets.ingest.manifest import CubeFile, DataSetFacts, SourceFile
from datasets.ingest.published import CutDamaged, Published, sha256
from datasets.ingest.sql import Sql, listed, name, sql


def write_cubes(database: Path, data_set: DataSet, folder: Path) -> tuple[CubeFile, ...]:
    """Count the stored table once for each cube that its catalogue chooses, into files of `folder`.

    database: written and closed. A file is named after what is in it, so that a cube of other rows is not taken for it.
    """
    with read_only(database) as stored:
        return tuple(_saved(folder, data_set, axes, _counted(stored, data_set, axes)) for axes in chosen(data_set))


def keep_cubes(before: Path, facts: DataSetFacts, data_set: DataSet, folder: Path) -> tuple[CubeFile, ...]:
    """Of a table that stays as it is: the same cubes, unless the catalogue now chooses others or makes them wider.

    before: the folder of the version that has them; folder: of the new one, where the database is already.
    """
    if not still_chosen(before, facts, data_set):
        if facts.database is None:
            raise ValueError("no database to count cubes in")
        return write_cubes(folder / facts.database.name, data_set, folder)
    for cube in facts.cubes:
        os.link(before / cube.file.name, folder / cube.file.name)
    return facts.cubes


def still_chosen(before: Path, facts: DataSetFacts, data_set: DataSet) -> bool:
    """Whether the cubes in `before` are those that the catalogue chooses."""
    try:
        known = tuple(read_cube(before / cube.file.name, data_set, cube.axes).axes for cube in facts.cubes)
    except CubeRefused:
        return False
    return known == chosen(data_set)


def open_cubes(published: Published, catalogue: Catalogue) -> Mapping[str, Sequence[Cube]]:
    """Of each data set, mapped into memory. Raises CutDamaged."""
    try:
        return {
            data_set.id: tuple(
                read_cube(published.path / cube.file.name, data_set, cube.axes)
                for cube in published.manifest.data_sets[data_set.id].cubes
            )
            for data_set in catalogue.data_sets
        }
    except CubeRefused as refused:
        raise CutDamaged(f"cut {published.cut}, version {published.version}: {refused}") from None


def _counted(database: Database, data_set: DataSet, axes: tuple[str, ...]) -> Counts:
    """Rows of each cell; IngestFailed where they are not all rows of the table."""
    counts, rows, table = np.zeros(shape_of(data_set, axes), dtype_of(data_set)), 0, name(data_set.id)
    columns = [name(data_set.by_name[axis].stored_atoms) for axis in axes]
    codes = listed(sql("enum_code({column})", column=column) for column in columns)
    count = sql("SELECT {codes}, count(*) FROM {table}", codes=codes, table=table)
    for part, values in _parts(data_set):
        counted = sql("{count} {part} GROUP BY {columns}", count=count, part=part, columns=listed(columns))
        *places, numbers = database.arrays(counted, **values)
        counts[tuple(places)] = numbers
        rows += int(numbers.sum())
    if rows != database.one(sql("SELECT count(*) FROM {table}", table=table)):
        raise IngestFailed(f"data set {data_set.id}: a cube does not count every record")
    return counts


def _parts(data_set: DataSet) -> Iterable[tuple[Sql, dict[str, str]]]:
    """The rows of one period after the other, as they are stored, so that memory is that of one period's cells."""
    if data_set.time is None:
        yield Sql(""), {}
        return
    for period in data_set.time_periods:
        yield sql("WHERE {time} = $period", time=name(data_set.time.name)), {"period": period.code}


def _saved(folder: Path, data_set: DataSet, axes: tuple[str, ...], counts: Counts) -> CubeFile:
    new = folder / f"{data_set.id}.new.npy"
    save_cube(new, counts)
    digest = sha256(new)
    file = new.rename(folder / f"{data_set.id}.{digest[:16]}.npy")
    return CubeFile(axes, SourceFile(file.name, file.stat().st_size, digest))
