from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from disclosure.fields import OFFICIAL, Field, fraction, higher_loosens, lower_loosens, whole
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.rules.shares import exceeds, leading
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class Dominance(PrimaryRule):
    """(n, k): the `n` largest contributors have more than `k` % of the total. A total of 0 has none who dominates.

    Source: Hundepool et al., Statistical Disclosure Control (2012), (n, k) rule; ACRO's default is (2, 90).
    """

    n: int
    k: Decimal | int

    name: ClassVar[str] = "dominance"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): (n, k) rule"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.TOTAL, Evidence.LARGEST)
    fields: ClassVar[tuple[Field, ...]] = (
        whole("n", 1, 10, lower_loosens("the more contributors are taken together, the more often they dominate"),
              OFFICIAL),
        fraction("k", 99, higher_loosens("the higher, the more of a total its largest contributors may have")),
    )  # fmt: skip

    @property
    def largest(self) -> int:
        return self.n

    def sensitive(self, total: Integers, largest: Integers) -> Flags:
        return exceeds(leading(largest, self.n).sum(-1), total, self.k, 100)
