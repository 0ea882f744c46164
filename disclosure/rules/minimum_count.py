from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from disclosure.fields import OFFICIAL, Field, later_loosens, lower_loosens, whole, word
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags, Integers

ZEROS = ("hide", "show")


@dataclass(frozen=True, slots=True)
class MinimumCount(PrimaryRule):
    """Fewer than `value` pupils. Where zeros are hidden, nobody is fewer too; where they are shown, a true 0 is not
    sensitive. A structural zero never is: that nobody can be there is public.

    Source: Hundepool et al., Statistical Disclosure Control (2012), minimum frequency rule.
    """

    value: int
    zeros: str

    name: ClassVar[str] = "minimum_count"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): minimum frequency rule"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.PUPILS, Evidence.STRUCTURAL)
    fields: ClassVar[tuple[Field, ...]] = (
        whole("value", 0, 1000, lower_loosens("the lower, the smaller the counts that are shown")),
        word("zeros", ZEROS, later_loosens(ZEROS, "zeros that are shown tell that nobody is there"), OFFICIAL),
    )

    def __post_init__(self) -> None:
        PrimaryRule.__post_init__(self)
        least = 2 if self.zeros == "show" else 1
        if self.value < least:
            raise ValueError(f"value wants at least {least} with zeros '{self.zeros}': nothing else hides a child")

    def sensitive(self, pupils: Integers, structural: Flags) -> Flags:
        few = pupils < self.value
        if self.zeros == "show":
            few = few & (pupils > 0)
        return few & ~structural
