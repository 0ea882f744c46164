"""T3 under attack: what fits prove of their loss of privacy, who was in the data, what was copied. Evidence, not proof.

Every attack also meets a build or a release that it must catch: one that cannot catch anything proves nothing.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from disclosure.accounting import NANO, epsilon
from synthetic.model import ArrayCounter, Domain, fit, sample
from synthetic.model.measure import Meter
from tests.attacks.model_attacks import (
    EPSILON_1,
    ONE_PICK,
    PAIRS,
    REAL,
    Audit,
    Build,
    Game,
    Played,
    auc,
    canary_scores,
    played,
    quarter,
    quarter_choice,
    spread,
)
from tests.lib.audit import proven

pytestmark = [pytest.mark.slow, pytest.mark.statistical]
FALSE_ALARM = 1e-5
"""Chance that a right build is accused, of each audit."""
LEAKY = Build(quarter, quarter_choice)


# The loss that fits prove


DELTA = 1e-3
"""The claim holds at every δ alike; this is about where so many fits can prove most."""
HIGH = 0.2


@pytest.fixture(scope="module")
def audits() -> dict[tuple[bool, float], tuple[np.ndarray, np.ndarray]]:
    """Scores with the canary and without, of the real build and of one with a quarter of its noise; twice each."""
    asked = {
        (True, EPSILON_1): Audit(REAL, EPSILON_1, 250),
        (False, EPSILON_1): Audit(LEAKY, EPSILON_1, 500),
        (True, HIGH): Audit(REAL, HIGH, 250),
        (False, HIGH): Audit(LEAKY, HIGH, 750),
    }
    halves = spread(canary_scores, [audit for audit in asked.values() for _ in range(2)])
    pairs = zip(halves[::2], halves[1::2], strict=True)
    joined = ((np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])) for a, b in pairs)
    return dict(zip(asked, joined, strict=True))


def bounds(scores: tuple[np.ndarray, np.ndarray], threshold: float, delta: float) -> tuple[float, float]:
    """(μ, ε) at least, by Clopper–Pearson, for an event that was fixed before any fit."""
    hits, alarms = (int((each > threshold).sum()) for each in scores)
    return proven(hits, alarms, len(scores[0]), FALSE_ALARM, delta)


def mu_of(rho: float) -> float:
    """What Gaussian noise of this price loses: μ² = 2ρ."""
    return math.sqrt(2 * rho)


@pytest.mark.parametrize("rho", [EPSILON_1, HIGH])
def test_no_more_is_lost_than_was_charged(audits: dict, rho: float) -> None:
    mu, eps = bounds(audits[True, rho], mu_of(rho) / 2, 1e-9)
    assert mu <= mu_of(rho)
    assert eps <= epsilon(round(rho * NANO), 1e-9)
    far = bounds(audits[True, rho], 0.75, DELTA)
    assert far[1] <= epsilon(round(rho * NANO), DELTA)


@pytest.mark.parametrize("rho", [EPSILON_1, HIGH])
def test_a_quarter_of_the_noise_would_be_caught(audits: dict, rho: float) -> None:
    mu, _ = bounds(audits[False, rho], mu_of(rho) / 2, 1e-9)
    assert mu > mu_of(rho)


def test_a_quarter_of_the_noise_shows_in_epsilon_too(audits: dict) -> None:
    _, eps = bounds(audits[False, HIGH], 0.75, DELTA)
    assert eps > epsilon(round(HIGH * NANO), DELTA)


def test_the_canary_is_seen_as_well_as_the_noise_allows(audits: dict) -> None:
    """The attack loses nothing: its scores are as far apart as the tables' price says."""
    present, absent = audits[True, HIGH]
    measured = mu_of(HIGH * (1 - ONE_PICK.choosing))
    assert present.mean() - absent.mean() == pytest.approx(measured, abs=5 * math.sqrt(2 / len(present)))
    assert absent.std() == pytest.approx(1, abs=0.1)


def chosen(chooser: object, counts: list[int], nano: int, runs: int) -> int:
    """How often, between two columns of two codes, the second is chosen as farther from what is expected."""
    domain = Domain(("a", "b"), (2, 2))
    codes = np.repeat([[0, 0], [0, 1]], [counts[0], counts[1]], axis=0)
    found = 0
    expected = {("a",): np.array([10, 0]), ("b",): np.array([5, 5])}
    for _ in range(runs):
        meter = Meter(ArrayCounter(codes, domain), domain, nano, quarter, chooser)  # type: ignore[arg-type]
        found += meter.choose(expected, {("a",): 0, ("b",): 2}, nano) == ("b",)
    return found


def lost_by_choosing(build: Build, rho: float, runs: int = 1_500) -> float:
    """ε at least, for a pupil who moves one score up and another down by one: the worst that Lemma 2 of `measure`
    allows. With the pupil the scores are level, without the second is two behind."""
    with_, without = (chosen(build.chooser, c, round(rho * NANO), runs) for c in ([3, 6], [3, 5]))
    return proven(with_, without, runs, FALSE_ALARM, DELTA)[1]


