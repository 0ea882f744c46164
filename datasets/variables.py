"""Variables: what each column of a data set means, and the finite domain that questions are asked over."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets.derive.expression import Expression


class Sensitivity(StrEnum):
    """NPD's sensitivity classes. A (never used outside DfE) cannot stand in a catalogue."""

    B = "B"
    C = "C"
    D = "D"
    E = "E"

    @property
    def needs_grant(self) -> bool:
        """Highly sensitive or special-category data: a project needs a grant for each such variable."""
        return self in (Sensitivity.B, Sensitivity.D)


@dataclass(frozen=True, slots=True)
class Code:
    """One member of a finite domain: the code that people write, and its label. since, until: when it is in use."""

    code: str
    label: str
    since: str = field(default="", kw_only=True)
    until: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class TimePeriod(Code):
    """A code of the time variable with its EES form, e.g. period "2022/2023", kind "AY"."""

    period: str
    kind: str


@dataclass(frozen=True, slots=True)
class Banding:
    """A coarser grouping of a variable's atoms. ``groups[i]`` are the atoms of band ``codes[i]``.

    Atoms in no group are outside the banding (they drop out of a table grouped by it). ``level`` is the geographic
    level that the bands stand for; ``checked_against`` a column of the source file that must say the same.
    """

    name: str
    label: str
    codes: tuple[Code, ...]
    groups: tuple[tuple[int, ...], ...]
    level: str | None = None
    checked_against: str | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """A numeric variable's arithmetic. Stored values are integer ticks: value / step.

    range: the valid values (ingest refuses others). clamp: the bounds of sums, in ticks; a value beyond counts as
    the bound. edges: the bounds of the atoms, in ticks, rising; each atom is [edge, next), the last one closed.
    """

    step: Decimal
    lowest: int
    highest: int
    clamp: tuple[int, int]
    edges: tuple[int, ...]
    optional: bool
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of a variable in files of NPD, e.g. "FSMeligible_[term][yy]". first, last: the years, by the year in
    which the academic year ends, in which files have it; last is None while they do."""

    pattern: str
    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Linked:
    """Where a linked variable comes from: a link of its data set, and the variable of the other data set."""

    link: str
    data_set: str
    variable: str


@dataclass(frozen=True, slots=True)
class Variable:
    """``atoms`` is the finest domain that criteria can tell apart: codes, or the bins of a number.

    A numeric variable without declared bins has no atoms: it can be summed and averaged, not filtered or grouped.
    An optional number has a last atom, "missing". granted_as: the name that a grant of a class B or D variable may
    have, where it is linked from another data set. aliases, concept, populated (first and last year, or None) and
    needs_justification describe it to people.
    """

    name: str
    column: str
    label: str
    description: str
    identifiability: int
    sensitivity: Sensitivity
    atoms: tuple[Code, ...]
    bandings: tuple[Banding, ...]
    level: str | None = None
    numbers: Numbers | None = None
    is_time: bool = False
    missing: str | None = None
    recode: tuple[tuple[str, str], ...] = ()
    aliases: tuple[Alias, ...] = ()
    concept: str = ""
    populated: tuple[int, int | None] | None = None
    needs_justification: bool = False
    derived: Expression | None = None
    linked: Linked | None = None
    granted_as: str = ""

    @property
    def stored_atoms(self) -> str:
        """Name of the stored ENUM column that holds the atom."""
        return f"{self.name}.bin" if self.numbers else self.name

    @property
    def is_own(self) -> bool:
        """Whether files have it; else ingest makes it."""
        return self.derived is None and self.linked is None

    @property
    def needs_banding(self) -> bool:
        """Class 4 (high risk of re-identification): never by its single values."""
        return self.identifiability == 4

    def stored_banding(self, banding: Banding) -> str:
        return f"{self.name}.{banding.name}"

    def banding(self, name: str) -> Banding | None:
        return next((b for b in self.bandings if b.name == name), None)
