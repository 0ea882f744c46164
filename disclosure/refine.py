"""Several measurements of one question as one: asking again at higher precision pays only the difference.

Measurements of the same vector with independent noise of variance Δ²/(2ρᵢ) are best combined with weights ρᵢ (inverse
variance); the result has variance Δ²/(2 Σ ρᵢ), as if the whole price had been paid at once. Combining is
post-processing: the privacy loss is Σ ρᵢ, which is what was charged.

Laplace measurements are one-shot: a sum of several has another law, which no interval here speaks of, so they are
never combined (their price is a part of their question).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from disclosure.tables import Integers, Measurement, Noise

ROUNDING_VARIANCE = 1 / 12
"""Of the rounding of the weighted mean to whole ticks."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A measurement and what it cost in all, in nano-ρ."""

    measurement: Measurement
    nano_rho: int


def combine(parts: Sequence[Paid]) -> Paid:
    """One measurement out of one or more of the same question."""
    if len(parts) == 1:
        return parts[0]
    if any(part.measurement.noise is Noise.LAPLACE for part in parts):
        raise ValueError("a Laplace measurement stands alone")
    total = sum(part.nano_rho for part in parts)
    # Δ may have been claimed differently in another version of the program; the weights are prices all the same.
    variance = sum((part.nano_rho / total * part.measurement.sigma) ** 2 for part in parts) + ROUNDING_VARIANCE
    values = _weighted([(part.measurement.values, part.nano_rho) for part in parts], total)
    return Paid(Measurement(values, math.sqrt(variance), parts[0].measurement.masked), total)


def _weighted(parts: Sequence[tuple[Integers, int]], total: int) -> Integers:
    """Nearest integers to the weighted means, ties up; in Python integers, which no price can overflow."""
    whole = sum(values.astype(object) * weight for values, weight in parts)
    return np.asarray((2 * whole + total) // (2 * total)).astype(np.int64)
