"""The catalogue of a cut: what a custodian writes in TOML, as frozen types that cannot be wrong.

`catalogue_toml/` reads the file and reports every problem at once; this module is what it makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from datasets.variables import Code, TimePeriod, Variable


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a row unique, and so how many rows one pupil can have. Checked at ingest, never assumed.

    unit: the column with the pupil's identifier, or None where each row is one pupil. time: the time variable, or
    None. also: further variables that complete the key: no two rows agree in all of it. rows_per_period: most rows of
    one pupil in one time period (in the whole data set, where there is no time). bounded: further rows of a pupil are
    left out at ingest, chosen by a secret hash, instead of refusing the file.
    """

    unit: str | None
    time: str | None = None
    also: tuple[str, ...] = ()
    rows_per_period: int = 1
    bounded: bool = False

    @property
    def is_unique(self) -> bool:
        """Whether no two rows may agree in unit (if there is one), time and `also`."""
        return bool(self.also) or (self.unit is not None and self.rows_per_period == 1 and not self.bounded)


@dataclass(frozen=True, slots=True)
class Reference:
    """Values of `variable` must occur as values of `to_variable` in the data set `to`."""

    variable: str
    to: str
    to_variable: str


@dataclass(frozen=True, slots=True)
class Link:
    """From each row to the one row of another data set that it belongs to: of the same pupil, or of a public data set.

    on: (own variable, variable of the other) that agree. where: (variable of the other, its code). years_before: by how
    many academic years the other's time is earlier. take: (variable of the other, its name here). missing: the code
    where there is no such row; None where there must be one.
    """

    name: str
    to: str
    on: tuple[tuple[str, str], ...]
    where: tuple[tuple[str, str], ...]
    years_before: int
    take: tuple[tuple[str, str], ...]
    missing: Code | None


@dataclass(frozen=True, slots=True)
class Impossible:
    """No row has one of these atoms of every variable at once: (variable, its atoms) of two or more."""

    atoms: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class DataSet:
    """fixed: variables that have one value in all rows of a pupil; checked at ingest, or follows for linked and derived
    ones. record_keys: whether each stored row has a key, which the cell key method sums; it is no variable, so that no
    question can name it. public: about no pupil, and open to all. releases: (stage, month), in order. populated: first
    and last academic year, by the year in which it ends; last is None while it goes on. cubes: of which variables
    counts are kept; None for a choice by size.
    """

    id: str
    title: str
    description: str
    source: str
    key: Key
    variables: tuple[Variable, ...]
    sort_by: tuple[str, ...]
    max_rows: int
    references: tuple[Reference, ...] = ()
    fixed: tuple[str, ...] = ()
    record_keys: bool = False
    impossible: tuple[Impossible, ...] = ()
    public: bool = False
    links: tuple[Link, ...] = ()
    releases: tuple[tuple[str, str], ...] = ()
    populated: tuple[int, int | None] | None = None
    cubes: tuple[tuple[str, ...], ...] | None = None

    @cached_property
    def own(self) -> tuple[Variable, ...]:
        """Variables that the files have; ingest makes the others."""
        return tuple(v for v in self.variables if v.is_own)

    @cached_property
    def by_name(self) -> dict[str, Variable]:
        return {v.name: v for v in self.variables}

    @cached_property
    def domain(self) -> tuple[Variable, ...]:
        """Variables that criteria can speak of, in the order of the decision diagram."""
        return tuple(v for v in self.variables if v.atoms)

    @cached_property
    def levels_of(self) -> dict[str, int]:
        """Variable → its place in the order of the decision diagram."""
        return {v.name: level for level, v in enumerate(self.domain)}

    @cached_property
    def time(self) -> Variable | None:
        return next((v for v in self.variables if v.is_time), None)

    @cached_property
    def time_periods(self) -> tuple[TimePeriod, ...]:
        return tuple(p for p in (self.time.atoms if self.time else ()) if isinstance(p, TimePeriod))

    @cached_property
    def levels(self) -> dict[str, str]:
        """Geographic level → reference of the variable or banding that carries it."""
        found = {v.level: v.name for v in self.variables if v.level}
        found |= {b.level: f"{v.name}.{b.name}" for v in self.variables for b in v.bandings if b.level}
        return found


@dataclass(frozen=True)
class Catalogue:
    """One hosted population: several data sets, one privacy unit, one budget. twin: the cut with made-up pupils in the
    same shape, by its id, to be asked in place of this one; empty where there is none."""

    cut: str
    title: str
    unit: str
    synthetic: bool
    data_sets: tuple[DataSet, ...]
    digest: str
    twin: str = ""

    @property
    def provenance(self) -> str:
        return "synthetic" if self.synthetic else "hosted"

    def data_set(self, name: str) -> DataSet | None:
        return next((d for d in self.data_sets if d.id == name), None)
