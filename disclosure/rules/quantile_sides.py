from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from disclosure.fields import OFFICIAL, Field, lower_loosens, whole
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class QuantileSides(PrimaryRule):
    """Fewer than `value` pupils below a quantile, or above it: it would be nearly the least or the largest value.

    Source: the SACRO project's statbarns name low counts as the risk of a position; a number for each side is ours.
    """

    value: int

    name: ClassVar[str] = "quantile_sides"
    source: ClassVar[str] = "SACRO statbarns, position: low counts; a minimum for each side is this project's"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.BELOW, Evidence.ABOVE)
    fields: ClassVar[tuple[Field, ...]] = (
        whole("value", 1, 1000, lower_loosens("the lower, the nearer a quantile may be to an extreme"), OFFICIAL),
    )

    def sensitive(self, below: Integers, above: Integers) -> Flags:
        return (below < self.value) | (above < self.value)
