"""Groups whose keys come from the data: those whose noisy count passes a threshold are listed, for a price in ρ and δ.

Theorem. Let one pupil change the counts of at most l0 groups, by at most linf each and by at most Δ together in L2.
Add discrete Gaussian noise N of scale σ, independently, to the count of every group that has rows, and list the groups
whose noisy count is at least T > linf, with that count. This is δ-approximately ρ-zCDP with ρ = Δ²/(2σ²) and
δ = 1 − (1 − p)^l0, p = P(N ≥ T − linf).
Proof. Let D′ be D with one pupil more, and K the groups that have rows in D′ only: at most l0, each with at most linf
rows, and independent noise. Let E be the event that none of K is listed; 1 − P(E) ≤ δ. Given E, what is listed of D′
is what the groups of D would list, their noise being independent of E: on the same groups the two lists are
post-processing of discrete Gaussians whose means differ by at most Δ, so either Rényi divergence is at most αρ
(Canonne, Kamath & Steinke, arXiv 2004.00010v5, Theorem 4). D never lists K, and for D the whole space serves as the
event. That is Definition 8.1 of Bun & Steinke (arXiv 1605.02065v1, approximate zCDP). ∎
Such histograms are of Korolova, Kenthapadi, Mishra & Ntoulas (WWW 2009) and Bun, Nissim & Stemmer (ITCS 2016,
stability-based histograms); with Gaussian noise for unknown domains, Rogers (arXiv 2309.09170).

Lemma. For the normal Y of the same scale, P(N ≥ m) ≤ P(Y ≥ m − 1). Proof: N has mass e^(−k²/2σ²)/Z; for k ≥ m ≥ 1 the
sum of e^(−k²/2σ²) is at most the integral of the decreasing function from m − 1, and Z ≥ √(2πσ²) by Poisson summation,
all of whose terms are positive. ∎ OpenDP's map bounds the tail by P(Y ≥ t − linf) for its own threshold t, so here
t = T − 1 (`disclosure.noise`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

import numpy as np

from disclosure.accounting import ATTO, Event
from disclosure.noise import gaussian_threshold, sigma, threshold_loss
from disclosure.sensitivity import Moves
from disclosure.tables import ExactGroups, Integers, Measurement

MECHANISM = "discrete_gaussian_threshold"
_FAR = 40
"""Standard deviations beyond which a tail is under any δ that floating point can tell from 0."""


class OutOfReach(ValueError):
    """No threshold gives this δ: one pupil can touch too many groups."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a listing costs and from where on it lists: public things only. delta in atto-δ, threshold in rows."""

    moves: Moves
    nano_rho: int
    delta: int
    threshold: int

    def __post_init__(self) -> None:
        if self.delta < 1 or self.threshold <= self.moves.linf:
            raise ValueError("a listing has a delta, and a threshold above what one pupil can make")

    @property
    def sigma(self) -> float:
        return sigma(self.moves.l2_squared, self.nano_rho)

    def event(self, question: str) -> Event:
        """What it puts on the ledger: all that its loss follows from."""
        m = self.moves
        return Event(
            MECHANISM, m.l2_squared, self.nano_rho, question,
            delta=self.delta, l0=m.l0, linf=m.linf, threshold=self.threshold,
        )  # fmt: skip


@lru_cache(maxsize=1024)
def least_threshold(moves: Moves, nano_rho: int, delta: int) -> int:
    """The smallest whose δ is at most this many atto-δ, by OpenDP's map; raises OutOfReach."""
    allowed = Fraction(delta, ATTO)
    low = moves.linf + 1
    high = low + math.ceil(_FAR * sigma(moves.l2_squared, nano_rho))
    if threshold_loss(moves, nano_rho, high)[1] > allowed:
        raise OutOfReach
    while low < high:
        middle = (low + high) // 2
        enough = threshold_loss(moves, nano_rho, middle)[1] <= allowed
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Protected: groups that passed the threshold, int64 cells (ascending) and their noisy counts."""

    cells: Integers
    counts: Integers

    def as_measurement(self, terms: Terms) -> Measurement:
        """To be stored: one row per group, its cell and its noisy count."""
        values = np.stack([self.cells, self.counts], axis=1)
        return Measurement(values, terms.sigma, np.zeros(values.shape, np.bool_))

    @staticmethod
    def of(measurement: Measurement) -> Listing:
        return Listing(measurement.values[:, 0], measurement.values[:, 1])

    def largest(self, most: int, threshold: int) -> tuple[Listing, int]:
        """Of the groups that reach the threshold at most so many, and the number that each of them had to reach: the
        threshold, or one more than the largest that is left out.

        A group that is kept would have been kept with any count of at least that number, whatever the others are: so
        it is its threshold, given the others. Groups that tie with the first one left out are left out too.
        """
        passed = self.counts[self.counts >= threshold]
        least = threshold if passed.size <= most else int(np.partition(passed, -most - 1)[-most - 1]) + 1
        kept = self.counts >= least
        return Listing(self.cells[kept], self.counts[kept]), least


class Lister(Protocol):
    def __call__(self, exact: ExactGroups, terms: Terms, /) -> Listing:
        """The groups that pass, at a cost of at most `terms`."""
        ...


def list_groups(exact: ExactGroups, terms: Terms, /) -> Listing:
    """The `Lister` of a running service."""
    return Listing(
        *gaussian_threshold(exact.cells, exact.counts, terms.moves, terms.nano_rho, terms.delta, terms.threshold)
    )
