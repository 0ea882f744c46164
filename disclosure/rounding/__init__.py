"""Rounding: conventional, random by the keys of records, and controlled."""

from disclosure.rounding.controlled import CannotRound, Published
from disclosure.rounding.conventional import nearest, preimage
from disclosure.rounding.method import Rounding, RoundingMethod, low, rounded

__all__ = ["CannotRound", "Published", "Rounding", "RoundingMethod", "low", "nearest", "preimage", "rounded"]
