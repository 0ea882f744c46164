"""Kinds of statistics ("statbarns"): what each risks, and what is looked at before a number of the kind may leave.

A statistic belongs to one kind; kinds, not statistics, have risks. Source: the SACRO project's statbarns, as in the
ontology of ACRO (github.com/AI-SDC/ACRO). Names of statistics that this service does not compute are here too, since an
output may hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Risk(StrEnum):
    LOW_COUNT = "low count"
    CLASS = "class disclosure"
    DIFFERENCING = "differencing"
    DOMINANCE = "dominance"
    LOW_DEGREES_OF_FREEDOM = "low degrees of freedom"
    AUXILIARY = "auxiliary information"
    IMPLICIT_TABLES = "implicit tables"


class Handling(StrEnum):
    JUDGED = "judged by the policy's rules"
    BY_HAND = "judged by a person"
    REFUSED = "not released"


@dataclass(frozen=True, slots=True)
class Statbarn:
    """checks: what is looked at, in words; where the handling is by hand, by whom it is judged."""

    name: str
    risks: tuple[Risk, ...]
    checks: str
    handling: Handling


FREQUENCIES = Statbarn(
    "Frequencies",
    (Risk.LOW_COUNT, Risk.CLASS, Risk.DIFFERENCING),
    "minimum count, full and empty cells, the pattern of hidden cells, earlier releases",
    Handling.JUDGED,
)
LINEAR = Statbarn(
    "Linear aggregations",
    (Risk.LOW_COUNT, Risk.DOMINANCE, Risk.DIFFERENCING),
    "minimum count, largest contributors, the pattern of hidden cells, earlier releases",
    Handling.JUDGED,
)
POSITION = Statbarn(
    "Position", (Risk.LOW_COUNT, Risk.CLASS), "minimum count, pupils on each side of the percentile", Handling.JUDGED
)
ENDPOINTS = Statbarn("Endpoints", (Risk.LOW_COUNT, Risk.CLASS), "a single pupil's value", Handling.REFUSED)
MODE = Statbarn("Mode", (Risk.CLASS, Risk.DIFFERENCING), "that not all are the same", Handling.BY_HAND)
SHAPE = Statbarn("Shape", (Risk.LOW_DEGREES_OF_FREEDOM,), "residual degrees of freedom, minimum count", Handling.JUDGED)
MODELS = Statbarn(
    "Correlation and regression",
    (Risk.LOW_DEGREES_OF_FREEDOM,),
    "residual degrees of freedom, rows in each level of a term, no saturated model",
    Handling.BY_HAND,
)
RATIOS = Statbarn(
    "Calculated ratios", (Risk.AUXILIARY, Risk.DOMINANCE), "the 2 × 2 table that the ratio implies", Handling.BY_HAND
)
SURVIVAL = Statbarn(
    "Survival and hazard",
    (Risk.IMPLICIT_TABLES, Risk.LOW_DEGREES_OF_FREEDOM),
    "events in each step of the curve",
    Handling.BY_HAND,
)
CONCENTRATION = Statbarn(
    "Concentration", (Risk.LOW_COUNT, Risk.DOMINANCE), "minimum count, share of the largest", Handling.BY_HAND
)
UNKNOWN = Statbarn("Unknown", tuple(Risk), "everything", Handling.BY_HAND)

_MEMBERS: dict[Statbarn, str] = {
    FREQUENCIES: "count pupils distinct histogram percentage distribution",
    LINEAR: "sum mean rate ratio gap",
    POSITION: "quantile median",
    ENDPOINTS: "min max minimum maximum range",
    MODE: "mode",
    SHAPE: "variance sd",
    MODELS: "covariance correlation ols logistic skewness kurtosis probit",
    RATIOS: "odds_ratio relative_risk",
    SURVIVAL: "survival hazard",
    CONCENTRATION: "gini hhi",
}
STATBARNS: dict[str, Statbarn] = {name: barn for barn, names in _MEMBERS.items() for name in names.split()}
"""Statistic → its kind."""


def statbarn_of(statistic: str) -> Statbarn:
    return STATBARNS.get(statistic, UNKNOWN)
