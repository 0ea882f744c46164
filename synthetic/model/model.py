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


@dataclass(frozen=True, eq=False)
class Model:
    """nano_rho: what the fit spent, on the margins and on choosing them."""

    domain: Domain
    settings: Settings
    measured: tuple[Margin, ...]
    nano_rho: int

    def __post_init__(self) -> None:
        if {m.clique for m in self.measured if len(m.clique) == 1} != {(name,) for name in self.domain.names}:
            raise ValueError("a model has a margin of each column")
        if sum(m.nano_rho for m in self.measured) > self.nano_rho:
            raise ValueError("the margins of a model cost no more than its fit")

    @property
    def margins(self) -> Mapping[Clique, Integers]:
        """Noisy counts."""
        return {m.clique: m.counts for m in self.measured}

    @property
    def rho_spent(self) -> float:
        return self.nano_rho / NANO

    def sigma_of(self, clique: Clique) -> float:
        """Standard deviation of the noise in each cell of a margin."""
        return next(m.sigma for m in self.measured if m.clique == clique)

    @property
    def pupils(self) -> float:
        """About how many there were: a noisy number."""
        return pupils(self.measured)

    @cached_property
    def fitted(self) -> Fitted:
        aims = targets(self.measured, self.domain, self.settings.ridge)
        return estimate(self.domain.sizes, aims, {}, self.settings.last_steps)

    @cached_property
    def sampler(self) -> Sampler:
        return Sampler(self.fitted)


def sample(model: Model, rows: int, seed: int, workers: int = 1) -> Codes:
    """Rows by columns of codes. The same seed gives the same rows, with any number of workers."""
    return model.sampler.rows(rows, seed, workers)
