from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from disclosure.fields import Field, lower_loosens, whole
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class MinimumDenominator(PrimaryRule):
    """A percentage or rate of fewer than `value`. 0 sets no limit of its own.

    Source: HESA's rounding strategy suppresses percentages of fewer than 22.5 (not verified).
    """

    value: int

    name: ClassVar[str] = "denominators"
    source: ClassVar[str] = "HESA rounding and suppression strategy (percentages of fewer than 22.5); not verified"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.DENOMINATOR,)
    fields: ClassVar[tuple[Field, ...]] = (
        whole("value", 0, 1000, lower_loosens("the lower, the fewer pupils a percentage may be of")),
    )

    def sensitive(self, denominator: Integers) -> Flags:
        return denominator < self.value
