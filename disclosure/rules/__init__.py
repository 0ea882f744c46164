"""Primary rules: which cells may not be shown, for what is in them. One file each, and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disclosure.rules.class_disclosure import ClassDisclosure as ClassDisclosure
from disclosure.rules.dominance import Dominance as Dominance
from disclosure.rules.evidence import Evidence as Evidence
from disclosure.rules.evidence import PrimaryRule as PrimaryRule
from disclosure.rules.minimum_count import MinimumCount as MinimumCount
from disclosure.rules.minimum_denominator import MinimumDenominator as MinimumDenominator
from disclosure.rules.minimum_schools import MinimumSchools as MinimumSchools
from disclosure.rules.p_percent import PPercent as PPercent
from disclosure.rules.prior_posterior import PriorPosterior as PriorPosterior
from disclosure.rules.quantile_sides import QuantileSides as QuantileSides
from disclosure.rules.residual_dof import ResidualDegreesOfFreedom as ResidualDegreesOfFreedom
from disclosure.tables import Flags

RULES: tuple[type[PrimaryRule], ...] = (
    MinimumCount,
    ClassDisclosure,
    Dominance,
    PPercent,
    PriorPosterior,
    MinimumSchools,
    MinimumDenominator,
    QuantileSides,
    ResidualDegreesOfFreedom,
)


def judge(rule: PrimaryRule, evidence: Mapping[Evidence, Any]) -> Flags:
    """Which cells the rule hides. Raises ValueError where evidence that it needs is not there."""
    missing = [name for name in rule.needs if name not in evidence]
    if missing:
        raise ValueError(f"{rule.name} wants {', '.join(missing)}")
    return rule.sensitive(**{name.value: evidence[name] for name in rule.needs})
