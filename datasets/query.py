"""What is asked, as a tree. Building one checks shape only; `validate` checks it against a data set.

Words and shape of the criteria follow DfE's Explore Education Statistics (EES): and / or / not over facets.
Each leaf keeps the JSON path it came from, so that a problem can point at it; paths play no part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class Operator(StrEnum):
    EQ = "eq"
    NOT_EQ = "notEq"
    IN = "in"
    NOT_IN = "notIn"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"

    @property
    def is_ordered(self) -> bool:
        return self in (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)

    @property
    def is_negative(self) -> bool:
        return self in (Operator.NOT_EQ, Operator.NOT_IN)


@dataclass(frozen=True, slots=True)
class Codes:
    """A variable or one of its bandings ("la", "la.region") compared with codes."""

    reference: str
    operator: Operator
    codes: tuple[str, ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A location as EES writes it: geographic level and code."""

    level: str
    code: str


@dataclass(frozen=True, slots=True)
class Places:
    operator: Operator
    places: tuple[Place, ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Period:
    """A time period as EES writes it: "2022/2023" of kind "AY"."""

    period: str
    kind: str


@dataclass(frozen=True, slots=True)
class Periods:
    operator: Operator
    periods: tuple[Period, ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Criteria


Criteria: TypeAlias = And | Or | Not | Codes | Places | Periods


@dataclass(frozen=True, slots=True)
class Precision:
    """A wanted margin of error: half the width of the interval, in the measure's unit.

    confidence: None for the policy's. at: rows in the cell it is wanted for; a count's margin is the same for all.
    """

    margin: float
    confidence: float | None = None
    at: int = 1000


class Display(StrEnum):
    """How numbers are shown: as the policy publishes them, or unbiased, for further arithmetic."""

    PUBLISHED = "published"
    UNBIASED = "unbiased"


class Groups(StrEnum):
    """Which groups an answer shows: all that the code lists have, or those that are large enough to be listed."""

    ALL = "all"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Measure:
    """A statistic. codes: for a percentage, those that count; for a gap, the two groups. other: the second number of a
    pair. terms: what a model explains its variable by. of: the measures that a ratio or a gap compares.
    """

    id: str
    statistic: str
    variable: str | None = None
    codes: tuple[str, ...] = ()
    probabilities: tuple[Decimal, ...] = ()
    precision: Precision | None = None
    path: str = field(default="", compare=False)
    other: str | None = None
    terms: tuple[str, ...] = ()
    of: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """totals: coarser groupings to be shown too, made to add up. rho: the whole price in nano-ρ that the asker chose,
    or None for the policy's default per measurement.
    """

    data_set: str
    measures: tuple[Measure, ...]
    group_by: tuple[str, ...] = ()
    criteria: Criteria | None = None
    rho: int | None = None
    totals: tuple[tuple[str, ...], ...] = ()
    display: Display = Display.PUBLISHED
    groups: Groups = Groups.ALL


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request, in terms of public things only."""

    code: str
    message: str
    path: str


class InvalidQuery(Exception):
    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems
