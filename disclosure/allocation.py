"""How one price is best shared out among the margins of one table.

A share s of price ρ measures a margin of squared L2 sensitivity Δ² with noise of variance Δ²/(2sρ). Wanted are the
shares that minimise Φ(s), the sum over the margins of the mean variance of the cells of its consistent estimate. ρ only
scales Φ, so it does not matter here.

Balanced tables. If all elements of a level have equally many parts (here: as many as the mean, a real number), the
levels of an axis commute. Let effect j of an axis be what is constant in the elements of level j and sums to 0 within
those of level j + 1; its dimension is N_j − N_{j+1}, and the last is the mean. Margin m shows just the effects e that
are at least m on every axis, each with eigenvalue G_m = cells of the table / cells of m. So with the information
J_e(s) = Σ_m s_m·2G_m/Δ_m² (over the margins m that show e),

    Φ(s) = Σ_e c_e / J_e(s),    c_e = dim e · Σ_m G_m / cells of m  (over the same m),

a convex function with d_m = −∂Φ/∂s_m = (2G_m/Δ_m²) Σ_e c_e/J_e² (over the effects e that m shows).

Descent. For any shares t: Φ(s) ≤ Σ_m t_m² d_m(t) / s_m, with equality at s = t. (J_e(s)/J_e(t) is the mean of s_m/t_m
with weights t_m·2G_m/(Δ_m² J_e(t)), and 1/x is convex.) The right side is least at s_m ∝ t_m·√d_m(t): the
multiplicative algorithm for A-optimal designs, which therefore never goes up (for designs in general: Yu, Ann. Statist.
38(3), 2010). Under a least share f it is least at s_m = max(f, τ·t_m·√d_m(t)), τ such that the shares add up to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from disclosure.margins import Chain, Margin, cells, check, finest
from disclosure.tables import Floats

LEAST_SHARE = 0.02
UNITS = 1_000_000
"""Shares are whole multiples of 1/UNITS: prices must not depend on the last bits of a float."""
_STEPS = 150
"""A fixed number, so that no comparison of floats decides when to stop."""


def allocate(chains: Sequence[Chain], l2_squared: Mapping[Margin, int]) -> dict[Margin, float]:
    """The share of the price for each margin: whole millionths, at least LEAST_SHARE each, 1 in all.

    l2_squared: the squared L2 sensitivity of each margin. A pure function of the arguments, whatever their order.
    """
    check(chains, l2_squared)
    margins = sorted(l2_squared)
    if len(margins) * LEAST_SHARE > 1 or min(l2_squared.values()) < 1:
        raise ValueError("too many margins for a least share, or a sensitivity of 0")
    precision, cost = _design(chains, {margin: l2_squared[margin] for margin in margins})
    shares = np.full(len(margins), 1 / len(margins))
    for _ in range(_STEPS):
        slopes = precision @ (cost / (shares @ precision) ** 2)
        shares = _floored(shares * np.sqrt(slopes))
    units = [round(share * UNITS) for share in shares]
    # What rounding leaves over is far less than what the largest share has above the least.
    units[units.index(max(units))] += UNITS - sum(units)
    found = dict(zip(margins, units, strict=True))
    return {margin: found[margin] / UNITS for margin in l2_squared}


def _design(chains: Sequence[Chain], l2_squared: Mapping[Margin, int]) -> tuple[Floats, Floats]:
    """Precision per share (margins, effects), in units of the finest margin's, and the cost c_e of each effect."""
    effects = list(product(*(range(len(chain.sizes)) for chain in chains)))
    dimension = [math.prod(_dimension(chain, j) for chain, j in zip(chains, effect, strict=True)) for effect in effects]
    shows = np.array(
        [[all(e >= m for e, m in zip(effect, margin, strict=True)) for effect in effects] for margin in l2_squared]
    )
    size = np.array([cells(chains, margin) for margin in l2_squared], dtype=np.float64)
    scale = l2_squared[finest(chains)]
    relative = np.array([distance / scale for distance in l2_squared.values()])
    whole = cells(chains, finest(chains))
    cost = np.array(dimension) * ((whole / size**2) @ shows)
    needed = cost > 0
    return (shows * (whole / size / relative)[:, None])[:, needed], cost[needed]


def _dimension(chain: Chain, level: int) -> int:
    return chain.sizes[level] - (chain.sizes[level + 1] if level + 1 < len(chain.sizes) else 0)


def _floored(wanted: Floats) -> Floats:
    """Proportional to what is wanted, but at least LEAST_SHARE each; 1 in all."""
    rising = np.sort(wanted)
    # scale[k]: what 1 in all needs, if just the k smallest get the least share; right for the first k that it suits.
    scale = (1 - LEAST_SHARE * np.arange(len(wanted))) / np.cumsum(rising[::-1])[::-1]
    k = int(np.argmax(rising * scale >= LEAST_SHARE))
    return np.asarray(np.maximum(wanted * scale[k], LEAST_SHARE))
