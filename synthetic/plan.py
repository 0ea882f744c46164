"""What is to be made: everything that the bytes of a synthetic release follow from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TIERS = ("T0", "T1")
FEWEST, MOST = 1_000, 10_000_000
FIRST_YEAR, LAST_YEAR = 2006, 2100
NAME = re.compile(r"^[a-z][a-z0-9_]*$")
TERMS = ("AUT", "SPR", "SUM")


@dataclass(frozen=True, slots=True)
class Plan:
    """tier: T0, structure alone (schema, codes, keys and rules hold, shares are even); T1, calibrated to published
    figures. pupils: all who are on any roll of the years, or two years younger. years: by the year in which an
    academic year ends. tables: data sets and of each the variables wanted, none for all of them; {} for all data sets.
    terms: of the censuses. coverage: every code that is in use in the years occurs. messiness: from 0 to 1, see
    `synthetic.npd.mess`. schools: how long the list of schools is to be; 0 leaves it as the catalogue has it.

    Raises ValueError that names the field and what it wants.
    """

    pupils: int
    years: range
    seed: int = 1
    tier: str = "T1"
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[str, ...] = TERMS
    coverage: bool = False
    messiness: float = 0.0
    schools: int = 0

    def __post_init__(self) -> None:
        _want(self.tier in TIERS, "tier", f"one of {', '.join(TIERS)}")
        _want(_whole(self.pupils) and FEWEST <= self.pupils <= MOST, "pupils", f"from {FEWEST:,} to {MOST:,}")
        inside = isinstance(self.years, range) and self.years.step == 1 and len(self.years) > 0
        _want(
            inside and self.years[0] >= FIRST_YEAR and self.years[-1] <= LAST_YEAR,
            "years",
            "a range of years from 2006 on",
        )
        _want(_whole(self.seed) and 0 <= self.seed < 2**63, "seed", "a whole number from 0")
        names = [*self.tables, *(v for several in self.tables.values() for v in several)]
        _want(
            all(isinstance(n, str) and NAME.match(n) for n in names), "tables", "names of data sets and their variables"
        )
        _want(bool(self.terms) and set(self.terms) <= set(TERMS), "terms", f"some of {', '.join(TERMS)}")
        _want(isinstance(self.coverage, bool), "coverage", "true or false")
        _want(isinstance(self.messiness, int | float) and 0 <= self.messiness <= 1, "messiness", "a number from 0 to 1")
        _want(_whole(self.schools) and self.schools >= 0, "schools", "a number of schools, or 0")

    @property
    def keeps_claims(self) -> bool:
        """Whether the published margins are met exactly: shares are not even, nothing was spoilt, no code was put
        in."""
        return self.tier == "T1" and self.messiness == 0 and not self.coverage


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _want(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{name}: wants {wanted}")
