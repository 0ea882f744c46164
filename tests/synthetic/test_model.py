"""The model (T3): inference against brute force, sampling, budget, and what may be read."""

from __future__ import annotations

from functools import reduce
from itertools import combinations

import numpy as np
import pytest

from disclosure.noise import add_noise, noisy_max, sigma
from synthetic.model import ArrayCounter, Domain, Model, OutsideDomain, Settings, fit, sample
from synthetic.model.agree import agreed
from synthetic.model.junction import Graph, JunctionTree, calibrate, logs_of, spread
from synthetic.model.measure import BudgetPassed, Meter

SMALL = Domain(("a", "b", "c", "d"), (3, 2, 4, 2))
QUICK = Settings(steps=20, last_steps=80, probe=20_000)
RHO = 0.01497


def pupils(rows: int, seed: int = 1) -> np.ndarray:
    """Rows in which b follows a, c follows a and b, and d follows c."""
    draw = np.random.default_rng(seed)
    a = draw.integers(0, 3, rows)
    b = (draw.random(rows) < 0.2 + 0.3 * a).astype(int)
    c = (a + b + (draw.random(rows) < 0.3)) % 4
    d = (draw.random(rows) < 0.1 + 0.2 * c).astype(int)
    return np.stack([a, b, c, d], axis=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return fit(ArrayCounter(pupils(50_000), SMALL), SMALL, RHO, settings=QUICK)


def test_marginals_of_a_tree_are_those_of_the_whole_table() -> None:
    draw, sizes = np.random.default_rng(3), (2, 3, 2, 4, 3)
    cliques = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]
    potentials = {c: draw.normal(size=[sizes[i] for i in c]) for c in cliques}
    tree = JunctionTree.of(Graph(sizes, cliques))
    tables, log_z = calibrate(tree, logs_of(tree, potentials, {c: tree.home(c) for c in cliques}))
    whole = np.exp(reduce(np.add, [spread(v, c, (0, 1, 2, 3, 4), sizes) for c, v in potentials.items()]))
    assert log_z == pytest.approx(np.log(whole.sum()))
    for clique, table in zip(tree.cliques, tables, strict=True):
        rest = tuple(i for i in range(5) if i not in clique)
        np.testing.assert_allclose(table, whole.sum(axis=rest) / whole.sum(), atol=1e-12)


def test_a_fit_costs_at_most_its_rho_and_spends_nearly_all(model: Model) -> None:
    assert 0.99 * RHO < model.rho_spent <= RHO


def test_rows_have_the_margins_of_the_data(model: Model) -> None:
    real, made = pupils(50_000), sample(model, 50_000, 1)
    for pair in combinations(range(4), 2):
        tables = [np.bincount(x[:, pair[0]] * 4 + x[:, pair[1]], minlength=16) / len(x) for x in (real, made)]
        assert np.abs(tables[0] - tables[1]).sum() / 2 < 0.01


def test_the_same_seed_gives_the_same_rows_with_any_number_of_workers(model: Model) -> None:
    rows = 2 * (1 << 18) + 100
    np.testing.assert_array_equal(sample(model, rows, 7), sample(model, rows, 7, workers=3))
    assert (sample(model, 1000, 7) != sample(model, 1000, 8)).any()


def test_a_value_outside_the_domain_is_refused() -> None:
    with pytest.raises(OutsideDomain):
        ArrayCounter(pupils(10) + 1, SMALL)


def test_margins_that_overlap_are_made_to_agree_by_least_squares() -> None:
    draw, sizes = np.random.default_rng(5), (3, 2, 4)
    sigmas = {(0,): 1.0, (0, 1): 2.0, (1, 2): 3.0, (0, 1, 2): 4.0}
    noisy = {c: draw.normal(1, 0.2, [sizes[i] for i in c]) for c in sigmas}
    made = agreed({c: (noisy[c], s) for c, s in sigmas.items()}, sizes)
    # The same by brute force: the table over all cells whose margins are nearest, with a total of one.
    rows, wanted, cells = [], [], np.indices(sizes).reshape(3, -1)
    for clique, wide in sigmas.items():
        for cell in np.ndindex(*[sizes[i] for i in clique]):
            rows.append(np.all([cells[i] == at for i, at in zip(clique, cell, strict=True)], axis=0) / wide)
            wanted.append(noisy[clique][cell] / wide)
    whole = np.linalg.lstsq(np.array([*rows, np.full(24, 1e6)]), np.array([*wanted, 1e6]), rcond=None)[0].reshape(sizes)
    for clique, table in made.items():
        np.testing.assert_allclose(table, whole.sum(axis=tuple(i for i in range(3) if i not in clique)), atol=1e-6)


def test_one_pupil_moves_every_table_and_score_by_at_most_one() -> None:
    """Neighbours, with what the model expects and all noise replayed: the lemmas of `measure`."""
    rows = pupils(200)
    more = np.vstack([rows, [[2, 1, 3, 0]]])
    for clique in [("a",), ("a", "c"), ("b", "c", "d")]:
        tables = [ArrayCounter(x, SMALL).count_cells(clique, SMALL) for x in (rows, more)]
        assert ((tables[0] - tables[1]) ** 2).sum() == 1
        expected = np.random.default_rng(1).integers(0, 50, tables[0].shape)
        assert abs(np.abs(tables[0] - expected).sum() - np.abs(tables[1] - expected).sum()) <= 1


def test_noise_is_as_wide_as_its_price_says() -> None:
    """Catches a build with a quarter of the noise: at one price, the spread of a table that should hold nothing."""
    meter = Meter(Nobody(), SMALL, 10**9, add_noise, noisy_max)
    noise = np.concatenate([meter.measure(("a", "c"), 1_000_000).counts.ravel() for _ in range(40)])
    assert 0.85 < noise.std() / sigma(1, 1_000_000) < 1.15
    assert not 0.85 < (noise / 4).std() / sigma(1, 1_000_000) < 1.15


def test_a_meter_spends_no_more_than_its_budget() -> None:
    meter = Meter(Nobody(), SMALL, 10, add_noise, noisy_max)
    meter.measure(("a",), 10)
    with pytest.raises(BudgetPassed):
        meter.measure(("b",), 1)


class Nobody:
    def count_cells(self, clique: tuple[str, ...], domain: Domain) -> np.ndarray:
        return np.zeros(domain.shape(clique), dtype=np.int64)
