"""What questions cost and what is left to spend. Privacy loss is in rho (zCDP); epsilon is shown for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Charge:
    """What one request cost. repeat: nothing; in a `dp` data set that is since all of it had been measured before."""

    nano_rho: int
    rho: float
    repeat: bool


FREE = Charge(0, 0.0, True)


@dataclass(frozen=True)
class Price:
    """What a question costs at most: what has been measured before is free. epsilon: None where delta is not set."""

    nano_rho: int
    rho: float
    epsilon: float | None


@dataclass(frozen=True)
class Expected:
    """The precision to expect of a measure: half the width of the interval that is right with this confidence.

    margin: of a count, in rows or pupils. margin_at: of anything else, by the number of rows in a supposed cell; None
    where nothing could be said of so few. noise_sd: standard deviation of a count's noise. totals: the same of each
    total, by its groupings.
    """

    id: str
    statistic: str
    confidence: float
    margin: float | None
    margin_at: Mapping[int, float | None]
    noise_sd: float | None
    totals: Mapping[tuple[str, ...], Expected] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Preview:
    """cells: groups in the answer. numbers: what is measured in all of them together, which the policy limits.

    listing: of listed groups, the threshold from which they are listed, the delta that it costs, and how many at most.
    """

    price: Price
    cells: int
    numbers: int
    measures: tuple[Expected, ...]
    listing: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Balance:
    """Amounts in rho over the whole life of a project or cut; nothing is refilled by time.

    coin_flip_accuracy: how often, at most, somebody who sees all that the cap allows could tell whether one pupil is
    in the data (0.5 is guessing).
    """

    cap_rho: float
    spent_rho: float
    left_rho: float
    left_nano_rho: int
    cap_epsilon: float | None
    delta: float
    coin_flip_accuracy: float | None


@dataclass(frozen=True)
class Budget(Balance):
    """A project's balance. cuts: what all projects together have left of each cut; a question needs both."""

    project: str
    title: str
    cuts: Mapping[str, Balance] = field(repr=False)


def read_charge(document: Mapping[str, Any]) -> Charge:
    return Charge(document["nanoRho"], document["rho"], document["repeat"])


def read_preview(document: Mapping[str, Any]) -> Preview:
    price = document["price"]
    return Preview(
        price=Price(price["nanoRho"], price["rho"], price["epsilon"]),
        cells=document["cells"],
        numbers=document["numbers"],
        measures=tuple(_expected(m) for m in document["measures"]),
        listing=document.get("listing"),
    )


def _expected(document: Mapping[str, Any]) -> Expected:
    return Expected(
        id=document["id"],
        statistic=document["statistic"],
        confidence=document["confidence"],
        margin=document.get("margin"),
        margin_at={int(rows): margin for rows, margin in document.get("marginAt", {}).items()},
        noise_sd=document.get("noiseSd"),
        totals={tuple(t["groupBy"]): _expected({**document, **t, "totals": []}) for t in document.get("totals", [])},
    )


def read_budget(document: Mapping[str, Any]) -> Budget:
    return Budget(
        **_amounts(document["budget"]),
        project=document["project"],
        title=document["title"],
        cuts={each["cut"]: Balance(**_amounts(each)) for each in document["cuts"]},
    )


def _amounts(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cap_rho": document["capRho"],
        "spent_rho": document["spentRho"],
        "left_rho": document["leftRho"],
        "left_nano_rho": document["leftNanoRho"],
        "cap_epsilon": document["capEpsilon"],
        "delta": document["delta"],
        "coin_flip_accuracy": document["coinFlipAccuracy"],
    }
