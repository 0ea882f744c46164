"""Perturbation tables of maximum entropy (the method of sdcTools/ptable, Eurostat's centre of excellence).

For every count i from 1 the changes v have the probabilities p of largest entropy −Σ p log p among those with

    Σ p = 1,  Σ v p = 0,  Σ v² p ≤ V,  |v| ≤ D,  i + v is 0 or more than js,  p ≥ 10⁻⁸,

if asked a fixed probability of no change, and (monotone) p not decreasing in v up to v = 0.

Lemma. For multipliers a and b ≤ 0 of the two moments let s(v) = a·v + b·v², replaced for v ≤ 0 by its isotonic
regression if monotone. The law p = clip(exp(s − z)), clipped to its bounds, with z such that Σ p = 1, is of largest
entropy if its mean is 0 and either its second moment is V, or b = 0 and it is less.
Proof. Given a and b, −Σ p log p + Σ (a·v + b·v²) p is to be maximised over a monotone chain with bounds. Within a block
of equal p the best is log p = mean of s over the block − z, so the blocks are those of the isotonic regression of s by
pooling adjacent violators, and bounds clip it (Barlow & Brunk, JASA 67, 1972). The rest is Lagrangian duality for a
concave function under linear constraints. ∎
The dual function is convex. So the mean rises with a for every b, and at the a of mean 0 the variance rises with b: two
nested root searches find both.

Feasibility. For 1 ≤ i ≤ js the allowed counts nearest to i are 0 and js + 1; of all laws of mean 0 the one on these two
has the least variance, i·(js + 1 − i). So V must be at least the largest of these. D must be more than
js, or else js + 1 can only stay or rise, and with a mean of 0 it stays. With a fixed probability of no change there are
further bounds; a linear program gives the least variance of each row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import scipy

from disclosure.cell_key.ptable import KEYS, UNCHANGED, PTable, PTableRefused, Row
from disclosure.tables import Floats

_FLOOR = 1e-8
_CLOSE = 1e-6
"""A variance this close to the least leaves no choice worth speaking of: the law of least variance is taken."""
_EXACT = 1e-9
"""Relative error of the least variance that is the solver's."""
_TIGHT = 1e-14
_NEAR = 1e-2
"""Floors raise z by less: of a chance of at least 0.001, 100 of them take at most 1/1000."""
MOST_CHANGE = 50


@dataclass(frozen=True, slots=True)
class Parameters:
    """largest_change: D. variance: V, at most. hidden_up_to: js, the largest count that is never shown (0: all may be).
    stay: the probability of no change, where it is fixed. zeros: the probability with which a zero that is not
    structural is shown as js + 1; 0 keeps all zeros. Raises PTableRefused with all problems.
    """

    largest_change: int
    variance: float
    hidden_up_to: int = 0
    stay: float | None = None
    monotone: bool = True
    zeros: float = 0.0

    def __post_init__(self) -> None:
        found = []
        if not 1 <= self.largest_change <= MOST_CHANGE:
            found.append(f"largest_change: wants 1 to {MOST_CHANGE}")
        if not 0 < self.variance < math.inf:
            found.append("variance: wants a finite number above 0")
        if self.hidden_up_to < 0:
            found.append("hidden_up_to: wants 0 or more")
        elif self.hidden_up_to >= self.largest_change:
            found.append(
                f"largest_change: wants at least {self.hidden_up_to + 1}, more than hidden_up_to; "
                f"or hidden_up_to at most {self.largest_change - 1}"
            )
        if self.stay is not None and not 0.001 <= self.stay <= 0.999:
            found.append("stay: wants 0.001 to 0.999")
        if not 0 <= self.zeros < 1:
            found.append("zeros: wants 0 or more and less than 1")
        if found:
            raise PTableRefused(found)

    @property
    def last_row(self) -> int:
        """From this count on no change is ruled out."""
        return self.largest_change + (self.hidden_up_to + 1 if self.hidden_up_to else 0)


def maximum_entropy(parameters: Parameters) -> PTable:
    """The table; raises PTableRefused with the nearest parameters that can be had."""
    least = [_least(count, parameters) for count in range(1, parameters.last_row + 1)]
    if any(law is None for _, law in least):
        raise PTableRefused([f"stay: wants at least {_up(_least_stay(parameters)):g} with these values of the others"])
    wanted = max(row.second_moment(law) for row, law in least if law is not None)
    if wanted > parameters.variance * (1 + _EXACT):
        raise PTableRefused([f"variance: wants at least {_up(wanted):g} with these values of the others"])
    rows = [_shares(row, _law(row, law, parameters.variance)) for row, law in least if law is not None]
    return PTable((_zero_row(parameters), *rows))


def _up(number: float) -> float:
    """The next of six decimals, for people; what a solver's error of 1e-9 adds is no next one."""
    return math.ceil(number * 1e6 - 1e-3) / 1e6


def _zero_row(parameters: Parameters) -> Row:
    share = int(Fraction(parameters.zeros) * KEYS)
    return Row((0, parameters.hidden_up_to + 1), (KEYS - share, share)) if share else UNCHANGED


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """Which laws a row may have: changes v, bounds of their probabilities, and how many of the first are a chain in
    which probabilities do not decrease.
    """

    changes: Floats
    low: Floats
    high: Floats
    chain: int

    def second_moment(self, law: Floats) -> float:
        return float(law @ self.changes**2)


