"""What a policy says, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar, assert_never

from disclosure.accounting import delta
from disclosure.cell_key import Parameters, PTable, PTableRefused, maximum_entropy
from disclosure.fields import Mode
from disclosure.rounding import RoundingMethod
from disclosure.rules import Evidence, PrimaryRule
from disclosure.rules.shares import exceeds
from disclosure.suppression.problem import Method
from disclosure.tables import Integers, Noise

AnyRule = TypeVar("AnyRule", bound=PrimaryRule)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a number is what it is, for people."""

    plain: str
    source: str
    verified: bool
    owner: str


@dataclass(frozen=True, slots=True)
class ListedGroups:
    """Groups whose keys come from the data may be listed. delta: of one release, delta_total: of all of the cut's, in
    atto-δ; most_groups: rows of one answer; least: the minimum count that they are listed by, once for everybody, which
    a project's tightening leaves as it is.
    """

    delta: int
    delta_total: int
    most_groups: int
    least: int


@dataclass(frozen=True, slots=True)
class Secondary:
    """Which further cells are hidden.

    width: of the interval that an attacker must be left with for every primary cell; wider than the threshold is as
    good, since it only hides more. most_cells: of the largest table that is protected so; larger ones are refused. Both
    are 0 for `none`, which promises no width and hides nothing more.
    """

    method: Method
    width: int = 0
    most_cells: int = 0

    def __post_init__(self) -> None:
        limits = (self.width, self.most_cells)
        if limits != (0, 0) if self.method is Method.NONE else min(limits) < 1:
            raise ValueError("a method has a width and a number of cells, 'none' has neither")


@dataclass(frozen=True, slots=True)
class CellKey:
    """Counts are perturbed by their cells' keys. max_noise: the most that a count is moved, D. variance: at most, V.
    not_shown: the largest count above 0 that no count is moved to, js. Zeros are kept.

    Raises ValueError where no table has these, with what could be had.
    """

    max_noise: int
    variance: Decimal | int
    not_shown: int

    def __post_init__(self) -> None:
        try:
            self.table()
        except PTableRefused as refused:
            told = "; ".join(refused.problems)
            for theirs, ours in (("largest_change", "max_noise"), ("hidden_up_to", "not_shown")):
                told = told.replace(theirs, ours)
            raise ValueError(told) from None

    def table(self) -> PTable:
        return _table(self.max_noise, float(self.variance), self.not_shown)


@lru_cache(maxsize=16)
def _table(max_noise: int, variance: float, not_shown: int) -> PTable:
    return maximum_entropy(Parameters(max_noise, variance, not_shown))


@dataclass(frozen=True, slots=True)
class Sparsity:
    """most_share: of the cells with pupils, those that may be below the threshold; judged on the unfiltered table."""

    most_share: Decimal | int

    def refuses(self, pupils: Integers, least: int) -> bool:
        """pupils: int64 of any shape. A table in which nobody is, is not sparse."""
        few, some = int(((pupils > 0) & (pupils < least)).sum()), int((pupils > 0).sum())
        return bool(exceeds(few, some, self.most_share, 1))


@dataclass(frozen=True, slots=True)
class Differencing:
    """most_populations: different ones that free queries of one data set may be about."""

    most_populations: int


@dataclass(frozen=True, slots=True)
class Policy:
    """All amounts of privacy loss in nano-ρ; counts in pupils or rows as the measure counts.

    primary: the rules of an `official` policy in the order of `disclosure.rules.RULES`, minimum count first; none in
    `dp`, where thresholds are judged on noisy numbers. In `dp`, secondary is `none` and rounding conventional.
    model_cap: what one synthetic model may cost; 0 where none may be fitted.
    shown_coarser: what a project's tightening changes in what is shown, by `table.key`.
    """

    name: str
    version: int
    mode: Mode
    minimum_count: int
    rounding_base: int
    minimum_denominator: int
    relative_margin_low: float
    confidence: float
    max_cells: int
    max_group_by: int
    rules: Mapping[str, Rule]
    digest: str
    noise: Noise = Noise.NONE
    delta: float = 0.0
    cut_cap: int = 0
    default_price: int = 0
    query_cap: int = 0
    listed_groups: ListedGroups | None = None
    model_cap: int = 0
    acknowledged_risk: str = ""
    primary: tuple[PrimaryRule, ...] = ()
    secondary: Secondary = Secondary(Method.NONE)
    rounding_method: RoundingMethod = RoundingMethod.CONVENTIONAL
    cell_key: CellKey | None = None
    sparsity: Sparsity | None = None
    differencing: Differencing | None = None
    shown_coarser: tuple[tuple[str, int], ...] = ()

    def delta_with(self, listed: int) -> float:
        """The δ that belongs to an ε, which is that of ρ at the policy's own δ, beside this many atto-δ of listed
        groups."""
        return self.delta + float(delta(listed))

    def listed_at_most(self, spent: int) -> int:
        """atto-δ that listed groups may cost in all; more only where an earlier policy let more be spent."""
        return max(spent, self.listed_groups.delta_total if self.listed_groups else 0)

    def rule(self, kind: type[AnyRule]) -> AnyRule | None:
        """The primary rule of this kind, if the policy has it."""
        return next((rule for rule in self.primary if isinstance(rule, kind)), None)

    @property
    def evidence(self) -> frozenset[Evidence]:
        """What the primary rules look at together."""
        return frozenset(name for rule in self.primary for name in rule.needs)

    @property
    def largest(self) -> int:
        """How many of a cell's largest contributors they look at."""
        return max((rule.largest for rule in self.primary), default=0)

    @property
    def answers_ad_hoc(self) -> bool:
        """`official` answers free queries only where an officer has accepted the risk in words."""
        return self.mode is Mode.DP or bool(self.acknowledged_risk)

    @property
    def sells_precision(self) -> bool:
        """Only Gaussian noise is sold in parts: Laplace measurements are made once, at one price."""
        return self.noise is Noise.GAUSSIAN

    @property
    def of_a_measurement(self) -> str:
        """What of the policy makes a measurement another one. An `official` value depends on all of it, a Laplace
        measurement on its price, since it is never added to; a Gaussian one on nothing: display rules come later."""
        match self.noise:
            case Noise.NONE:
                return self.digest
            case Noise.LAPLACE:
                return f"laplace {self.default_price}"
            case Noise.GAUSSIAN:
                return ""
            case _:
                assert_never(self.noise)
