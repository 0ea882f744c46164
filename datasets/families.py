"""Families: what is measured for one need over all tables of an answer, and how they share its price."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from datasets.plan import Quantity
from datasets.statistics.recipe import Need, aggregate_of, by_of
from datasets.validate import ValidQuery
from disclosure.accounting import share_out
from disclosure.aggregates import Aggregate, as_json, is_additive
from disclosure.allocation import allocate
from disclosure.consistency import variances
from disclosure.margins import Margin
from disclosure.noise import standard_deviation
from disclosure.policy import Policy
from disclosure.sensitivity import distance
from disclosure.tables import Noise

NANO = 1e9

Key: TypeAlias = tuple[tuple[str, ...], Aggregate]
"""A family: how its needs are split, and the aggregate as it is measured."""
Totals: TypeAlias = Mapping[Key, int]
"""nano-ρ per family."""


@dataclass(frozen=True, slots=True)
class Family:
    """shares: of its price, by quantity; variance: of the worst cell of each table, in ticks², at ρ = 1.

    distances: for each table its sensitivity, where what is known of it is its own measurement; else empty.
    """

    shares: Mapping[Quantity, float]
    variance: tuple[float, ...]
    law: Noise
    distances: tuple[int, ...] = ()

    def prices(self, total: int) -> dict[Quantity, int]:
        if len(set(self.shares.values())) == 1:
            return dict.fromkeys(self.shares, total // len(self.shares))
        return dict(zip(self.shares, share_out(total, list(self.shares.values())), strict=True))

    def deviation(self, table: int, total: int) -> float:
        """Standard deviation of the noise in the worst cell of a table, at this price."""
        if self.distances:
            return standard_deviation(self.distances[table], max(1, total // len(self.shares)), self.law)
        return math.sqrt(self.variance[table] * NANO / total)


def key_of(need: Need, valid: ValidQuery) -> Key:
    return by_of(need), valid.measured[aggregate_of(need)]


def families(valid: ValidQuery, law: Noise) -> dict[Key, Family]:
    """In an order that does not depend on that of asking, as sums of floats do."""
    found = {key_of(need, valid): _family(need, valid, law) for need in valid.needs}
    return {key: found[key] for key in sorted(found, key=lambda key: (key[0], str(as_json(key[1]))))}


def _family(need: Need, valid: ValidQuery, law: Noise) -> Family:
    quantities = [valid.quantity(table, need) for table in range(len(valid.tables))]
    levels = [table.levels for table in valid.tables]
    moved = [distance(q.aggregate, valid.layouts[q.layout].contribution, law) for q in quantities]
    at_one = {level: _variance_at_one(each, law) for level, each in sorted(zip(levels, moved, strict=True))}
    apart = len(at_one) == 1 or not is_additive(valid.measured[aggregate_of(need)])
    shares = _shares(dict(zip(levels, moved, strict=True)), valid, law, apart)
    noise = {level: each / shares[level] for level, each in at_one.items()}
    if not apart:
        noise = {level: float(found.max()) for level, found in variances(valid.chains, noise).items()}
    by_level = dict(zip(levels, quantities, strict=True))
    by_quantity = {by_level[level]: shares[level] for level in sorted(by_level)}
    return Family(by_quantity, tuple(noise[level] for level in levels), law, tuple(moved) if apart else ())


def _variance_at_one(moved: int, law: Noise) -> float:
    """Of noise of scale √(Δ²/2ρ), or of Laplace noise of scale Δ₁/√(2ρ), at ρ = 1."""
    return moved**2 if law is Noise.LAPLACE else moved / 2


def _shares(moved: Mapping[Margin, int], valid: ValidQuery, law: Noise, apart: bool) -> dict[Margin, float]:
    """Equal where tables are known apart; and under Laplace noise, where every measurement has the policy's price."""
    if apart or law is Noise.LAPLACE:
        return dict.fromkeys(moved, 1 / len(moved))
    return allocate(valid.chains, moved)


def prices(totals: Totals, known: Mapping[Key, Family]) -> dict[Quantity, int]:
    """nano-ρ per quantity; one that two families share is paid at the higher price."""
    found: dict[Quantity, int] = {}
    for key, total in totals.items():
        for quantity, price in known[key].prices(total).items():
            found[quantity] = max(price, found.get(quantity, 0))
    return found


def default_totals(known: Mapping[Key, Family], policy: Policy) -> Totals:
    """The policy's default for each measurement of a family; where a query may not cost as much, all that it may."""
    totals = {key: policy.default_price * len(family.shares) for key, family in known.items()}
    if sum(totals.values()) <= policy.query_cap or not policy.sells_precision:
        return totals
    return dict(zip(totals, share_out(policy.query_cap, list(totals.values())), strict=True))
