from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from disclosure.fields import Field, fraction, lower_loosens
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.rules.shares import exceeds, leading
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class PPercent(PrimaryRule):
    """total − x1 − x2 < p % of x1: the second largest contributor, who subtracts their own part from the total, would
    know the largest one's to within p %.

    Source: Hundepool et al., Statistical Disclosure Control (2012), p % rule; ACRO's default is 10.
    """

    p: Decimal | int

    name: ClassVar[str] = "p_percent"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): p % rule"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.TOTAL, Evidence.LARGEST)
    fields: ClassVar[tuple[Field, ...]] = (
        fraction("p", 100, lower_loosens("the lower, the more closely the largest contribution may be known")),
    )

    @property
    def largest(self) -> int:
        return 2

    def sensitive(self, total: Integers, largest: Integers) -> Flags:
        first, second = (leading(largest, 2)[..., i] for i in (0, 1))
        return exceeds(-(total - first - second), -first, self.p, 100)
