"""What all chunks share, and one chunk's pupils with all that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from datasets.catalogue import Catalogue
from datasets.variables import Variable
from synthetic.npd.attainment import Attainment, attain
from synthetic.npd.fit import Known, coded
from synthetic.npd.lines import make_lines
from synthetic.npd.parquet import Coded
from synthetic.npd.pupils import Pupils, make_pupils
from synthetic.npd.schools import Schools, read_schools
from synthetic.npd.streams import Bools, Ints, stream
from synthetic.npd.targets import Targets

TERMS = ("AUT", "SPR", "SUM")
YEAR_GROUPS = ("R", *(str(i) for i in range(1, 14)))


@dataclass(frozen=True, eq=False)
class World:
    """years: the academic years of the cut, each by the year in which it ends. terms: of the censuses. flat: structure
    alone, see `targets`. marks: what each file says of itself. coverage, messiness: see `synthetic.plan`."""

    catalogue: Catalogue
    folder: Path
    years: range
    seed: int
    terms: tuple[str, ...] = TERMS
    flat: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)
    coverage: bool = False
    messiness: float = 0.0
    spoilt: list[tuple[str, int]] = field(default_factory=list)
    """What was spoilt on purpose, by kind, as it was."""

    def in_terms(self) -> Iterator[tuple[int, str]]:
        """Those of the censuses, each with its place in the year."""
        return ((place, term) for place, term in enumerate(TERMS) if term in self.terms)

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


class Lazy(Mapping[str, Known]):
    """Values by name of the variable, each made when it is asked for: a file may want few of them."""

    def __init__(self, makers: Mapping[str, Callable[[], Known]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> Known:
        return self._makers[name]()

    def __contains__(self, name: object) -> bool:
        """Without making it, as the mapping's own would."""
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True)
class Rows:
    """Rows of one file. who: the place of each row's pupil in the chunk. known: values by name of the variable."""

    who: Ints
    known: Mapping[str, Known]


@dataclass(frozen=True, eq=False)
class Chunk:
    world: World
    targets: Targets
    number: int

    def anew(self) -> Chunk:
        """The same, with nothing made yet: what a chunk has made goes when it goes."""
        return Chunk(self.world, self.targets, self.number)

    @cached_property
    def pupils(self) -> Pupils:
        return make_pupils(make_lines(self.targets, self.world.seed, self.number), self.targets.layout)

    @cached_property
    def attainment(self) -> Attainment:
        return attain(self.world.seed, self.number, self.pupils)

    def stream(self, table: str, year: int) -> np.random.Generator:
        return stream(self.world.seed, table, year, self.number)

    def group(self, who: Ints, year: int) -> Ints:
        return self.pupils.group(year)[who]

    def school(self, who: Ints, year: int) -> Ints:
        return self.pupils.school(who, year)

    def fsm(self, who: Ints, year: int) -> Bools:
        return self.pupils.fsm(who, year)

    def sen(self, who: Ints, year: int) -> Ints:
        return self.pupils.sen(who, year)

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
