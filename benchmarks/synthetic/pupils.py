"""A wide file of pupils who do not exist: one row for each at the end of key stage 4, from our own generator.

The same arguments give the same rows. Bands of numbers stand here: nothing is looked up in the rows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.synthetic.table import Column, Table
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.npd import census, write_schools
from synthetic.npd.absence import missed
from synthetic.npd.attainment import NO_SCORE
from synthetic.npd.events import exclusions_year
from synthetic.npd.key_stages import ks4
from synthetic.npd.make import chunks_of
from synthetic.npd.pupils import ETHNICITIES, NEEDS, NONE
from synthetic.npd.schools import SPECIAL
from synthetic.npd.world import Chunk, World

SEED, SCHOOLS, PER_CHUNK = 20_261_201, 1_000, 50_000
YEARS, LEAVERS = range(2013, 2025), range(2018, 2025)
"""Of the cut, and those in which key stage 4 ends: of each pupil, six years are known."""
PER_LEAVER = 5
"""Pupils of all ages for each at the end of key stage 4 in those years, and some to spare."""
ROOT = Path(__file__).resolve().parents[2]
SCORES = (80, 90, 95, 98, 100, 102, 104, 106, 108, 110, 113)
"""Lowest scaled scores of bands; under the first is below the test."""
ATTAINMENT8 = (10, 20, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75)
ABSENCE = tuple(0.05 * i for i in range(1, 11))
Codes = npt.NDArray[np.int64]

COLUMNS = (
    Column("sex", 2),
    Column("ethnicity", len(ETHNICITIES)),
    Column("english_first", 2),
    Column("birth_month", 12),
    Column("region", 10),
    Column("special_school", 2),
    Column("fsm", 5),
    Column("sen_year_6", 3),
    Column("sen_year_11", 3),
    Column("need", 1 + len(NEEDS)),
    Column("idaci_decile", 10),
    Column("moved", 2),
    Column("arrived", 4),
    Column("ks2_reading", 2 + len(SCORES)),
    Column("ks2_maths", 2 + len(SCORES)),
    Column("ks4_english", 11),
    Column("ks4_maths", 11),
    Column("attainment8", 1 + len(ATTAINMENT8)),
    Column("ebacc_entered", 2),
    Column("triple_science", 2),
    Column("absence", 1 + len(ABSENCE)),
    Column("suspensions", 4),
)
NARROW = (
    "sex", "ethnicity", "region", "fsm", "sen_year_11", "idaci_decile", "ks2_reading", "ks2_maths",
    "ks4_english", "ks4_maths", "ebacc_entered", "absence", "suspensions",
)  # fmt: skip
"""The thirteen of the small file."""
SEVENTEEN = (
    "sex", "ethnicity", "english_first", "region", "special_school", "fsm", "sen_year_11", "need", "idaci_decile",
    "ks2_reading", "ks2_maths", "ks4_english", "ks4_maths", "attainment8", "ebacc_entered", "absence", "suspensions",
)  # fmt: skip
"""Without those that hardly depend on others."""


def wide(rows: int) -> Table:
    """So many pupils, all columns."""
    parts, found = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        for part in _parts(_world(Path(scratch)), rows):
            parts.append(part)
            found += len(part)
            if found >= rows:
                break
    return Table(COLUMNS, np.concatenate(parts)[:rows].astype(np.uint8))


def _world(scratch: Path) -> World:
    folder = scratch / "catalogue"
    shutil.copytree(ROOT / "datasets" / "npd", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    write_schools(folder, SCHOOLS)
    return World(load_catalogue(bundle(folder)), folder, YEARS, SEED)


def _parts(world: World, rows: int) -> Iterator[Codes]:
    for chunk in chunks_of(world, max(PER_LEAVER * rows, PER_CHUNK), PER_CHUNK):
        for year in LEAVERS:
            yield _leavers(chunk, year)


def _leavers(chunk: Chunk, year: int) -> Codes:
    """Codes of those on roll in Year 11 in the summer of that year."""
    who = chunk.pupils.in_group(year, 11)
    known = _background(chunk, who, year) | _attainment(chunk, who, year) | _conduct(chunk, who, year)
    return np.column_stack([known[column.name] for column in COLUMNS])


def _background(chunk: Chunk, who: Codes, year: int) -> dict[str, Codes]:
    p, schools = chunk.pupils, chunk.world.schools
    school = chunk.school(who, year)
    regions = sorted(set(schools.regions) - {""})
    sen, before = p.sen(who, year), p.sen(who, year - 5)
    fsm = np.stack([p.fsm(who, y) for y in range(year - 5, year + 1)])
    return {
        "sex": p.male[who].astype(np.int64),
        "ethnicity": p.ethnicity[who],
        "english_first": p.english[who].astype(np.int64),
        "birth_month": p.month[who],
        "region": np.array([regions.index(r) if r else 9 for r in schools.regions])[schools.la[school]],
        "special_school": (schools.kind[school] == SPECIAL).astype(np.int64),
        "fsm": _spells(fsm[0], fsm[1:].any(axis=0), fsm.all(axis=0)),
        "sen_year_6": before,
        "sen_year_11": sen,
        "need": np.where(sen == NONE, 0, 1 + p.need(who, year)),
        "idaci_decile": (census._idaci_rank(p, who) - 1) * 10 // census.SMALL_AREAS,
        "moved": (p.school(who, year - 4) != school).astype(np.int64),
        "arrived": np.searchsorted([1, 7, 10], p.first[who], side="right"),
    }


def _spells(primary: npt.NDArray[np.bool_], secondary: npt.NDArray[np.bool_], always: npt.NDArray[np.bool_]) -> Codes:
    """Never, in Year 6 only, later only, both, in all six years."""
    return np.where(always, 4, primary + 2 * secondary).astype(np.int64)


def _attainment(chunk: Chunk, who: Codes, year: int) -> dict[str, Codes]:
    a = chunk.attainment
    ((_, rows),) = ks4(chunk, year)
    known = {name: np.asarray(value) for name, value in rows.known.items() if isinstance(value, np.ndarray)}
    slots = np.stack([value for name, value in known.items() if name.startswith("slot_")])
    eighth = slots.sum(axis=0) + known["slot_maths"] + known["slot_english"] * known["english_pair"]
    absent = a.average[who] == NO_SCORE
    return {
        "ks2_reading": np.where(absent, 0, 1 + np.searchsorted(SCORES, a.ks2[who, 0], side="right")),
        "ks2_maths": np.where(absent, 0, 1 + np.searchsorted(SCORES, a.ks2[who, 1], side="right")),
        "ks4_english": np.where(known["english_entered"], 1 + known["slot_english"].astype(np.int64), 0),
        "ks4_maths": np.where(known["maths_entered"], 1 + known["slot_maths"].astype(np.int64), 0),
        "attainment8": np.searchsorted(ATTAINMENT8, eighth, side="right"),
        "ebacc_entered": known["ebacc_entered"].astype(np.int64),
        "triple_science": known["triple_science"].astype(np.int64),
    }


def _conduct(chunk: Chunk, who: Codes, year: int) -> dict[str, Codes]:
    everyone = len(chunk.pupils.numbers)
    rate, number = np.zeros(everyone), np.zeros(everyone, np.int64)
    found = missed(chunk, year)
    rate[found.of] = found.rate
    for _, rows in exclusions_year(chunk, year):
        number[rows.who] = np.asarray(rows.known["suspensions"])
    return {
        "absence": np.searchsorted(ABSENCE, rate[who], side="left"),
        "suspensions": np.minimum(number[who], 3),
    }