def _choice(count: int, parameters: Parameters, floor: float) -> _Choice:
    """With a fixed probability of no change the chain ends before it, and is bounded by it instead."""
    reach = np.arange(-min(count, parameters.largest_change), parameters.largest_change + 1)
    v = reach[(count + reach == 0) | (count + reach > parameters.hidden_up_to)]
    low, high = np.full(v.size, floor), np.ones(v.size)
    stay = parameters.stay if 0 in v else None
    chain = int((v <= 0).sum()) if parameters.monotone else 0
    if stay is not None:
        low[v == 0] = high[v == 0] = stay
        if parameters.monotone:
            high[v < 0], chain = stay, chain - 1
    return _Choice(v.astype(np.float64), low, high, chain)


def _least(count: int, parameters: Parameters) -> tuple[_Choice, Floats | None]:
    """The law of least variance, if there is a law; without the floor where there would be none of small enough
    variance with it.
    """
    choice = _choice(count, parameters, _FLOOR)
    law = _best(choice, choice.changes**2)
    if law is not None and choice.second_moment(law) <= parameters.variance:
        return choice, law
    choice = _choice(count, parameters, 0.0)
    return choice, _best(choice, choice.changes**2)


def _least_stay(parameters: Parameters) -> float:
    """The smallest probability of no change from the one wanted on that every row can have."""
    found, free = [], replace(parameters, stay=None)
    for count in range(parameters.hidden_up_to + 1, parameters.last_row + 1):
        choice = _choice(count, free, 0.0)
        here = choice.changes == 0
        choice.low[here] = parameters.stay or 0.0
        law = _best(choice, here.astype(np.float64))
        found.append(1.0 if law is None else float(law[here][0]))
    return max(found)


def _best(choice: _Choice, cost: Floats) -> Floats | None:
    """The unbiased law of least cost; None if there is no unbiased law."""
    size = choice.changes.size
    moments = scipy.optimize.LinearConstraint(np.stack([np.ones(size), choice.changes]), [1, 0], [1, 0])
    # One row for each neighbouring pair of the chain: the first less the second, at most 0.
    steps = (np.eye(size) - np.eye(size, k=1))[: max(choice.chain - 1, 0)]
    chain = scipy.optimize.LinearConstraint(steps, -np.inf, 0)
    bounds = scipy.optimize.Bounds(choice.low, choice.high)
    found = scipy.optimize.milp(cost, bounds=bounds, constraints=[moments, chain] if len(steps) else [moments])
    return None if found.x is None else np.asarray(found.x, np.float64)


def _law(choice: _Choice, least: Floats, variance: float) -> Floats:
    """Of largest entropy with at most this variance."""
    if not choice.low.all() or choice.second_moment(least) > variance * (1 - _CLOSE):
        return least
    scaled = choice.changes / np.abs(choice.changes).max()

    def balanced(curve: float) -> Floats:
        slope = _root(lambda a: float(_filled(choice, a * scaled + curve * scaled**2) @ scaled), 1.0)
        return _filled(choice, slope * scaled + curve * scaled**2)

    if choice.second_moment(balanced(0.0)) <= variance:
        return balanced(0.0)
    return balanced(_root(lambda b: choice.second_moment(balanced(b)) / variance - 1, 0.0))


def _filled(choice: _Choice, score: Floats) -> Floats:
    """clip(exp(score − z)) of sum 1. Floors raise z a little above what it is without bounds, bounds from above lower
    it.
    """
    if choice.chain:
        score = np.concatenate([scipy.optimize.isotonic_regression(score[: choice.chain]).x, score[choice.chain :]])
    free = choice.low < choice.high
    score = score - score[free].max()
    z = math.log(np.exp(score[free]).sum() / (1 - choice.low[~free].sum()))

    def clipped(z: float) -> Floats:
        return np.maximum(choice.low, np.minimum(choice.high, np.exp(np.minimum(score - z, 0))))

    lowest = z - _NEAR if choice.high[free].min() == 1 else min(z, score.min()) - _NEAR
    return clipped(scipy.optimize.brentq(lambda z: 1 - clipped(z).sum(), lowest, z + _NEAR, xtol=_TIGHT))


def _root(rising: Callable[[float], float], high: float) -> float:
    """Where a function rises through 0, from −high or −1 downwards and up to `high` or beyond."""
    low = -1.0
    while rising(low) > 0:
        low *= 2
    while rising(high) < 0:
        high *= 2
    return float(scipy.optimize.brentq(rising, low, high, xtol=_TIGHT))


def _shares(choice: _Choice, law: Floats) -> Row:
    """In whole shares of mean exactly 0 where two neighbouring changes can take up what is left; else within 2⁻⁵⁰."""
    shares = [int(Fraction(float(p)) * KEYS) for p in law]
    kept = [(int(v), share) for v, share in zip(choice.changes, shares, strict=True) if share]
    changes, shares = [v for v, _ in kept], [share for _, share in kept]
    missing, lean = KEYS - sum(shares), -sum(v * share for v, share in kept)
    pairs = [i for i in range(len(changes) - 1) if changes[i] + 1 == changes[i + 1]]
    if pairs:
        i = max(pairs, key=lambda i: min(shares[i], shares[i + 1]))
        upper = lean - changes[i] * missing
        shares[i] += missing - upper
        shares[i + 1] += upper
    else:
        shares[shares.index(max(shares))] += missing
    return Row(tuple(changes), tuple(shares))
