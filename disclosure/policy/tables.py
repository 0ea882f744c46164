"""The tables of a policy file: a flat catalogue of rules and of their fields, each with its direction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from disclosure.fields import (
    BOTH,
    OFFICIAL,
    Change,
    Field,
    Mode,
    any_change_loosens,
    fraction,
    higher_loosens,
    later_loosens,
    lower_loosens,
    neither,
    number,
    whole,
    word,
)
from disclosure.rounding import RoundingMethod
from disclosure.rules import RULES, MinimumCount, MinimumDenominator
from disclosure.suppression.problem import Method

DP = (Mode.DP,)
NOISES = ("gaussian", "laplace")
METHODS = tuple(method.value for method in (Method.BOX, Method.OPTIMAL, Method.NONE))
HIDES_NO_MORE = ("method", Method.NONE.value)


@dataclass(frozen=True, slots=True)
class Table:
    """adding: what it does to a policy to get this rule. described: it wants plain, source, verified and owner."""

    name: str
    fields: tuple[Field, ...]
    modes: tuple[Mode, ...] = BOTH
    optional: bool = False
    adding: Change = Change.TIGHTENS
    described: bool = True

    def of(self, mode: Mode) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if mode in field.modes)


def _is_a_sentence(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) >= 5


_DELTA = ("1e-15", "0.00001")
_BUDGET = Table(
    "budget",
    (
        number("cut_rho", "0", "100", higher_loosens("the higher, the more may be learnt from the cut"), DP),
        number("default_rho", "0", "100", higher_loosens("the higher, the less noise a measurement has"), DP),
        number("query_rho", "0", "100", higher_loosens("the higher, the less noise one may ask for"), DP),
        number("delta", "0", "0.00001", neither("it puts the same rho as another epsilon"), DP),
    ),
    DP,
)  # fmt: skip
_MECHANISM = Table(
    "mechanism",
    (
        word(
            "noise", NOISES, later_loosens(NOISES[::-1], "pure epsilon-DP is the stronger promise at the same rho"), DP
        ),
    ),
    DP,
)
_ROUNDING = Table(
    "rounding",
    (
        whole("base", 1, 1000, lower_loosens("the lower, the nearer to the truth is what is shown")),
        word(
            "method", tuple(RoundingMethod),
            any_change_loosens("methods leave an attacker different things to work on, and cannot be ordered"),
        ),
    ),
)  # fmt: skip
_SECONDARY = Table(
    "secondary",
    (
        word("method", METHODS, later_loosens(METHODS, "'optimal' hides as little as it can, 'none' nothing more")),
        replace(
            whole("width", 1, 1000, lower_loosens("the lower, the more closely a hidden count may be worked out")),
            unless=HIDES_NO_MORE,
        ),
        replace(
            whole("most_cells", 1, 50_000, higher_loosens("the higher, the larger the tables that are released")),
            unless=HIDES_NO_MORE,
        ),
    ),
    OFFICIAL,
)
_CELL_KEY = Table(
    "cell_key",
    (
        whole("max_noise", 2, 10, lower_loosens("the lower, the less a count is moved"), OFFICIAL),
        number("variance", "0", "40", lower_loosens("the lower, the less a count is moved"), OFFICIAL),
        whole("not_shown", 0, 5, lower_loosens("the lower, the smaller the counts that are shown"), OFFICIAL),
        word("zeros", ("keep",), any_change_loosens("zeros are treated otherwise")),
    ),
    OFFICIAL,
    optional=True,
)
_SPARSITY = Table(
    "sparsity",
    (fraction("most_share", 1, higher_loosens("the higher, the sparser the tables that are released")),),
    OFFICIAL,
    optional=True,
)
_AD_HOC = Table(
    "ad_hoc",
    (
        Field(
            "acknowledged_risk", "a sentence that names the risk (five words or more)", _is_a_sentence,
            neither("the sentence is for people"), OFFICIAL,
        ),
    ),
    OFFICIAL, optional=True, adding=Change.LOOSENS, described=False,
)  # fmt: skip
_DIFFERENCING = Table(
    "differencing",
    (
        whole("most_populations", 1, 100_000,
              higher_loosens("the higher, the more populations can be compared with each other"), OFFICIAL),
    ),
    # It comes and goes with [ad_hoc], of which it is said what that does.
    OFFICIAL, optional=True, adding=Change.NEITHER,
)  # fmt: skip
_LISTED_GROUPS = Table(
    "listed_groups",
    (
        number("delta", *_DELTA, higher_loosens("the higher, the smaller the groups that are listed"), DP),
        number("delta_total", *_DELTA, higher_loosens("the higher, the more lists may be made"), DP),
        whole("most_groups", 1, 50_000, higher_loosens("the higher, the more groups are listed"), DP),
    ),
    DP, optional=True, adding=Change.LOOSENS,
)  # fmt: skip
_SYNTHETIC_MODEL = Table(
    "synthetic_model",
    (number("most_rho", "0", "100", higher_loosens("the higher, the more may be learnt from the models"), DP),),
    DP, optional=True, adding=Change.LOOSENS,
)  # fmt: skip
_RELIABILITY = Table(
    "reliability",
    (number("relative_margin", "0", "10", neither("it marks numbers and hides none")),),
)
_INTERVALS = Table(
    "intervals",
    (number("confidence", "0.5", "0.999", neither("intervals are made of what is shown anyway")),),
)
_LIMITS = Table(
    "limits",
    (
        whole("cells", 1, 50_000, higher_loosens("the higher, the more numbers one answer has")),
        whole("group_by", 0, 8, higher_loosens("the higher, the finer a table may be")),
    ),
)
_FOR_BOTH_MODES = (MinimumCount, MinimumDenominator)
TABLES: tuple[Table, ...] = (
    _BUDGET,
    _MECHANISM,
    *(Table(rule.name, rule.fields) for rule in _FOR_BOTH_MODES),
    *(Table(rule.name, rule.fields, OFFICIAL, optional=True) for rule in RULES if rule not in _FOR_BOTH_MODES),
    _SECONDARY,
    _ROUNDING,
    _CELL_KEY,
    _SPARSITY,
    _RELIABILITY,
    _INTERVALS,
    _LIMITS,
    _AD_HOC,
    _DIFFERENCING,
    _LISTED_GROUPS,
    _SYNTHETIC_MODEL,
)
