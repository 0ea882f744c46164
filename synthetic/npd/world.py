"""What all chunks share, and one chunk's pupils with all that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from datasets.catalogue import Catalogue
from datasets.variables import Variable
from synthetic.npd.attainment import Attainment, attain
from synthetic.npd.fit import Known, coded
from synthetic.npd.parquet import Coded
from synthetic.npd.pupils import Pupils, make_pupils
from synthetic.npd.schools import Schools, read_schools
from synthetic.npd.streams import Bools, Ints, stream

TERMS = ("AUT", "SPR", "SUM")
YEAR_GROUPS = ("R", *(str(i) for i in range(1, 14)))


@dataclass(frozen=True, eq=False)
class World:
    """years: the academic years of the cut, each by the year in which it ends."""

    catalogue: Catalogue
    folder: Path
    years: range
    seed: int

    @cached_property
    def schools(self) -> Schools:
        la = self.variable("schools", "la")
        region = ["" for _ in la.atoms]
        for banding in la.bandings:
            if banding.level == "REG":
                for code, group in zip(banding.codes, banding.groups, strict=True):
                    for atom in group:
                        region[atom] = code.code
        return read_schools(self.folder, self.codes("schools", "la"), region, self.seed)

    def variable(self, data_set: str, variable: str) -> Variable:
        found = self.catalogue.data_set(data_set)
        if found is None or variable not in found.by_name:
            raise ValueError(f"data_sets.{data_set}.variables.{variable}: the generator needs it in the catalogue")
        return found.by_name[variable]

    def codes(self, data_set: str, variable: str) -> tuple[str, ...]:
        return tuple(a.code for a in self.variable(data_set, variable).atoms)

    def la_of(self, school: Ints) -> Coded:
        return coded(self.codes("schools", "la"), self.schools.la[school])


@dataclass(frozen=True)
class Rows:
    """Rows of one file. who: the place of each row's pupil in the chunk. known: values by name of the variable."""

    who: Ints
    known: Mapping[str, Known]


@dataclass(frozen=True, eq=False)
class Chunk:
    world: World
    number: int
    pupil_numbers: range

    @cached_property
    def pupils(self) -> Pupils:
        w = self.world
        return make_pupils(w.seed, self.number, np.asarray(self.pupil_numbers, np.int64), w.years, w.schools)

    @cached_property
    def attainment(self) -> Attainment:
        return attain(self.world.seed, self.number, self.pupils)

    def stream(self, table: str, year: int) -> np.random.Generator:
        return stream(self.world.seed, table, year, self.number)

    def group(self, who: Ints, year: int) -> Ints:
        return self.pupils.group(year)[who]

    def school(self, who: Ints, year: int) -> Ints:
        return self.pupils.school[who, self.group(who, year)]

    def fsm(self, who: Ints, year: int) -> Bools:
        return self.pupils.fsm[who, self.group(who, year)]

    def sen(self, who: Ints, year: int) -> Ints:
        return self.pupils.sen[who, self.group(who, year)].astype(np.int64)

    def common(self, who: Ints, year: int) -> dict[str, Known]:
        """What most tables have."""
        return {
            "year": same(academic_year(year), who),
            "school": coded(self.world.schools.rows["code"], self.school(who, year)),
            "sex": coded(("F", "M"), self.pupils.male[who]),
            "year_group": coded(YEAR_GROUPS, self.group(who, year)),
        }


def same(text: str, who: Ints) -> Coded:
    """One code in all rows."""
    return coded((text,), np.zeros(len(who), np.uint8))


def academic_year(year: int) -> str:
    """As the catalogue writes the year that ends in `year`: 2024 is "202324"."""
    return f"{year - 1}{year % 100:02d}"
