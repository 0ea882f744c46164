"""Structural zeros: rows that public rules exclude are never drawn, and all else is as without them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from disclosure.noise import sigma
from disclosure.tables import Integers, Noise
from synthetic.model import ArrayCounter, Domain, Model, Settings, Zero, ZerosRefused, fit, sample
from synthetic.model.estimate import Fitted, Target, estimate
from synthetic.model.junction import Graph, JunctionTree, calibrate, logs_of, spread
from synthetic.model.sample import TOP, Sampler, _pick, _steps
from synthetic.model.zeros import Zeros
from tests.lib.effort import examples

SIZES = (3, 2, 4, 3)
DOMAIN = Domain(("a", "b", "c", "d"), SIZES)
QUICK = Settings(steps=20, last_steps=80, probe=20_000)
ROWS = 20_000
RULE = Zero((("a", (0,)), ("b", (1,))))
CHAIN = (RULE, Zero((("b", (0,)), ("c", (3,)))), Zero((("a", (2,)), ("c", (0, 1)), ("d", (2,)))))


def breaking(rows: np.ndarray, zeros: tuple[Zero, ...]) -> np.ndarray:
    """Which rows do, by the definition."""
    columns = dict(zip(DOMAIN.names, rows.T, strict=True))
    found = np.zeros(len(rows), np.bool_)
    for zero in zeros:
        found |= np.all([np.isin(columns[n], codes) for n, codes in zero.of], axis=0)
    return found


def broken(rows: np.ndarray, zeros: tuple[Zero, ...]) -> int:
    return int(breaking(rows, zeros).sum())


def pupils(zeros: tuple[Zero, ...] = CHAIN, rows: int = ROWS) -> np.ndarray:
    """Of whom the rules hold, and whose columns go together."""
    draw = np.random.default_rng(4)
    made = draw.integers(0, SIZES, (3 * rows, 4))
    made[:, 3] = np.where(draw.random(len(made)) < 0.5, made[:, 0], made[:, 3])
    return made[~breaking(made, zeros)][:rows]


def fitted(rows: np.ndarray, zeros: tuple[Zero, ...], seed: int = 1) -> Model:
    """With noise that is the same each time, so that no comparison is left to chance."""
    draw = np.random.default_rng(seed)

    def noise(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        return values + np.rint(draw.normal(0, sigma(distance, nano_rho), values.shape)).astype(np.int64)

    def farthest(scores: Integers, distance: int, nano_rho: int) -> int:
        return int(scores.argmax())

    counter = ArrayCounter(rows, DOMAIN)
    return fit(counter, DOMAIN, 0.001, 1, QUICK, zeros=zeros, noise=noise, chooser=farthest)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return pupils()


def test_no_row_has_what_nobody_can_have(rows: np.ndarray) -> None:
    made = sample(fitted(rows, CHAIN), 600_000, 3)
    assert broken(made, CHAIN) == 0
    assert all(set(made[:, i]) == set(range(size)) for i, size in enumerate(SIZES))


def test_without_them_some_rows_have_it(rows: np.ndarray) -> None:
    """The control: noise alone does not leave these cells empty."""
    assert broken(sample(fitted(rows, ()), 600_000, 3), CHAIN) > 100


def test_other_margins_are_as_near_as_without(rows: np.ndarray) -> None:
    def apart(model: Model) -> float:
        made = sample(model, ROWS, 1)
        return sum(
            np.abs(np.bincount(x, minlength=16) - np.bincount(y, minlength=16)).sum() / 2 / ROWS
            for i, j in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
            for x, y in [(made[:, i] * 4 + made[:, j], rows[:, i] * 4 + rows[:, j])]
        )

    with_them, without = (np.mean([apart(fitted(rows, zeros, seed)) for seed in (1, 2)]) for zeros in (CHAIN, ()))
    assert with_them < without * 1.1


def test_a_rule_that_is_untrue_costs_no_more_and_only_leaves_its_rows_out() -> None:
    everybody = np.random.default_rng(1).integers(0, SIZES, (ROWS, 4))
    model, without = fitted(everybody, CHAIN), fitted(everybody, ())
    assert broken(everybody, CHAIN) > 1000
    assert broken(sample(model, ROWS, 1), CHAIN) == 0
    assert model.nano_rho == pytest.approx(without.nano_rho, rel=0.01)


@pytest.mark.parametrize("codes", [4, 20])
def test_the_last_number_of_the_sequence_finds_a_possible_code(codes: int) -> None:
    """Both ways of drawing; the codes after the last possible one have no part, however the parts were rounded."""
    draw = np.random.default_rng(2)
    table = draw.random((50, codes))
    last = draw.integers(0, codes, 50)
    table[np.arange(codes) > last[:, None]] = 0
    tree = JunctionTree.of(Graph((50, codes), [(0, 1)]))
    steps = {step.column: step for step in _steps(Fitted(tree, (table / table.sum(),), {}))}
    group = np.arange(50, dtype=np.uint32)
    assert (_pick(steps[1].ends, group, np.full(50, TOP - 1, np.uint32), np.uint8) == last).all()
    assert (_pick(steps[1].ends, group, np.zeros(50, np.uint32), np.uint8) == 0).all()


tables = st.integers(0, 2**32 - 1)
places = st.sets(st.integers(0, 3), min_size=2, max_size=3)


@st.composite
def rules(draw: st.DrawFn) -> tuple[Zero, ...]:
    return tuple(
        Zero(
            tuple(
                (DOMAIN.names[i], tuple(draw(st.sets(st.integers(0, SIZES[i] - 1), min_size=1, max_size=SIZES[i]))))
                for i in sorted(draw(places))
            )
        )
        for _ in range(draw(st.integers(1, 4)))
    )


def by_hand(zeros: tuple[Zero, ...]) -> np.ndarray:
    """All rows of the domain that no rule excludes."""
    every = np.array(list(product(*map(range, SIZES))))
    return every[~breaking(every, zeros)]


@given(rules(), tables, st.sampled_from([1e-2, 1e-6, 1e-12]))
@settings(max_examples=examples(150), deadline=None)
def test_any_rules_hold_of_any_distribution_or_are_refused(zeros: tuple[Zero, ...], seed: int, ridge: float) -> None:
    """Refused only where nobody has a place left: told by going through all rows."""
    left = by_hand(zeros)
    try:
        public = Zeros(DOMAIN, zeros)
    except ZerosRefused:
        assert not len(left)
        return
    spoken = [i for i, name in enumerate(DOMAIN.names) if any(name in dict(zero.of) for zero in zeros)]
    nobody = {(DOMAIN.names[i], code) for i in spoken for code in {*range(SIZES[i])} - {*left[:, i]}}
    assert public.codes_of_nobody == nobody
    draw = np.random.default_rng(seed)
    shares = {(i,): draw.dirichlet(np.full(SIZES[i], 0.3)) for i in range(4)} | {
        (0, 2): draw.dirichlet(np.full(12, 0.3)).reshape(3, 4)
    }
    aims = {c: Target(s, np.full(s.shape, ridge)) for c, s in shares.items()}
    found = estimate(SIZES, aims, {}, 60, zeros=public)
    assert broken(Sampler(found).rows(3_000, seed), zeros) == 0


@given(rules())
@settings(max_examples=examples(100), deadline=None)
def test_the_tree_has_no_weight_where_nobody_can_be_and_even_weight_elsewhere(zeros: tuple[Zero, ...]) -> None:
    try:
        public = Zeros(DOMAIN, zeros)
    except ZerosRefused:
        return
    tree = JunctionTree.of(Graph(SIZES, public.cells))
    found, _ = calibrate(tree, public.logs(tree))
    left = by_hand(zeros)
    for clique, table in zip(tree.cliques, found, strict=True):
        counts = np.zeros(table.shape)
        np.add.at(counts, tuple(left[:, i] for i in clique), 1 / len(left))
        np.testing.assert_allclose(table, counts, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_rules_that_no_pupil_keeps_leave_a_distribution_all_the_same(reverse: bool, seed: int) -> None:
    """Ten columns that rules make equal, of which half are nearly always 1 and half nearly always 0: all weights that
    margins ask for are in combinations that nobody can have, hundreds of powers of ten from those that are left."""
    columns = 10
    domain = Domain([f"c{i}" for i in range(columns)], [2] * columns)
    draw = np.random.default_rng(seed)
    rows = (draw.random((2_000, columns)) < np.where(np.arange(columns) < 5, 0.999, 0.001)).astype(int)
    pairs = [(i, i + 1) for i in range(columns - 1)]
    zeros = [Zero(((f"c{i}", (a,)), (f"c{j}", (1 - a,)))) for i, j in pairs for a in (0, 1)][:: -1 if reverse else 1]
    model = fit(ArrayCounter(rows, domain), domain, 1.0, 1, QUICK, zeros=zeros)
    assert all(np.isfinite(table).all() and abs(table.sum() - 1) < 1e-9 for table in model.fitted.tables)
    made = sample(model, 5_000, 2)
    assert (made == made[:, :1]).all()


def test_weights_that_are_far_apart_are_not_lost_between_cliques() -> None:
    """Against sums of all combinations in logarithms."""
    draw, cliques, sizes = np.random.default_rng(9), [(0, 1), (1, 2), (2, 3)], (2, 3, 2, 3)
    potentials = {c: draw.normal(0, 600, [sizes[i] for i in c]) for c in cliques}
    potentials[0, 1][0] = potentials[2, 3][:, 1:] = -np.inf
    tree = JunctionTree.of(Graph(sizes, cliques))
    tables, log_z = calibrate(tree, logs_of(tree, potentials, {c: tree.home(c) for c in cliques}))
    whole = sum(spread(v, c, (0, 1, 2, 3), sizes) for c, v in potentials.items())
    assert log_z == pytest.approx(logsumexp(whole))
    for clique, table in zip(tree.cliques, tables, strict=True):
        rest = tuple(i for i in range(4) if i not in clique)
        np.testing.assert_allclose(table, np.exp(whole - log_z).sum(axis=rest), atol=1e-9)


def contradictory() -> Iterator[tuple[tuple[Zero, ...], str]]:
    yield (Zero((("a", (5,)), ("b", (0,)))),), "a: has the codes 0 to 2"
    yield (Zero((("a", (0, 1, 2)), ("b", (0, 1)))),), "nobody could be anywhere"
    yield tuple(Zero((("a", (a,)), ("b", (0, 1)))) for a in range(3)), "nobody could be anywhere"
    yield (RULE,) * 1_001, "at most 1,000 rules"


@pytest.mark.parametrize(("zeros", "why"), list(contradictory()))
def test_rules_that_leave_somebody_no_place_are_refused_before_anything_is_counted(
    zeros: tuple[Zero, ...], why: str
) -> None:
    class Never:
        def count_cells(self, clique: tuple[str, ...], domain: Domain) -> np.ndarray:
            raise AssertionError("was asked")

    with pytest.raises(ZerosRefused, match=why):
        fit(Never(), DOMAIN, 0.01, settings=QUICK, zeros=zeros)


def test_a_code_that_nobody_could_have_is_told_and_never_drawn(rows: np.ndarray) -> None:
    zeros = (RULE, Zero((("a", (0,)), ("c", (0, 1)))), Zero((("b", (0,)), ("c", (2, 3)))))
    assert Zeros(DOMAIN, zeros).codes_of_nobody == {("a", 0)}
    made = sample(fitted(rows, zeros), 10_000, 1)
    assert set(made[:, 0]) == {1, 2} and broken(made, zeros) == 0


@pytest.mark.parametrize(
    "of",
    [
        *((), (("a", (1,)),), (("a", (1,)), ("b", ())), (("a", (1,)), ("a", (2,)))),
        tuple((f"c{i}", (0,)) for i in range(17)),
    ],
)
def test_a_rule_is_of_two_columns_or_more(of: tuple[tuple[str, tuple[int, ...]], ...]) -> None:
    with pytest.raises(ZerosRefused, match="two columns or more"):
        Zero(of)


@pytest.mark.parametrize("size", [500, 60_000])
def test_rules_over_too_many_codes_are_refused_before_a_table_is_made(size: int) -> None:
    wide = Domain(("x", "y", "z", *(f"c{i}" for i in range(16))), (size, size, 2, *[2**10] * 16))
    with pytest.raises(ZerosRefused, match="more than 100,000 cells"):
        Zeros(wide, (Zero((("x", (0,)), ("y", (0,)))),))
    with pytest.raises(ZerosRefused, match="more than 100,000 cells"):
        Zeros(wide, (Zero(tuple((f"c{i}", (0,)) for i in range(16))),))
    if size == 500:
        assert not Zeros(wide, (Zero((("x", (0,)), ("z", (0,)))),)).codes_of_nobody, "columns apart do not count"


def test_without_rules_a_fit_is_as_if_there_were_none() -> None:
    aims = {(0, 1): Target(np.full((3, 2), 1 / 6), np.full((3, 2), 1e-3))}
    alone = estimate(SIZES, aims, {}, 20)
    for table, other in zip(alone.tables, estimate(SIZES, aims, {}, 20, zeros=Zeros(DOMAIN)).tables, strict=True):
        np.testing.assert_array_equal(table, other)


def test_a_model_without_a_distribution_draws_nothing() -> None:
    tree = JunctionTree.of(Graph(SIZES, [(0, 1), (2, 3)]))
    with pytest.raises(ValueError, match="no distribution"):
        Sampler(Fitted(tree, tuple(np.full(tree.shape(c), np.nan) for c in tree.cliques), {}))
