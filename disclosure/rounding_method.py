"""How an `official` policy rounds counts."""

from __future__ import annotations

from enum import StrEnum


class RoundingMethod(StrEnum):
    """conventional: to the nearest. random: up or down, unbiased, by the cell's key. controlled: so that it adds up."""

    CONVENTIONAL = "conventional"
    RANDOM = "random"
    CONTROLLED = "controlled"
