"""What many fresh answers prove of the privacy loss never exceeds what was claimed; builds that claim too little fall.

Price ρ = 0.1 for the whole question, the most a query may cost under the default policy: μ = 0.447 in all, ε = 2.9 at
δ = 1e-10. There an audit has power: a build with twice the distance or a quarter of the noise is far beyond its μ,
while ε alone would see only the quarter (see `tests/lib/audit.py`). Under Laplace noise one measurement at that price
has ε = 0.447 at δ = 0, and an audit sees that too. A right build is accused with a probability of at most `FALSE_ALARM`
over the whole file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from scipy.stats import norm

from datasets.contribution import contribution
from datasets.engines.memory import Row
from datasets.statistics import STATISTICS
from disclosure.accounting import epsilon
from disclosure.aggregates import Sum
from disclosure.noise import add_noise
from disclosure.policy import load_policy
from disclosure.sensitivity import Contribution, reach
from disclosure.tables import Integers, Noise
from privacy_api.cli.cuts import preset
from tests.lib.audit import (
    BARE,
    BARE_LAPLACE,
    CASES,
    EXTREME,
    LOWEST,
    MISSING,
    SCATTERED,
    Claim,
    audit,
    check_valid,
    others,
    proven,
    pupil,
    question,
)

pytestmark = pytest.mark.statistical
FALSE_ALARM = 1e-6
EACH = FALSE_ALARM / 200
"""Fewer than two hundred audits stand in this file."""
RHO = 0.1
RUNS = 4_000
CROWD = others(300)
FEW_NEEDS = others(300, needs=5)
PAIRS = {"extreme": (EXTREME, ()), "lowest": (LOWEST, ()), "missing": (MISSING, ()), "by year": (EXTREME, ("year",))}
DEFAULT = load_policy(preset("dp-default"))
EDGE = [row for i in range(6) for row in pupil(i, [(0, 0, 0, 10, 16, 200)])]
"""With the extreme pupil's rows a dozen: at the threshold of the default policy."""


SEVERAL = [
    {"id": "rows", "statistic": "count"},
    {"id": "gap", "statistic": "gap", "variable": "sex", "codes": ["F", "M"], "of": [{"statistic": "pupils"}]},
    {"id": "by_need", **question("gap")["measures"][0], "variable": "need", "codes": ["k", "a"]},
    {"id": "slopes", "statistic": "ols", "variable": "days", "terms": ["score", "sex", "score:sex"]},
]
"""Ten measurements over three layouts of cells; the coarsest is summed from the scan of another."""


def worst(statistic: str) -> tuple[list[Row], list[Row]]:
    """Neighbours whose answers differ most."""
    return (FEW_NEEDS + SCATTERED, FEW_NEEDS) if statistic == "distinct" else (CROWD + EXTREME, CROWD)


def runs_of(statistic: str) -> int:
    """Counts have exact intervals and cost little; other intervals are found by redrawing the noise."""
    return 2 * RUNS if STATISTICS[statistic].is_count else RUNS


def test_every_statistic_has_a_case() -> None:
    assert set(CASES) == set(STATISTICS)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("statistic", CASES)
def test_no_more_is_lost_than_was_claimed(statistic: str, pair: str) -> None:
    victim, by = PAIRS[pair]
    runs = RUNS // 2 if by else runs_of(statistic)
    rows = worst(statistic) if pair == "extreme" else (CROWD + victim, CROWD)
    found = audit(question(statistic, by, rho=RHO), rows, runs, EACH)
    assert not found.refutes, str(found)


