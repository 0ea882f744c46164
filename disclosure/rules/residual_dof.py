from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from disclosure.fields import OFFICIAL, Field, lower_loosens, whole
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class ResidualDegreesOfFreedom(PrimaryRule):
    """observations − coefficients < `value`: a model with about as many coefficients as rows tells the rows.

    Source: the SACRO project's statbarns, models; ACRO's default is 10.
    """

    value: int

    name: ClassVar[str] = "residual_dof"
    source: ClassVar[str] = "SACRO statbarns, models: a minimum of residual degrees of freedom"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.OBSERVATIONS, Evidence.COEFFICIENTS)
    fields: ClassVar[tuple[Field, ...]] = (
        whole("value", 1, 1000, lower_loosens("the lower, the nearer a model may be to its rows"), OFFICIAL),
    )

    def sensitive(self, observations: Integers, coefficients: Integers) -> Flags:
        return observations - coefficients < self.value
