"""The way of a fit: one-ways, then rounds of choosing, measuring and estimating until the budget is spent.

The idea of choosing what the model gets most wrong, less what noise would cost, is that of AIM (McKenna, Mullins,
Sheldon & Miklau, arXiv 2201.12677). How the budget is shared between tables of n cells (like n^⅔) makes the sum of
their absolute errors least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from disclosure.accounting import NANO, share_out
from disclosure.noise import NoiseSource, add_noise, noisy_max
from synthetic.model.count import Counter
from synthetic.model.domain import Clique, Domain
from synthetic.model.estimate import Fitted, estimate
from synthetic.model.measure import Chooser, Margin, Meter
from synthetic.model.model import Model
from synthetic.model.select import Candidates
from synthetic.model.settings import Settings
from synthetic.model.targets import pupils, targets
from synthetic.model.zeros import Zero, Zeros

STEPS = "fit"
Told = Callable[[str, int, int], None]
"""A step, how much of it is done, and how much there is."""


def silent(step: str, done: int, of: int) -> None:
    """Nobody watches the fit."""


def fit(
    counter: Counter,
    domain: Domain,
    rho: float,
    seed: int | None = None,
    settings: Settings | None = None,
    *,
    zeros: Sequence[Zero] = (),
    noise: NoiseSource = add_noise,
    chooser: Chooser = noisy_max,
    told: Told = silent,
) -> Model:
    """A model of the counter's pupils, which is rho-zCDP for one pupil with one row.

    seed: of the rows by which models are looked at between rounds, not of any noise, which is always fresh.
    zeros: public. Raises ZerosRefused where they contradict the domain or each other, before anything is counted.
    """
    public = Zeros(domain, tuple(zeros))
    settings = settings or Settings()
    meter = Meter(counter, domain, math.floor(rho * NANO + 1e-6), noise, chooser)
    picks = _picks(domain, settings)
    candidates = Candidates(public, settings, picks, seed or 0)
    margins = _one_ways(meter, domain, settings if candidates.all else None)
    chosen_for = int(meter.budget * settings.choosing / picks)
    fitted = _estimated(margins, public, settings, None)
    while candidates.left:
        told(STEPS, picks - candidates.left, picks)
        left = meter.budget - meter.spent - chosen_for * candidates.left
        share = left / candidates.left
        found = candidates.choose(meter, fitted, pupils(margins), share, chosen_for)
        if not found:
            break
        margins += _measured(meter, domain, found, int(share * len(found)))
        fitted = _estimated(margins, public, settings, fitted)
    told(STEPS, picks, picks)
    return Model(public, settings, tuple(margins), meter.spent)


def _picks(domain: Domain, settings: Settings) -> int:
    return settings.picks or 2 * len(domain.names)


def _one_ways(meter: Meter, domain: Domain, settings: Settings | None) -> list[Margin]:
    """settings: None where nothing else is to be measured."""
    share = 1.0 if settings is None else settings.ones
    return _measured(meter, domain, [(name,) for name in domain.names], int(meter.budget * share))


def _measured(meter: Meter, domain: Domain, cliques: list[Clique], nano_rho: int) -> list[Margin]:
    prices = share_out(nano_rho, [domain.cells(clique) ** (2 / 3) for clique in cliques])
    return [meter.measure(clique, price) for clique, price in zip(cliques, prices, strict=True)]


def _estimated(margins: list[Margin], zeros: Zeros, settings: Settings, before: Fitted | None) -> Fitted:
    start = before.potentials if before else {}
    aims = targets(margins, zeros, settings.ridge)
    return estimate(zeros.domain.sizes, aims, start, settings.steps, zeros=zeros)