def test_no_more_is_lost_by_several_measures_at_once() -> None:
    body = {"measures": SEVERAL, "rho": RHO}
    assert len(check_valid(body).layouts) == 3
    found = audit(body, (CROWD + EXTREME, CROWD), RUNS // 2, EACH)
    assert not found.refutes, str(found)
    found = audit(body, (CROWD + EXTREME, CROWD), 2 * RUNS, EACH, noise=quarter)
    assert found.refutes, str(found)


@pytest.mark.parametrize("statistic", ["count", "histogram", "percentage", "mean"])
def test_no_more_is_lost_by_masking_at_the_threshold(statistic: str) -> None:
    """The default policy, and a cell that is shown or hidden by chance: which of the two is part of the answer."""
    body = question(statistic, rho=RHO)
    assert not (found := audit(body, (EDGE + EXTREME, EDGE), RUNS, EACH, policy=DEFAULT)).refutes, str(found)
    assert not (found := audit(body, (EXTREME, []), RUNS, EACH, policy=DEFAULT)).refutes, str(found)


@pytest.mark.parametrize("rho", [0.003, 0.01])
def test_no_more_is_lost_at_a_low_price(rho: float) -> None:
    """Claims of ε = 0.5 and 1, as most questions cost."""
    assert epsilon(round(rho * 1e9), BARE.delta) < 1.1
    found = audit(question("count", rho=rho), (CROWD + EXTREME, CROWD), 20_000, EACH)
    assert not found.refutes, str(found)


def quarter(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
    return add_noise(values, distance, 16 * nano_rho, law=law)


@pytest.mark.parametrize("statistic", CASES)
def test_a_quarter_of_the_noise_would_be_caught(statistic: str) -> None:
    """Spread and quantiles show one pupil less than their counts do: they take more runs."""
    runs = 5 * RUNS if statistic in ("variance", "sd", "quantile", "median") else runs_of(statistic)
    found = audit(question(statistic, rho=RHO), worst(statistic), runs, EACH, noise=quarter)
    assert found.refutes, str(found)


@pytest.mark.parametrize("statistic", ["count", "pupils"])
def test_a_quarter_of_the_noise_shows_in_epsilon_too(statistic: str) -> None:
    found = audit(question(statistic, rho=RHO), (CROWD + EXTREME, CROWD), 60_000, EACH, noise=quarter)
    assert found.epsilon > found.claim.epsilon, str(found)


def test_a_quarter_of_the_noise_would_be_caught_at_a_low_price() -> None:
    found = audit(question("count", rho=0.01), (CROWD + EXTREME, CROWD), 20_000, EACH, noise=quarter)
    assert found.refutes, str(found)


def half_of_the_rows(*given: object) -> Contribution:
    claimed = contribution(*given)  # type: ignore[arg-type]
    return replace(claimed, blocks=tuple(rows // 2 for rows in claimed.blocks))


def half_of_the_bound(aggregate: object) -> int:
    return reach(aggregate) // 2 if isinstance(aggregate, Sum) else reach(aggregate)  # type: ignore[arg-type]


BUGS: Mapping[str, tuple[str, object]] = {
    "one row per pupil and year instead of two": ("datasets.validate.contribution", half_of_the_rows),
    "half of the clamp bounds": ("disclosure.sensitivity.reach", half_of_the_bound),
}


ROWS_COUNT = ("count", "histogram", "distribution", "sum", "mean", "distinct", "ratio", "logistic")


@pytest.mark.parametrize(
    ("bug", "statistic"),
    [("one row per pupil and year instead of two", s) for s in ROWS_COUNT]
    + [("half of the clamp bounds", s) for s in ("mean", "rate")],
)
def test_a_sensitivity_that_is_too_small_would_be_caught(bug: str, statistic: str) -> None:
    with patch(*BUGS[bug]):
        runs = 8 * RUNS if bug.startswith("half") else 3 * RUNS
        found = audit(question(statistic, rho=RHO), worst(statistic), runs, EACH)
    assert found.refutes, str(found)


# Pure ε-DP


@pytest.mark.parametrize("statistic", ["count", "histogram"])
def test_no_more_is_lost_under_laplace_noise(statistic: str) -> None:
    found = audit(question(statistic), (CROWD + EXTREME, CROWD), 20_000, EACH, policy=BARE_LAPLACE)
    assert (found.claim.epsilon, found.claim.delta) == (pytest.approx(0.2**0.5), 0)
    assert not found.refutes, str(found)


def test_a_quarter_of_the_laplace_noise_would_be_caught() -> None:
    found = audit(question("count"), (CROWD + EXTREME, CROWD), RUNS, EACH, noise=quarter, policy=BARE_LAPLACE)
    assert found.epsilon > found.claim.epsilon, str(found)
    assert found.mu > found.claim.mu, str(found)


def test_half_of_the_rows_would_be_caught_under_laplace_noise() -> None:
    with patch(*BUGS["one row per pupil and year instead of two"]):
        found = audit(question("count"), (CROWD + EXTREME, CROWD), 3 * RUNS, EACH, policy=BARE_LAPLACE)
    assert found.epsilon > found.claim.epsilon, str(found)


@pytest.mark.parametrize("price", [1_000_000, 100_000_000, 2_000_000_000])
def test_the_mu_of_pure_dp_is_never_too_small(price: int) -> None:
    """Of every event that ε-DP allows, the best for an adversary lies at equal errors."""
    claim = Claim((price,), BARE_LAPLACE)
    right = np.append(np.linspace(1e-6, 1 - 1e-6, 2001), 1 / (1 + np.exp(-claim.epsilon)))
    wrong = np.maximum(right * np.exp(-claim.epsilon), 1 - (1 - right) * np.exp(claim.epsilon))
    assert (norm.ppf(right) - norm.ppf(wrong)).max() == pytest.approx(claim.mu)


def test_the_bound_is_that_of_the_books() -> None:
    """A server that always tells is proved to lose about ln(n/2 / 3.7) at 95 %; equal counts prove nothing."""
    assert proven(1500, 0, 1500, 0.1, 0.0)[1] == pytest.approx(np.log(1500 / 3.7), abs=0.75)
    assert proven(500, 500, 1000, 0.01, 0.0) == (0.0, 0.0)
    mu, eps = proven(8413, 1587, 10_000, 1e-6, 0.0)
    assert 1.8 < mu < 2.0, "one standard deviation either side of the middle, less the margin"
    assert 1.5 < eps < np.log(0.8413 / 0.1587)
