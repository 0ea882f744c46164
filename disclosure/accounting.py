"""Privacy loss as integers: zero-concentrated differential privacy (zCDP), in nano-ρ.

ρ-zCDP: Bun & Steinke, arXiv 1605.02065v1, Definition 1.1. Composition adds ρ (Lemma 1.7 there), also when each ρ is
chosen after seeing earlier answers as long as the sum is bounded beforehand (Whitehouse, Ramdas, Wu, Rogers,
"Fully adaptive composition in differential privacy", arXiv 2203.05481, the filter for zCDP).

δ-approximate ρ-zCDP: the same but for events of probability δ (section 8 of Bun & Steinke). Both ρ and δ add up, and
where ρ alone would give (ε, δ′)-DP, both give (ε, δ′ + δ)-DP. Amounts of δ are integers of 10⁻¹⁸ (atto-δ).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

NANO = 1_000_000_000
ATTO = 10**18
LEAST_PRICE = 1_000
"""nano-ρ per measurement: noise beyond that says nothing and only costs time."""


def nano_rho(rho: Decimal) -> int:
    """ρ as an integer number of nano-ρ, rounded against the spender."""
    return int((rho * NANO).to_integral_value(rounding=ROUND_CEILING))


def rho(nano: int) -> Decimal:
    return Decimal(nano) / NANO


def atto_delta(delta: Decimal) -> int:
    """δ as an integer number of atto-δ (10⁻¹⁸), rounded down: what is allowed, not what is charged."""
    return int((delta * ATTO).to_integral_value(rounding=ROUND_FLOOR))


def delta(atto: int) -> Decimal:
    return Decimal(atto) / ATTO


@dataclass(frozen=True, slots=True)
class Event:
    """One use of a mechanism, as the ledger keeps it, so that a better accountant can be run over history.

    l1: the L1 sensitivity, where the mechanism is scaled to it (the Laplace, which is √(2ρ)-DP at its price).
    delta: in atto-δ, of a mechanism that is δ-approximately ρ-zCDP, with the rest of what that follows from: l0 and
    linf, how many cells one pupil can touch and how far one of them moves, and the threshold.
    """

    mechanism: str
    l2_squared: int
    nano_rho: int
    question: str
    l1: int | None = None
    delta: int = 0
    l0: int | None = None
    linf: int | None = None
    threshold: int | None = None

    def __post_init__(self) -> None:
        if min(self.nano_rho, self.l2_squared, self.l1 or 0, self.delta) < 0:
            raise ValueError("a privacy loss is never negative")


def share_out(total: int, weights: Sequence[float]) -> tuple[int, ...]:
    """`total` nano-ρ in parts like these weights; the sum is exact, since the largest gets what rounding leaves."""
    whole = sum(weights)
    parts = [int(total * weight / whole) for weight in weights]
    parts[max(range(len(parts)), key=lambda i: weights[i])] += total - sum(parts)
    return tuple(parts)


@lru_cache(maxsize=4096)
def epsilon(nano: int, delta: float) -> float:
    """Smallest ε with (ε, δ)-DP for this much zCDP, by OpenDP's conversion (make_zCDP_to_approxDP)."""
    if nano == 0:
        return 0.0
    from disclosure.noise import zcdp_to_epsilon

    return zcdp_to_epsilon(nano, delta)


def pure_epsilon(prices: Iterable[int]) -> float:
    """ε of measurements that are each pure ε-DP at these prices in nano-ρ (Laplace noise); pure ε adds up.

    Pure ε-DP is ε²/2-zCDP (Bun & Steinke, Proposition 1.4), so a price of ρ is spent by ε = √(2ρ).
    """
    return math.fsum(math.sqrt(2 * price / NANO) for price in prices)


def guess_accuracy(nano: int) -> float:
    """Most that anyone can be right, on average over what may come out, about a fact that was a coin flip to them.

    That is (1 + V)/2 for the total variation V of the answers with and without the pupil. zCDP bounds their
    Kullback-Leibler divergence by ρ (Definition 1.1 at α → 1), hence V by √(ρ/2) (Pinsker) and by √(1 − e^−ρ)
    (Bretagnolle & Huber 1979).
    """
    loss = nano / NANO
    return (1 + min(math.sqrt(loss / 2), math.sqrt(-math.expm1(-loss)))) / 2


def coin_flip_accuracy(eps: float) -> float:
    """Most that anyone can be right about a yes/no fact that was a coin flip to them: e^ε / (1 + e^ε)."""
    return 1 / (1 + math.exp(-eps))
