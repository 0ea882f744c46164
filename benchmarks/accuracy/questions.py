"""The questions, in words that all three systems share. Standard library only: the peers import it too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BOUNDS = {"gcse": (0.0, 8.0), "score": (0.0, 10.0)}
FLAGS = {"persistent", "grade_a"}
STEP = 0.01
"""Width of the bins (ours) and distance of the candidates (OpenDP) for quantiles of gcse."""
DECILES = tuple(f"0.{i}" for i in range(1, 10))


class Kind(StrEnum):
    COUNT = "count"
    MEAN = "mean"
    SHARE = "share"
    SD = "sd"
    QUANTILE = "quantile"


COLUMNS = {Kind.COUNT: 1, Kind.SHARE: 1, Kind.MEAN: 2, Kind.SD: 3}
"""Noisy numbers per cell, or per cell and flag, that a system must buy which does not know them from elsewhere."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One table: a statistic, of a number or a flag, by variables. An answer maps codes (and the probability) to it."""

    kind: Kind
    by: tuple[str, ...] = ()
    of: str = ""
    probabilities: tuple[str, ...] = ()

    @property
    def columns(self) -> int:
        return COLUMNS.get(self.kind, len(self.probabilities))

    @property
    def bounds(self) -> tuple[float, float] | None:
        """What the answer can be at all; counts are left as they are, also below zero."""
        match self.kind:
            case Kind.COUNT:
                return None
            case Kind.SHARE:
                return 0.0, 100.0
            case Kind.SD:
                return 0.0, (BOUNDS[self.of][1] - BOUNDS[self.of][0]) / 2
            case _:
                return BOUNDS[self.of]

    def __str__(self) -> str:
        what = "count" if self.kind is Kind.COUNT else f"{self.kind} of {self.of}"
        return f"{what} by {' × '.join(self.by)}" if self.by else f"{what}, overall"


class Over(StrEnum):
    """How the errors of several tables under one total become one number."""

    ONE = "one table"
    MARGINS = "mean over the margins"
    SESSION = "geometric mean over the queries"


@dataclass(frozen=True, slots=True)
class Question:
    """One total (ε, δ) for all of `asks`."""

    id: str
    title: str
    data: str
    unit: str
    asks: tuple[Ask, ...]
    over: Over = Over.ONE


def _one(
    id: str, title: str, data: str, unit: str, kind: Kind, *by: str, of: str = "", p: tuple[str, ...] = ()
) -> Question:
    return Question(id, title, data, unit, (Ask(kind, by, of, p),))


MARGINS = tuple(Ask(Kind.COUNT, by) for by in ((), ("region",), ("la",), ("la", "fsm")))
SESSION = (
    Ask(Kind.COUNT, ("lea",)),
    Ask(Kind.COUNT, ("sex",)),
    Ask(Kind.COUNT, ("lea", "sex")),
    Ask(Kind.COUNT, ("grade",)),
    Ask(Kind.COUNT, ("grade", "sex")),
    Ask(Kind.MEAN, ("lea",), "gcse"),
    Ask(Kind.MEAN, ("sex",), "gcse"),
    Ask(Kind.MEAN, ("lea",), "score"),
    Ask(Kind.MEAN, ("sex",), "score"),
    Ask(Kind.MEAN, ("lea", "sex"), "score"),
    Ask(Kind.COUNT, ("lea",)),  # again, by a colleague
    Ask(Kind.COUNT, ("sex", "lea")),  # the same as the third, written the other way round
    Ask(Kind.SHARE, ("lea",), "grade_a"),
    Ask(Kind.SHARE, ("sex",), "grade_a"),
    Ask(Kind.MEAN, ("lea", "sex"), "gcse"),
    Ask(Kind.COUNT, ("band",)),
    Ask(Kind.COUNT, ("band", "sex")),
    Ask(Kind.MEAN, ("lea",), "gcse"),  # again
    Ask(Kind.COUNT),
    Ask(Kind.SD, ("sex",), "gcse"),
)

QUESTIONS = (
    _one("1", "pupils by region", "absence", "pupils", Kind.COUNT, "region"),
    _one("2", "pupils by LA", "absence", "pupils", Kind.COUNT, "la"),
    _one("3", "pupils by LA × year group", "absence", "pupils", Kind.COUNT, "la", "year_group"),
    _one("4", "mean GCSE score by LEA", "chem97", "points", Kind.MEAN, "lea", of="gcse"),
    _one("5", "mean A-level points by LEA × sex", "chem97", "points", Kind.MEAN, "lea", "sex", of="score"),
    _one("6a", "mean GCSE score, overall", "chem97", "points", Kind.MEAN, of="gcse"),
    _one("6b", "mean GCSE score by age (quarters)", "chem97", "points", Kind.MEAN, "quarter", of="gcse"),
    _one("7", "persistent absence by LA", "absence", "% points", Kind.SHARE, "la", of="persistent"),
    _one("8a", "median GCSE score, overall", "chem97", "points", Kind.QUANTILE, of="gcse", p=("0.5",)),
    _one("8b", "median GCSE score by sex", "chem97", "points", Kind.QUANTILE, "sex", of="gcse", p=("0.5",)),
    _one("9", "deciles of GCSE score, overall", "chem97", "points", Kind.QUANTILE, of="gcse", p=DECILES),
    Question("10", "pupils: nation, region, LA, LA × FSM", "absence", "pupils", MARGINS, Over.MARGINS),
    Question("11", "session of 20 queries", "chem97", "(mixed)", SESSION, Over.SESSION),
    _one("12", "sd of GCSE score by age (quarters)", "chem97", "points", Kind.SD, "quarter", of="gcse"),
)
