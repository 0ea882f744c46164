"""Attacks on a fitted model and on rows from it: who was in the data, and what can be told of them.

Each attack is told all but one thing. Work is done in processes of one thread each: BLAS threads would cost small fits
far more than they give.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from disclosure.noise import add_noise, noisy_max
from disclosure.tables import Integers, Noise
from synthetic.model import ArrayCounter, Domain, Model, Settings, fit, sample

Codes = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
T = TypeVar("T")
R = TypeVar("R")
QUICK = Settings(picks=5, batch=5, width=2, probe=2_000, steps=10, last_steps=30, tree=400)
"""Of a model of few columns: two estimates of few steps."""


def quarter(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
    """A quarter of the noise that was paid for."""
    return add_noise(values, distance, 16 * nano_rho, law=law)


def quarter_choice(scores: Integers, distance: int, nano_rho: int) -> int:
    """As `quarter`, of a choice: its noise, too, is as 1/√ρ."""
    return noisy_max(scores, distance, 16 * nano_rho)


@dataclass(frozen=True)
class Build:
    """The real one, unless told."""

    noise: Callable[..., Integers] = add_noise
    chooser: Callable[[Integers, int, int], int] = noisy_max

    def fit(self, codes: Codes, domain: Domain, rho: float, settings: Settings) -> Model:
        return fit(ArrayCounter(codes, domain), domain, rho, settings=settings, noise=self.noise, chooser=self.chooser)


REAL = Build()


def spread(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """`work` of each part, in two processes that start afresh."""
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            return list(pool.map(work, parts))
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before


# Canary: a pupil whom nobody resembles, in every cell of the corner that others keep out of


SMALL = Domain(("a", "b", "c"), (3, 3, 3))
CROWD = np.random.default_rng(1).integers(0, 2, (200, 3))
CANARY = np.full((1, 3), 2)
ONE_PICK = Settings(picks=1, batch=1, width=2, probe=200, steps=2, last_steps=2)


@dataclass(frozen=True)
class Audit:
    build: Build
    rho: float
    runs: int


def canary_scores(asked: Audit) -> tuple[Floats, Floats]:
    """Of models with the canary and without: what its cells show of it, in standard deviations of the claimed noise.

    A release without it has mean 0 and one with it μ = √(Σ 1/σ²), both with deviation 1, where noise is as claimed.
    """
    with_canary = np.concatenate([CROWD, CANARY])
    found = [
        [_shown(asked.build.fit(codes, SMALL, asked.rho, ONE_PICK)) for _ in range(asked.runs)]
        for codes in (with_canary, CROWD)
    ]
    return np.array(found[0]), np.array(found[1])


def _shown(model: Model) -> float:
    """The likelihood ratio's statistic over every table that was measured."""
    weights = np.array([1 / margin.sigma**2 for margin in model.measured])
    corner = np.array([float(counts[(2,) * counts.ndim]) for counts in model.margins.values()])
    return float((weights * corner).sum() / np.sqrt(weights.sum()))


# Pupils of several columns that go together


PUPILS = Domain(("sex", "need", "early", "middle", "late", "absence"), (2, 4, 5, 6, 5, 4))
EPSILON_1 = 0.014973
"""ρ of ε = 1 at δ = 1e-9."""


def pupils(rows: int, seed: int) -> Codes:
    """Attainment follows a talent, absence goes with need; a few are unlike all others."""
    rng = np.random.default_rng(seed)
    talent, trouble = rng.standard_normal(rows), rng.standard_normal(rows)
    sex = rng.integers(0, 2, rows)
    need = np.searchsorted([0.9, 1.6, 2.4], trouble + 0.3 * sex - 0.2 * talent)

    def band(codes: int, noise: float) -> Codes:
        value = (talent - 0.4 * (need > 1) + noise * rng.standard_normal(rows)) / np.sqrt(1 + noise**2)
        return np.searchsorted(np.linspace(-1.8, 1.8, codes - 1), value)

    absence = np.searchsorted([0.3, 1.2, 2.2], 0.6 * trouble - 0.2 * talent + 0.7 * rng.standard_normal(rows))
    return np.column_stack([sex, need, band(5, 0.6), band(6, 0.5), band(5, 0.6), absence])


PAIRS = tuple(combinations(range(len(PUPILS.sizes)), 2))


def _cells(codes: Codes, pair: tuple[int, int]) -> Codes:
    return codes[:, pair[0]] * PUPILS.sizes[pair[1]] + codes[:, pair[1]]


def pair_shares(codes: Codes) -> list[Floats]:
    """Of each pair of columns, with half a row added to each cell."""
    tables = [np.bincount(_cells(codes, p), minlength=PUPILS.sizes[p[0]] * PUPILS.sizes[p[1]]) + 0.5 for p in PAIRS]
    return [t / t.sum() for t in tables]


def log_density(codes: Codes, shares: list[Floats]) -> Floats:
    """Of each row, a column: its mean log share over all pairs, and the log share of each pair."""
    each = np.column_stack([np.log(s[_cells(codes, p)]) for s, p in zip(shares, PAIRS, strict=True)])
    return np.asarray(each)


