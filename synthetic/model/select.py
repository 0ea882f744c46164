"""Which cliques may be chosen, and what is expected of each: from public things and the model so far alone."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from disclosure.noise import sigma
from synthetic.model.count import table_of
from synthetic.model.domain import Clique, Domain, Integers
from synthetic.model.estimate import Fitted
from synthetic.model.junction import Graph
from synthetic.model.measure import Meter
from synthetic.model.sample import Sampler
from synthetic.model.settings import Settings
from synthetic.model.zeros import Zeros

MOST = 20_000_000
"""Cells of all candidates together: 160 MB of counts."""
TYPICAL = 100
"""Cells of the clique that gets one share of the budget when penalties are reckoned."""


class Candidates:
    """Pairs, triples …, each to be chosen once, as long as the junction tree stays small."""

    def __init__(self, zeros: Zeros, settings: Settings, picks: int, seed: int) -> None:
        domain = zeros.domain
        self._domain, self._settings, self._seed = domain, settings, seed
        self._graph = Graph(domain.sizes, zeros.cells)
        self.all = _candidates(domain, settings)
        self.left = min(picks, len(self.all))

    def choose(self, meter: Meter, fitted: Fitted, number: float, share: float, nano_rho: int) -> list[Clique]:
        """The next few, each at `nano_rho`; none where none fits. share: nano-ρ to measure a typical one."""
        expected = self._expected(fitted, number)
        tree = self._settings.cells_of_tree(number)
        penalties = {clique: self._penalty(clique, share) for clique in self.all}
        found: list[Clique] = []
        while len(found) < self._settings.batch and self.left:
            # Two of one batch that share a pair would be chosen for the same reason.
            apart = [c for c in self.all if all(len({*c} & {*other}) < 2 for other in found)]
            fitting = [c for c in apart if self._fits(c, tree)]
            if not fitting:
                break
            clique = meter.choose({c: expected[c] for c in fitting}, penalties, nano_rho)
            self._take(clique)
            found.append(clique)
        if not found:
            self.left = 0
        return found

    def _take(self, clique: Clique) -> None:
        self.all.remove(clique)
        self._graph.join(self._domain.places_of(clique))
        self.left = min(self.left - 1, len(self.all))

    def _fits(self, clique: Clique, tree: int) -> bool:
        places = self._domain.places_of(clique)
        return self._graph.has(places) or self._graph.with_clique(places).cells <= tree

    def _penalty(self, clique: Clique, share: float) -> int:
        """The absolute error that its noise would make, over all its cells."""
        cells = self._domain.cells(clique)
        price = max(1, int(share * min(4.0, max(0.1, (cells / TYPICAL) ** (2 / 3)))))
        return round(self._settings.penalty * math.sqrt(2 / math.pi) * sigma(1, price) * cells)

    def _expected(self, fitted: Fitted, number: float) -> dict[Clique, Integers]:
        """Counted on rows of the model: exact margins of columns far apart in the tree would cost far more."""
        rows = self._settings.probe
        probe = Sampler(fitted).draw(rows, self._seed, 0)
        columns = [column.astype(np.int32) for column in probe]
        scale = number / rows
        tables = {c: table_of(columns, c, self._domain) for c in self.all}
        return {c: np.rint(table * scale).astype(np.int64) for c, table in tables.items()}


def _candidates(domain: Domain, settings: Settings) -> list[Clique]:
    """The smaller first, so that what is left out for their number are the largest."""
    widths = range(2, min(settings.width, len(domain.names)) + 1)
    every = [clique for width in widths for clique in combinations(domain.names, width)]
    cells = {clique: domain.cells(clique) for clique in every}
    few = sorted((c for c in every if cells[c] <= settings.largest), key=lambda c: (cells[c], domain.places_of(c)))
    within = np.cumsum([cells[c] for c in few]) <= MOST
    return [clique for clique, kept in zip(few, within, strict=True) if kept]
