"""A fitted model: noisy margins and settings. All else is worked out from them, the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from disclosure.accounting import NANO
from synthetic.model.domain import Clique, Codes, Domain, Integers
from synthetic.model.estimate import Fitted, estimate
from synthetic.model.measure import Margin
from synthetic.model.sample import Sampler
from synthetic.model.settings import Settings
from synthetic.model.targets import pupils, targets
from synthetic.model.zeros import Zeros


@dataclass(frozen=True, eq=False)
class Model:
    """zeros: over the domain, public as that is. nano_rho: what the fit spent, on the margins and on choosing them."""

    zeros: Zeros
    settings: Settings
    measured: tuple[Margin, ...]
    nano_rho: int

    def __post_init__(self) -> None:
        if {m.clique for m in self.measured if len(m.clique) == 1} != {(name,) for name in self.domain.names}:
            raise ValueError("a model has a margin of each column")
        if sum(m.nano_rho for m in self.measured) > self.nano_rho:
            raise ValueError("the margins of a model cost no more than its fit")

    @property
    def domain(self) -> Domain:
        return self.zeros.domain

    @property
    def margins(self) -> Mapping[Clique, Integers]:
        """Noisy counts."""
        return {m.clique: m.counts for m in self.measured}

    @property
    def rho_spent(self) -> float:
        return self.nano_rho / NANO

    @property
    def pupils(self) -> float:
        """About how many there were: a noisy number."""
        return pupils(self.measured)

    @cached_property
    def fitted(self) -> Fitted:
        aims = targets(self.measured, self.zeros, self.settings.ridge)
        return estimate(self.domain.sizes, aims, {}, self.settings.last_steps, zeros=self.zeros)

    @cached_property
    def sampler(self) -> Sampler:
        return Sampler(self.fitted)


def sample(model: Model, rows: int, seed: int, workers: int = 1) -> Codes:
    """Rows by columns of codes. The same seed gives the same rows, with any number of workers."""
    return model.sampler.rows(rows, seed, workers)
