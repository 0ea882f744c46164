"""What all chunks share, and one chunk's pupils with all that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datasets.catalogue import Catalogue
from synthetic.npd.attainment import Attainment, attain
from synthetic.npd.fit import Coded, Known, coded
from synthetic.npd.pupils import Pupils, make_pupils
from synthetic.npd.schools import Schools, place_schools
from synthetic.npd.streams import Ints, stream

TERMS = ("AUT", "SPR", "SUM")
YEAR_GROUPS = ("R", *(str(i) for i in range(1, 14)))


@dataclass(frozen=True)
class World:
    """years: the academic years of the cut, each by the year in which it ends."""

    catalogue: Catalogue
    years: range
    seed: int

    @cached_property
    def school_codes(self) -> tuple[str, ...]:
        return self._codes("schools", "school")

    @cached_property
    def la_codes(self) -> tuple[str, ...]:
        return self._codes("schools", "la")

    def _codes(self, data_set: str, variable: str) -> tuple[str, ...]:
        found = self.catalogue.data_set(data_set)
        if found is None or variable not in found.by_name:
            raise ValueError(f"data_sets.{data_set}.variables.{variable}: the generator needs it in the catalogue")
        return tuple(a.code for a in found.by_name[variable].atoms)

    @cached_property
    def schools(self) -> Schools:
        return place_schools(len(self.school_codes), self._regions(), self.seed)

    def _regions(self) -> list[str]:
        """The region of each authority, by the banding of level REG."""
        data_set = self.catalogue.data_set("schools")
        la = data_set.by_name["la"] if data_set else None
        region = ["" for _ in self.la_codes]
        for banding in la.bandings if la else ():
            if banding.level == "REG":
                for code, group in zip(banding.codes, banding.groups, strict=True):
                    for atom in group:
                        region[atom] = code.code
        return region


@dataclass(frozen=True)
class Rows:
    """Rows of one file. who: the place of each row's pupil in the chunk. known: values by name of the variable."""

    who: Ints
    known: Mapping[str, Known]


@dataclass(frozen=True)
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

    def fsm(self, who: Ints, year: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return self.pupils.fsm[who, self.group(who, year)]

    def sen(self, who: Ints, year: int) -> Ints:
        return self.pupils.sen[who, self.group(who, year)].astype(np.int64)

    def phase(self, who: Ints, year: int) -> Ints:
        """Of the school."""
        return self.world.schools.phase[self.school(who, year)]

    def in_school(self, who: Ints, year: int) -> Coded:
        return coded(self.world.school_codes, self.school(who, year))


def same(text: str, who: Ints) -> Coded:
    """One code in all rows."""
    return coded((text,), np.zeros(len(who), np.uint8))


def academic_year(year: int) -> str:
    """As the catalogue writes the year that ends in `year`: 2024 is "202324"."""
    return f"{year - 1}{year % 100:02d}"
