from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from disclosure.fields import Field, fraction, higher_loosens, lower_loosens
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.rules.shares import exceeds, leading
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class PriorPosterior(PrimaryRule):
    """total − x1 − x2 < (p / q) · x1: the second largest contributor knows every other part to within q % before the
    table is out, and would know the largest one's to within p % after it. It wants p < q.

    Source: Hundepool et al., Statistical Disclosure Control (2012), prior-posterior (p, q) rule.
    """

    p: Decimal | int
    q: Decimal | int

    name: ClassVar[str] = "pq"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): prior-posterior rule"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.TOTAL, Evidence.LARGEST)
    fields: ClassVar[tuple[Field, ...]] = (
        fraction("p", 100, lower_loosens("the lower, the more closely the largest contribution may be known")),
        fraction("q", 100, higher_loosens("the higher, the less others are taken to know beforehand")),
    )

    def __post_init__(self) -> None:
        PrimaryRule.__post_init__(self)
        if self.p >= self.q:
            raise ValueError("wants p < q: a table that tells no more than was known tells nothing")

    @property
    def largest(self) -> int:
        return 2

    def sensitive(self, total: Integers, largest: Integers) -> Flags:
        first, second = (leading(largest, 2)[..., i] for i in (0, 1))
        return exceeds(-(total - first - second), -first, self.p, self.q)
