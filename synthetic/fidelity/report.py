"""The fidelity report: what is said of a synthetic release, found by comparing it with a reference.

The reference is published tables, the noisy margins of a model, or rows of another cut with nobody in it. Comparing
with real rows is a release of them: noisy margins are bought for that, and the comparison is with those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from synthetic.fidelity.association import Associations, associations
from synthetic.fidelity.groups import GroupTable, Outcome, Transition, group_table, transition
from synthetic.fidelity.margins import Margin, Source, Variable
from synthetic.fidelity.variation import LIMIT, Variation, total_variation, variation
from synthetic.tiers import Tier


class Reference(StrEnum):
    """What a release may be compared with. REHEARSAL: rows of another cut that nobody is in."""

    PUBLISHED = "published tables"
    RELEASED = "the released tables that it was made from"
    MEASURED = "the noisy margins that the model was fitted to"
    PURCHASED = "fresh noisy margins of the hosted cut, charged to its ledger"
    REHEARSAL = "another cut with nobody in it"


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that the release is made to keep. sigma: of the noise in each of its cells, in pupils; None is exact."""

    names: tuple[str, ...]
    sigma: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """rules: how many are told of together. violations: rows, pupils or cells that break one."""

    label: str
    rules: int
    violations: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a fit cost. delta, epsilon: as the ledger converts rho."""

    rho: float
    epsilon: float
    delta: float

    @property
    def odds(self) -> float:
        """By what factor the release can change anybody's odds of anything about a pupil, but for a chance of delta."""
        return math.exp(self.epsilon)


@dataclass(frozen=True, slots=True)
class About:
    """What no comparison can tell. digest: sha256 of the files, or of the model. provenance: name → value, in order."""

    title: str
    tier: Tier
    release: str
    pupils: int
    digest: str
    provenance: dict[str, str] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    price: Price | None = None

    def __post_init__(self) -> None:
        if (self.tier is Tier.PRIVATE) != (self.price is not None):
            raise ValueError("price: a T3 release has one, others have none")
        if len(self.digest) != 64 or set(self.digest) - set("0123456789abcdef"):
            raise ValueError("digest: wants a sha256, 64 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown beside the margins. trend: a variable of time and what is followed over it."""

    transitions: tuple[tuple[str, str], ...] = ()
    trends: tuple[tuple[str, Outcome], ...] = ()
    subgroups: tuple[tuple[str, Outcome], ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class OneWay:
    variable: Variable
    source: Margin
    reference: Margin
    variation: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Codes of the public list that occur, and those that do not."""

    variable: Variable
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Report:
    about: About
    reference: Reference
    variations: tuple[Variation, ...]
    margins: tuple[OneWay, ...]
    associations: Associations
    transitions: tuple[Transition, ...]
    trends: tuple[GroupTable, ...]
    subgroups: tuple[GroupTable, ...]
    coverage: tuple[Coverage, ...]


def build(
    about: About, source: Source, reference: Source, kind: Reference, asked: Asked, limit: int = LIMIT, seed: int = 0
) -> Report:
    """limit, seed: how many sets of variables are compared at most, and which of them."""
    found = (variation(source, reference, ways, limit, seed) for ways in (1, 2, 3))
    tables = ((transition(source, reference, *pair)) for pair in asked.transitions)
    return Report(
        about,
        kind,
        tuple(v for v in found if v),
        tuple(_one_ways(source, reference)),
        associations(source, reference),
        tuple(t for t in tables if t),
        _groups(source, reference, asked.trends),
        _groups(source, reference, asked.subgroups),
        tuple(_coverage(source)),
    )


def _one_ways(source: Source, reference: Source) -> list[OneWay]:
    found = []
    for variable in source.variables:
        mine, theirs = source.margin((variable.name,)), reference.margin((variable.name,))
        if mine is not None and theirs is not None:
            found.append(OneWay(variable, mine, theirs, total_variation(mine, theirs)))
    return found


def _groups(source: Source, reference: Source, asked: Sequence[tuple[str, Outcome]]) -> tuple[GroupTable, ...]:
    found = (group_table(source, reference, by, outcome) for by, outcome in asked)
    return tuple(table for table in found if table)


def _coverage(source: Source) -> list[Coverage]:
    found = []
    for variable in source.variables:
        if (margin := source.margin((variable.name,))) is not None:
            there = margin.counts > 0
            found.append(Coverage(variable, tuple(c for c, is_ in zip(variable.codes, there, strict=True) if not is_)))
    return found