def test_no_more_is_lost_by_choosing_and_a_quarter_of_its_noise_would_be_caught() -> None:
    claim = epsilon(round(0.1 * NANO), DELTA)
    assert lost_by_choosing(REAL, 0.1) <= claim < lost_by_choosing(LEAKY, 0.1)


# Who was in the data


@pytest.fixture(scope="module")
def model() -> Played:
    return played(Game(rounds=120))


@pytest.fixture(scope="module")
def weak() -> Played:
    """ε of thousands: as good as no noise."""
    return played(Game(rho=500.0, rounds=60))


@pytest.fixture(scope="module")
def copies() -> Played:
    """Three rows of ten are real ones, as a generator has them that remembers."""
    return played(Game(release="copies", copied=0.3, rounds=40))


def outliers_of(found: Played) -> np.ndarray:
    """Which of the 100 most outlying pupils were fitted to, by round."""
    from tests.attacks.model_attacks import outlying, pupils

    return found.member[:, outlying(pupils(found.member.shape[1], 11), found.scores.shape[1])]


def density_ratio(found: Played) -> float:
    """As DOMIAS: a pupil is likelier a member, the denser the release is there against the population."""
    return auc(found.scores[:, :, :-1].mean(axis=2).ravel(), outliers_of(found).ravel())


def whole(found: Played) -> float:
    """A pupil is likelier a member, the oftener the whole record is there."""
    return auc(found.scores[:, :, -1].ravel(), outliers_of(found).ravel())


def shadows(found: Played) -> float:
    """Half of the rounds are the attacker's own, with known members: per pupil and table, what membership changes on
    average and how much chance does; then the likelihood ratio of each of the other rounds."""
    member, half = outliers_of(found), len(found.member) // 2
    known, scores = found.scores[:half], found.scores[half:]
    inside = member[:half, :, None]
    mean = [(known * side).sum(axis=0) / np.maximum(side.sum(axis=0), 1) for side in (inside, ~inside)]
    spread_ = known.std(axis=0) + 1e-9
    ratio = (((scores - mean[1]) ** 2 - (scores - mean[0]) ** 2) / spread_**2).sum(axis=2)
    return auc(ratio.ravel(), member[half:].ravel())


def test_outlying_pupils_cannot_be_told_from_others(model: Played) -> None:
    """AUC of 12,000 guesses; the attacker guesses about 100 pupils, each of whom is as likely in as out."""
    assert density_ratio(model) <= 0.53
    assert whole(model) <= 0.53
    assert shadows(model) <= 0.53


def test_outlying_pupils_are_told_where_there_is_no_noise(weak: Played) -> None:
    assert density_ratio(weak) > 0.54
    assert shadows(weak) > 0.53


def test_outlying_pupils_are_told_where_rows_are_copied(copies: Played) -> None:
    assert whole(copies) > 0.57


def test_no_more_is_told_of_pupils_in_the_data_than_of_others(model: Played, copies: Played) -> None:
    """The last column from all others: right oftener for members by at most two in a hundred."""
    advantage = [float((p.guessed[:, 0] - p.guessed[:, 1]).mean()) for p in (model, copies)]
    assert advantage[0] <= 0.02
    assert advantage[1] > 0.02


def test_whole_records_are_no_more_those_of_members(model: Played, copies: Played) -> None:
    ratio = [float(p.exact[:, 0].mean() / p.exact[:, 1].mean()) for p in (model, copies)]
    assert ratio[0] <= 1.05
    assert ratio[1] > 1.05


def test_the_attacks_count_right() -> None:
    assert auc(np.array([1.0, 2, 3, 4]), np.array([False, False, True, True])) == 1
    assert auc(np.array([1.0, 1, 1, 1]), np.array([False, True, False, True])) == 0.5
    assert len(PAIRS) == 15
    assert norm.ppf(0.5) == 0


# No value that is not public


def test_a_release_has_only_values_of_the_public_domain() -> None:
    """Whatever the pupils: none at all, one, codes that nobody has, and noise that is far more than all of them."""
    rng = np.random.default_rng(5)
    for number in range(12):
        sizes = tuple(int(n) for n in rng.integers(1, 7, 4))
        domain = Domain(("a", "b", "c", "d"), sizes)
        rows = int(rng.choice([0, 1, 30]))
        codes = np.column_stack([rng.integers(0, max(1, n // 2), rows) for n in sizes])
        model = fit(ArrayCounter(codes, domain), domain, 0.001, settings=ONE_PICK)
        drawn = sample(model, 500, number)
        assert drawn.shape == (500, 4)
        assert (drawn.min(axis=0) >= 0).all() and (drawn.max(axis=0) < np.array(sizes)).all()


def test_a_pupil_with_a_value_outside_the_domain_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        ArrayCounter(np.array([[0, 3]]), Domain(("a", "b"), (2, 3)))
