"""From noisy margins to the distribution of greatest entropy that is near them.

Over log-linear models p_θ of the measured cliques, minimise  log Z(θ) − Σ_c θ_c·y_c/N + ½ Σ_c s_c·θ_c²,  the dual of
"greatest entropy with a penalty on the distance from each margin" (Dudík, Phillips & Schapire, JMLR 8 (2007), 1217).
It is smooth and strictly convex, so there is one answer. s_c is the variance of a cell's noise, as a share of the
pupils, over what a cell is expected to hold: where noise is large against a cell, the cell stays near what the rest of
the model says. The margins of single columns, which are measured best, are then met as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from synthetic.model.domain import Floats
from synthetic.model.junction import Graph, JunctionTree, Places, calibrate, logs_of, summed
from synthetic.model.zeros import Zeros

FARTHEST = 500.0
"""Of a potential from nought, where there are zeros: no factor that pupils can ask for."""
SWEEPS = 2
"""Of proportional fitting to the margins of single columns, at the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One margin to be near. shares: of all pupils, noisy; ridge: s_c, for each cell."""

    shares: Floats
    ridge: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """tables: probabilities over each clique of the tree."""

    tree: JunctionTree
    tables: tuple[Floats, ...]
    potentials: Mapping[Places, Floats]

    def marginal(self, clique: Places) -> Floats:
        """Of columns that one clique of the tree holds."""
        home = self.tree.home(clique)
        return summed(self.tables[home], self.tree.cliques[home], clique)


class _Dual:
    """The problem in one vector: the potentials of all cliques, scaled so that each has about the same curvature."""

    def __init__(self, sizes: tuple[int, ...], targets: Mapping[Places, Target], zeros: Zeros | None) -> None:
        self.cliques = list(targets)
        self.shapes = [targets[c].shares.shape for c in self.cliques]
        self.ends = np.cumsum([targets[c].shares.size for c in self.cliques])[:-1]
        self.shares = np.concatenate([targets[c].shares.ravel() for c in self.cliques])
        self.ridge = np.concatenate([targets[c].ridge.ravel() for c in self.cliques])
        self.scale = 1 / np.sqrt(np.maximum(self.shares, 0) + self.ridge + 1e-7)
        self.tree = JunctionTree.of(Graph(sizes, [*self.cliques, *(zeros.cells if zeros else ())]))
        self.never = zeros.logs(self.tree) if zeros and zeros.all else []
        self.homes = {clique: self.tree.home(clique) for clique in self.cliques}

    def potentials(self, scaled: Floats) -> dict[Places, Floats]:
        parts = np.split(scaled * self.scale, self.ends)
        return {c: part.reshape(shape) for c, part, shape in zip(self.cliques, parts, self.shapes, strict=True)}

    def scaled(self, potentials: Mapping[Places, Floats]) -> Floats:
        whole = zip(self.cliques, self.shapes, strict=True)
        parts = [potentials[c].ravel() if c in potentials else np.zeros(shape).ravel() for c, shape in whole]
        return np.asarray(np.concatenate(parts) / self.scale)

    @property
    def bounds(self) -> Bounds | None:
        """Zeros may leave no distribution with these margins, and potentials that look for one without end."""
        return Bounds(-FARTHEST / self.scale, FARTHEST / self.scale) if self.never else None

    def tables(self, potentials: Mapping[Places, Floats]) -> tuple[list[Floats], float]:
        logs: Sequence[Floats] = logs_of(self.tree, potentials, self.homes)
        return calibrate(self.tree, [a + b for a, b in zip(logs, self.never, strict=True)] if self.never else logs)

    def margin(self, tables: list[Floats], clique: Places) -> Floats:
        home = self.homes[clique]
        return summed(tables[home], self.tree.cliques[home], clique)

    def loss(self, scaled: Any) -> tuple[float, Floats]:
        tables, log_z = self.tables(self.potentials(scaled))
        theta = scaled * self.scale
        pull = self.ridge * theta
        value = log_z - float(theta @ self.shares) + 0.5 * float(theta @ pull)
        margins = np.concatenate([self.margin(tables, c).ravel() for c in self.cliques])
        return value, (margins - self.shares + pull) * self.scale


def estimate(
    sizes: tuple[int, ...],
    targets: Mapping[Places, Target],
    start: Mapping[Places, Floats],
    steps: int,
    sweeps: int = SWEEPS,
    zeros: Zeros | None = None,
) -> Fitted:
    """start: potentials to begin from; where there are none, the columns on their own. zeros: where nobody can be,
    which the distribution gives no weight."""
    dual = _Dual(sizes, targets, zeros)
    ones = {c: _simplex(t.shares) for c, t in targets.items() if len(c) == 1}
    first = dual.scaled(start or {c: np.log(shares + 1e-9) for c, shares in ones.items()})
    found = minimize(
        dual.loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=dual.bounds,
        options={"maxiter": steps, "maxcor": 20, "gtol": 1e-7, "ftol": 1e-12},
    )
    potentials = dual.potentials(found.x)
    for clique, shares in [each for _ in range(sweeps) for each in ones.items()]:
        now = dual.margin(dual.tables(potentials)[0], clique)
        potentials[clique] = potentials[clique] + np.log(shares + 1e-9) - np.log(now + 1e-9)
    return Fitted(dual.tree, tuple(dual.tables(potentials)[0]), potentials)


def _simplex(shares: Floats) -> Floats:
    """The nearest shares that are not negative and add up to one."""
    down = np.sort(shares.ravel())[::-1]
    over = (np.cumsum(down) - 1) / np.arange(1, down.size + 1)
    return np.asarray(np.maximum(shares - over[np.flatnonzero(down > over)[-1]], 0))
