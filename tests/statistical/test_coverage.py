"""How often a released interval holds the truth, for every statistic, with fresh OpenDP noise at the default price.

Why these thresholds do not flake. An experiment repeats the noise of 15 cells, which is independent from cell to cell
and from repetition to repetition; nothing else is random. So the held intervals of one output are binomial, with n =
15 × repetitions less what was hidden. Measured over 15,000 intervals or more each, the true shares are:

* sum .940, variance .942, mean .943, sd .944, rate .950. The noise is redrawn a thousand times from one fixed stream,
  so each mix of two noises has a share of its own: between .9398 and .9622, if the statistic is linear in them. With
  n = 22,500 a share of .9398 has a standard error of .0016 and comes out under .93 with probability 3e-10.
* distribution .950, count .957, percentage .958, pupils .960, histogram .964, quantile and median .968 to .975: whole
  rows, rounding to 5, rounding outward and whole bins add width. Even if the outputs of a cell were all one, n ≥ 4,800:
  the nearest, .950, is 6.5 standard errors above .93 (5e-11), and the farthest, .975, is 8.8 under .995.
* under Laplace noise pupils .948, mean, rate and histogram .951, count .952, sum .955, median .978, quantile .981.
  n ≥ 6,000 for pupils, 6.3 standard errors above .93 (2e-10); wide noise hides most cells of the last two, whose
  n ≥ 1,200 puts .978 at 11. Claiming half of the noise holds .74 to .79.
* intervals that claim half of the noise: 1.96 × ½ standard deviations hold .67, and .72 after rounding; with n = 4,500
  that is more than 18 standard errors under .85.
* totals: .940 to .956 in every table of counts, histograms, sums, means and percentages, with n = 7,500 or more 5.6
  standard errors above .93. Of everybody there is one number in an answer, with n = 2,500 5.2 above .92 (1e-7).

Together that is less than 1e-6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Display, Measure, Query
from datasets.statistics import STATISTICS
from datasets.validate import Limits, cells_in, validate
from disclosure.policy import Policy, load_policy
from privacy_api.cli.cuts import preset
from tests.lib import school
from tests.lib.plans import Measured, answers

pytestmark = pytest.mark.statistical

TEXT = school.CATALOGUE.replace('step = "1"', 'step = "1"\nbins = { width = "5" }')
"""The small school, with bins of `days` that are narrow beside the noise."""
CENSUS = load_catalogue(TEXT).data_sets[0]
POLICY = load_policy(preset("dp-default"))
LAPLACE = load_policy(preset("dp-default").replace('"gaussian"', '"laplace"'))
AT_LEAST, AT_MOST = 0.93, 0.995
N = 12_000
STREAM = np.random.default_rng(7)
YEAR, LA = STREAM.integers(0, 3, N), STREAM.choice(5, N, p=[0.3, 0.25, 0.2, 0.15, 0.1])
SEX, NEED = STREAM.choice(3, N, p=[0.5, 0.45, 0.05]), STREAM.integers(0, 11, N)
SCORE = np.ma.masked_array(STREAM.integers(-4, 21, N), STREAM.random(N) < 0.1)
DAYS = np.minimum(STREAM.gamma(3, 20, N).astype(int) + 10 * LA, 200)
UNIT = STREAM.integers(0, N // 2, N)
CELLS = [(la == LA) & (year == YEAR) for la in range(5) for year in range(3)]


def clamped(here: np.ndarray) -> np.ndarray:
    """The scores of the cell, as an answer is about them: within the clamp bounds."""
    return np.clip(SCORE[here].compressed() / 2, 0, 8)


@dataclass(frozen=True)
class Asked:
    measure: Measure
    truth: Callable[[np.ndarray], object]


TENTHS = (Decimal("0.1"), Decimal("0.25"), Decimal("0.9"))
EVERY = {
    "count": Asked(Measure("count", "count"), lambda here: here.sum()),
    "pupils": Asked(Measure("pupils", "pupils"), lambda here: len(set(UNIT[here]))),
    "histogram": Asked(Measure("histogram", "histogram", "need"), lambda here: np.bincount(NEED[here], minlength=11)),
    "percentage": Asked(
        Measure("percentage", "percentage", "sex", codes=("F",)), lambda here: 100 * (SEX[here] == 0).mean()
    ),
    "distribution": Asked(
        Measure("distribution", "distribution", "need"),
        lambda here: 100 * np.bincount(NEED[here], minlength=11) / here.sum(),
    ),
    "rate": Asked(Measure("rate", "rate", "score"), lambda here: 100 * clamped(here).mean()),
    "sum": Asked(Measure("sum", "sum", "score"), lambda here: clamped(here).sum()),
    "mean": Asked(Measure("mean", "mean", "days"), lambda here: DAYS[here].mean()),
    "variance": Asked(Measure("variance", "variance", "days"), lambda here: DAYS[here].var(ddof=1)),
    "sd": Asked(Measure("sd", "sd", "days"), lambda here: DAYS[here].std(ddof=1)),
    "median": Asked(Measure("median", "median", "days"), lambda here: np.median(DAYS[here])),
    "quantile": Asked(
        Measure("quantile", "quantile", "days", probabilities=TENTHS),
        lambda here: np.quantile(DAYS[here], [float(p) for p in TENTHS]),
    ),
}
MOMENTS = ("sum", "mean", "rate", "variance", "sd")
OTHERS = tuple(name for name in EVERY if name not in MOMENTS)


def rows() -> Iterable[Row]:
    score, days = CENSUS.by_name["score"], CENSUS.by_name["days"]
    for unit, year, la, sex, need, ticks, missed in zip(
        *(column.tolist() for column in (UNIT, YEAR, LA, SEX, NEED, SCORE, DAYS)), strict=True
    ):
        bins = {"score": school.score_atom(ticks, score), "days": school.score_atom(missed, days)}
        atoms = {"year": year, "la": la, "sex": sex, "need": need, **bins}
        yield Row(unit, atoms, {"score": ticks, "days": missed})


@pytest.fixture(scope="module")
def engine() -> MemoryEngine:
    return MemoryEngine({CENSUS.id: list(rows())})


def shares(
    engine: MemoryEngine, asked: Iterable[Asked], repetitions: int, claimed: float = 1.0, policy: Policy = POLICY
) -> dict[str, tuple[float, int]]:
    """Per measure the share of shown intervals that hold the truth, and how many were shown.

    claimed: the noise that intervals are made for, as a part of the noise that was drawn.
    """
    chosen = {a.measure.id: a for a in asked}
    query = Query(CENSUS.id, tuple(a.measure for a in chosen.values()), ("la", "year"))
    valid = validate(query, CENSUS, school.GRANTS, Limits(10_000, 4))
    truth = {name: np.array([np.atleast_1d(a.truth(here)) for here in CELLS]) for name, a in chosen.items()}
    held, shown = dict.fromkeys(chosen, 0), dict.fromkeys(chosen, 0)

    def claim(measured: Measured) -> Measured:
        return {q: replace(m, sigma=claimed * m.sigma) for q, m in measured.items()}

    for answer in answers(valid, engine, policy, repetitions, claim):
        for series in answer.series:
            holds = (series.lower <= truth[series.id]) & (truth[series.id] <= series.upper)
            seen = ~np.isnan(series.value)
            held[series.id] += int((holds & seen).sum())
            shown[series.id] += int(seen.sum())
    return {name: (held[name] / shown[name], shown[name]) for name in chosen}


def outputs(name: str) -> int:
    return {"histogram": 11, "distribution": 11, "quantile": len(TENTHS)}.get(name, 1)


def test_every_statistic_stands_here() -> None:
    assert {a.measure.statistic for a in EVERY.values()} == set(EVERY) == {*MOMENTS, *OTHERS} <= set(STATISTICS)
    assert min(here.sum() for here in CELLS) > 300
    assert sum(here.sum() for here in CELLS) == N


@pytest.mark.parametrize(("names", "repetitions"), [(MOMENTS, 800), (OTHERS, 300)], ids=["moments", "others"])
def test_intervals_hold_the_truth_as_often_as_they_say(
    engine: MemoryEngine, names: tuple[str, ...], repetitions: int
) -> None:
    found = shares(engine, [EVERY[name] for name in names], repetitions)
    for name, (share, shown) in found.items():
        assert shown >= 0.8 * repetitions * len(CELLS) * outputs(name), (name, shown)
        assert AT_LEAST <= share <= AT_MOST, (name, share, shown)


@pytest.mark.parametrize(("names", "repetitions"), [(MOMENTS, 800), (OTHERS, 300)], ids=["moments", "others"])
def test_so_they_do_under_laplace_noise(engine: MemoryEngine, names: tuple[str, ...], repetitions: int) -> None:
    found = shares(engine, [EVERY[name] for name in names], repetitions, policy=LAPLACE)
    for name, (share, shown) in found.items():
        assert shown >= 0.2 * repetitions * len(CELLS) * outputs(name), (name, shown)
        assert AT_LEAST <= share <= 1, (name, share, shown)


def test_intervals_for_half_of_the_laplace_noise_would_be_caught(engine: MemoryEngine) -> None:
    asked = [EVERY[name] for name in ("count", "pupils", "mean", "sum")]
    found = shares(engine, asked, 300, claimed=0.5, policy=LAPLACE)
    assert all(share < 0.87 for share, _ in found.values()), found


def test_where_bins_are_wider_than_the_noise_intervals_hold_more(engine: MemoryEngine) -> None:
    """No upper end here: an interval that runs to the ends of bins of 2, in a range of 12, nearly always holds."""
    asked = Asked(Measure("median", "median", "score"), lambda here: np.median(clamped(here)))
    share, shown = shares(engine, [asked], 300)["median"]
    assert shown > 4000
    assert share >= AT_LEAST


def test_intervals_for_half_of_the_noise_would_be_caught(engine: MemoryEngine) -> None:
    """The positive control: what a forgotten factor in the standard deviation would look like."""
    found = shares(engine, [EVERY[name] for name in ("count", "pupils", "mean", "sum")], 300, claimed=0.5)
    assert all(share < 0.85 for share, _ in found.values()), found
    assert all(shown == 300 * len(CELLS) for _, shown in found.values())


TOTALS = ((), ("la",), ("year",), ("la.region", "year"))


def cell(key: Mapping[str, str | None]) -> np.ndarray:
    """The rows that a row of the answer is of."""
    codes = {"la": LA, "year": YEAR, "la.region": (LA > 1).astype(int)}
    levels = {
        "la": [a.code for a in CENSUS.by_name["la"].atoms],
        "year": [a.code for a in CENSUS.by_name["year"].atoms],
        "la.region": ["N", "S"],
    }
    here = np.ones(N, bool)
    for name, code in key.items():
        if code is not None:
            here &= codes[name] == levels[name].index(code)
    return here


@pytest.mark.parametrize(
    ("display", "names", "repetitions"),
    [
        (Display.PUBLISHED, ("count", "histogram", "sum"), 1500),
        (Display.PUBLISHED, ("mean", "percentage"), 800),
        (Display.UNBIASED, ("count", "sum"), 1500),
    ],
)
def test_totals_hold_the_truth_as_often_as_they_say(
    engine: MemoryEngine, display: Display, names: tuple[str, ...], repetitions: int
) -> None:
    """Each table by itself: numbers that were made to add up, and rounded so that they do. The grand total is one cell,
    so its share is known to three standard errors of fewer answers."""
    asked = [EVERY[name] for name in names]
    query = Query(CENSUS.id, tuple(a.measure for a in asked), ("la", "year"), totals=TOTALS, display=display)
    valid = validate(query, CENSUS, school.GRANTS, Limits(10_000, 4))
    given = list(answers(valid, engine, POLICY, repetitions))
    keys = given[0].keys
    for measure, name in enumerate(names):
        truth = np.array([np.atleast_1d(EVERY[name].truth(cell(key))) for key in keys])
        ends = [(answer.series[measure].lower, answer.series[measure].upper) for answer in given]
        holds = np.array([np.where(np.isnan(low), np.nan, (low <= truth) & (truth <= high)) for low, high in ends])
        at = 0
        for table in valid.tables:
            rows = slice(at, at + cells_in(table))
            at = rows.stop
            share, shown = float(np.nanmean(holds[:, rows])), float(np.isfinite(holds[:, rows]).mean())
            assert shown > 0.8, (name, table.names, shown)
            slack = 0 if table.names else max(0, 3 * math.sqrt(0.05 * 0.95 / repetitions) - (0.95 - AT_LEAST))
            assert AT_LEAST - slack <= share <= AT_MOST, (name, table.names, share)