def outlying(codes: Codes, number: int) -> Codes:
    """Places of the rows that are least like the others."""
    return np.argsort(log_density(codes, pair_shares(codes)).mean(axis=1), kind="stable")[:number]


@dataclass(frozen=True)
class Game:
    """Half of a pool is fitted to, drawn by chance in each round; rows are released, and looked at by an attacker who
    knows the pool and another like it, but not who was drawn. release: "model", or "copies" of some rows fitted to.
    """

    rho: float = EPSILON_1
    release: str = "model"
    rounds: int = 50
    pool: int = 3_000
    outliers: int = 100
    seed: int = 1
    copied: float = 1.0


@dataclass(frozen=True)
class Played:
    """member: rounds × pool. scores: rounds × outliers × (pairs of columns, all columns): log shares in the release, of
    pairs less those in the attacker's own pool. guessed: accuracy of the last column told from all others, of members
    and of the rest. exact: parts of the pupils whose whole record is in the release, of members and of the rest; only
    of pupils whom nobody else of the same half equals.
    """

    member: NDArray[np.bool_]
    scores: Floats
    guessed: Floats
    exact: Floats


def play(game: Game) -> Played:
    pool, aside = pupils(game.pool, 11), pair_shares(pupils(game.pool, 12))
    targets = pool[outlying(pool, game.outliers)]
    known = log_density(targets, aside)
    member, scores, guessed, exact = [], [], [], []
    for number in range(game.rounds):
        rng = np.random.default_rng([game.seed, number])
        drawn = np.zeros(len(pool), np.bool_)
        drawn[rng.permutation(len(pool))[: len(pool) // 2]] = True
        rows = released(game, pool[drawn], rng)
        member.append(drawn)
        scores.append(np.column_stack([log_density(targets, pair_shares(rows)) - known, _whole(rows, targets)]))
        guessed.append([(_guess(rows, pool[who]) == pool[who][:, -1]).mean() for who in (drawn, ~drawn)])
        exact.append(_exact(rows, pool[drawn], pool[~drawn]))
    return Played(np.array(member), np.array(scores), np.array(guessed), np.array(exact))


def released(game: Game, fitted: Codes, rng: np.random.Generator) -> Codes:
    model = REAL.fit(fitted, PUPILS, game.rho, QUICK)
    rows = np.asarray(sample(model, len(fitted), int(rng.integers(2**32)))).astype(np.int64)
    if game.release == "copies":
        kept = rng.random(len(rows)) < game.copied
        rows[kept] = fitted[rng.integers(0, len(fitted), int(kept.sum()))]
    return rows


def _guess(rows: Codes, who: Codes) -> Codes:
    """The commonest last code among released rows that equal a pupil in all other columns; the commonest of all where
    there are none."""
    others, codes = len(PUPILS.sizes) - 1, PUPILS.sizes[-1]
    tables = np.zeros((*PUPILS.sizes[:-1], codes), np.int64)
    np.add.at(tables, tuple(rows.T), 1)
    found = tables[tuple(who[:, :others].T)]
    common = np.bincount(rows[:, -1], minlength=codes)
    return np.where(found.sum(axis=1) > 0, found.argmax(axis=1), common.argmax())


def _whole(rows: Codes, who: Codes) -> Floats:
    """Log of how many released rows equal each of them in all columns, and a half."""
    tables = np.zeros(PUPILS.sizes, np.int64)
    np.add.at(tables, tuple(rows.T), 1)
    return np.log(tables[tuple(who.T)] + 0.5)


def _exact(rows: Codes, members: Codes, others: Codes) -> tuple[float, float]:
    there = set(map(tuple, rows.tolist()))
    inside, outside = (_alone(half) for half in (members, others))
    return len(there & inside) / len(inside), len(there & outside) / len(outside)


def _alone(rows: Codes) -> set[tuple[int, ...]]:
    records, number = np.unique(rows, axis=0, return_counts=True)
    return set(map(tuple, records[number == 1].tolist()))


def auc(scores: Floats, is_member: NDArray[np.bool_]) -> float:
    """Chance that a member's score is above another's, ties by half."""
    order = np.argsort(scores, kind="stable")
    rank = np.empty(len(scores))
    rank[order] = np.arange(1, len(scores) + 1)
    values, place = np.unique(scores, return_inverse=True)
    rank = (np.bincount(place, rank, len(values)) / np.bincount(place, minlength=len(values)))[place]
    inside = int(is_member.sum())
    return float((rank[is_member].sum() - inside * (inside + 1) / 2) / (inside * (len(scores) - inside)))


def merged(parts: Sequence[Played]) -> Played:
    return Played(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("member", "scores", "guessed", "exact"))
    )


def played(game: Game) -> Played:
    """In two processes."""
    half = replace(game, rounds=game.rounds // 2)
    return merged(spread(play, [half, replace(half, seed=half.seed + 1_000)]))
