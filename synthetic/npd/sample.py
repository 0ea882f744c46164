"""Pupils of one kind: rows of a data set that meet a condition, as many as are asked for or none at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic import manifest
from synthetic.npd import census
from synthetic.npd.fit import coded, fitted
from synthetic.npd.make import LINES_PER_CHUNK, chunks_of
from synthetic.npd.mess import picked
from synthetic.npd.parquet import Coded, Column, Ids, Ticks, Writer
from synthetic.npd.streams import Ints
from synthetic.npd.tables import TABLES
from synthetic.npd.where import Where
from synthetic.npd.world import Chunk, Lazy, Rows, World
from synthetic.plan import Plan

OF_SCHOOL = "school_"


def sample(
    n: int, where: str, out: Path, catalogue: Path, plan: Plan, data_set: str = "census", as_csv: bool = False
) -> Path:
    """Write n rows of the plan's last year for which the condition holds, in the plan's first term where there are
    terms.

    where: an expression of the catalogue's language over the variables of the data set, derived ones and those linked
    from its school among them. The rows are those that `make` would write of the first such pupils, under numbers of
    their own. Raises ValueError where the condition cannot be asked, or the plan has fewer such rows: never fewer rows
    than n.
    """
    if n < 1:
        raise ValueError("n: wants a number of rows from 1")
    loaded = load_catalogue(bundle(catalogue))
    found = loaded.data_set(data_set)
    if found is None or data_set not in TABLES:
        raise ValueError(f"data_set: wants one of {', '.join(TABLES)}")
    condition = Where(where, found)
    year = plan.years[-1:]
    world = World(
        loaded, catalogue, year, plan.seed, plan.terms[:1], plan.tier == "T0", manifest.provenance(plan, loaded.digest)
    )
    parts: list[dict[str, Column]] = []
    rows = 0
    for chunk in chunks_of(world, plan.pupils, LINES_PER_CHUNK):
        for part in _matching(chunk.anew(), found, year[0], condition, n - rows):
            parts.append(part)
            rows += _length(part)
        if rows == n:
            break
    if rows < n:
        raise ValueError(
            f"where: {rows} of the plan's {plan.pupils:,} pupils have such a row, not {n}; "
            "wants more pupils or a wider condition"
        )
    with Writer(world.marks, as_csv) as writer:
        return writer.write(out, {name: _joined([part[name] for part in parts]) for name in parts[0]})


def _matching(chunk: Chunk, data_set: DataSet, year: int, where: Where, most: int) -> Iterator[dict[str, Column]]:
    for part, rows in _tables(chunk, data_set, year):
        asked = _columns(chunk, data_set, year, part, rows, where.own)
        held = np.flatnonzero(where.holds({**asked, **_schools(chunk, rows, year, where)}))[:most]
        most -= len(held)
        if len(held):
            yield _taken(chunk, data_set, year, part, rows, held)


def _tables(chunk: Chunk, data_set: DataSet, year: int) -> Iterator[tuple[str, Rows]]:
    yield from TABLES[data_set.id](chunk, year)


def _columns(
    chunk: Chunk, data_set: DataSet, year: int, part: str, rows: Rows, wanted: frozenset[str]
) -> Mapping[str, Column]:
    """Of those variables alone, by their names, as the file would have them."""
    few = replace(data_set, variables=tuple(v for v in data_set.variables if v.name in wanted and v.is_own))
    draw = lambda name: chunk.stream(f"{data_set.id}.{name}.{part}", year)  # noqa: E731
    columns = fitted(few, chunk.pupils.numbers[rows.who], rows.known, draw, year)
    return {v.name: columns[v.column] for v in few.own}


def _schools(chunk: Chunk, rows: Rows, year: int, where: Where) -> dict[str, Column]:
    """Linked variables of the school of each row."""
    wanted = {name for name in where.own if name.startswith(OF_SCHOOL)}
    listed = {name: chunk.world.schools.rows.get(name.removeprefix(OF_SCHOOL)) for name in wanted}
    school = chunk.school(rows.who, year)
    found: dict[str, Column] = {}
    for name, values in listed.items():
        if values is not None:
            texts = tuple(dict.fromkeys(values))
            found[name] = coded(texts, np.array([texts.index(v) for v in values])[school])
    return found


def _taken(chunk: Chunk, data_set: DataSet, year: int, part: str, rows: Rows, held: Ints) -> dict[str, Column]:
    """All columns of the rows held. Those of the census are made for them alone, others for all of the chunk."""
    draw = lambda name: chunk.stream(f"{data_set.id}.{name}.{part}", year)  # noqa: E731
    if isinstance(rows.known, Lazy):
        rows, held = census.census_of(chunk, rows.who[held], year, part), np.arange(len(held))
    columns = fitted(data_set, chunk.pupils.numbers[rows.who], rows.known, draw, year)
    return {name: picked(column, held) for name, column in columns.items()}


def _length(part: Mapping[str, Column]) -> int:
    column = next(iter(part.values()))
    return len(
        column.index if isinstance(column, Coded) else column.numbers if isinstance(column, Ids) else column.ticks
    )


def _joined(parts: list[Column]) -> Column:
    first = parts[0]
    if isinstance(first, Ids):
        return Ids(np.concatenate([p.numbers for p in parts if isinstance(p, Ids)]))
    if isinstance(first, Ticks):
        ticks = [p for p in parts if isinstance(p, Ticks)]
        missing = [np.zeros(len(p.ticks), np.bool_) if p.missing is None else p.missing for p in ticks]
        return Ticks(first.step, np.concatenate([p.ticks for p in ticks]), np.concatenate(missing))
    some = [p for p in parts if isinstance(p, Coded)]
    texts = tuple(dict.fromkeys(text for p in some for text in p.texts))
    place = {text: i for i, text in enumerate(texts)}
    return coded(texts, np.concatenate([np.array([*(place[t] for t in p.texts), -1])[p.index] for p in some]))
