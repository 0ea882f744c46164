"""Auditing a build from outside: what many fresh answers about neighbouring data prove of its privacy loss.

The way of a query without HTTP and ledger, many times over: the exact table is computed once by the real plan and
engine, then stands a thousand times one under another while the real `protect` and `finish` run once. Each copy gets
noise of its own (that the noise of cells is independent is tested in `tests/statistical/test_samplers.py`), so each is
an independent answer. The functions are those of `answer_query`, looked up there, so that a bug planted there is met
here too.

What is proved. Half of the runs choose an event, the other half bound its probabilities from both sides (Clopper &
Pearson, Biometrika 26, 1934). Two bounds come of it, either of which may exceed what was claimed:

* ε at the policy's δ: (ε, δ)-DP has P(E|D) ≤ e^ε P(E|D′) + δ.
* μ: the Gaussian mechanism with L2 sensitivity Δ and scale σ is μ-GDP with μ = Δ/σ, and such mechanisms compose to
  √Σμᵢ² (Dong, Roth & Su, arXiv 1905.02383, on the Gaussian mechanism and on composition): √(2ρ) for a whole price ρ.
  Every event of a μ-GDP answer has Φ⁻¹(P(E|D)) − Φ⁻¹(P(E|D′)) ≤ μ. At any δ this is far sharper than ε: zCDP leaves
  a wide gap between its ε and what thousands of answers can show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.stats import beta, norm

from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Axis
from datasets.validate import Limits, ValidQuery
from datasets.variables import Code
from disclosure.accounting import epsilon
from disclosure.noise import NoiseSource, discrete_gaussian
from disclosure.policy import Policy, load_policy
from disclosure.tables import ExactTable, Integers
from privacy_api.cli.cuts import preset
from privacy_api.service import answer_query as way
from privacy_api.service.cuts import HostedCut
from privacy_api.wire.query_in import read_query
from tests.lib import school

LIMITS = Limits(cells=9000, group_by=4)
BARE = load_policy(
    preset("dp-default").replace("value = 10", "value = 0").replace("value = 20", "value = 0").replace("= 5\n", "= 1\n")
)
"""Nothing masked, nothing rounded: what an attacker would choose."""
THRESHOLDS = 64
DISCRETE = 1.01
"""The discrete Gaussian's μ over the continuous one's: at most 1.009 for events of probability 1e-5 or more and the
smallest noise audited (σ = 2.2 for one pupil), 1.001 from σ = 7 on."""
_FINE = load_catalogue(school.CATALOGUE.replace('step = "1"', 'step = "1"\nbins = { width = "25" }'))
SCHOOL: DataSet = _FINE.data_sets[0]
"""The small school, with bins of `days` too."""

CASES: Mapping[str, Mapping[str, Any]] = {
    "count": {},
    "pupils": {},
    "sum": {"variable": "score"},
    "mean": {"variable": "score"},
    "rate": {"variable": "days"},
    "percentage": {"variable": "need", "codes": ["k"]},
    "distribution": {"variable": "need.some"},
    "variance": {"variable": "score"},
    "sd": {"variable": "score"},
    "histogram": {"variable": "need"},
    "quantile": {"variable": "score", "probabilities": [0.25, 0.75]},
    "median": {"variable": "score"},
}
"""What every audit asks of every statistic: the rest of its measure, as over HTTP. A statistic without a case is a
failure (`tests/statistical/test_epsilon_audit.py`)."""


def question(
    statistic: str, group_by: Sequence[str] = (), criteria: Any = None, rho: float | None = None
) -> dict[str, Any]:
    """A body as over HTTP, with the statistic's case."""
    body: dict[str, Any] = {"measures": [{"statistic": statistic, **CASES[statistic]}], "groupBy": list(group_by)}
    return body | ({"criteria": criteria} if criteria else {}) | ({"rho": rho} if rho else {})


def pupil(unit: int, rows: Sequence[tuple[int, int, int, int, int | None, int]]) -> list[Row]:
    """Rows as (year, la, sex, need, score, days), the numbers in ticks."""
    score, days = SCHOOL.by_name["score"], SCHOOL.by_name["days"]
    found = []
    for year, la, sex, need, points, missed in rows:
        atoms = {"year": year, "la": la, "sex": sex, "need": need, "score": school.score_atom(points, score)}
        found.append(Row(unit, atoms | {"days": school.score_atom(missed, days)}, {"score": points, "days": missed}))
    return found


EXTREME = pupil(999_999, [(year, 0, 0, 10, 20, 200) for year in (0, 0, 1, 1, 2, 2)])
"""As many rows as the key allows, all in one cell, every number beyond its bound."""
MISSING = pupil(999_999, [(year, 0, 0, 10, None, 0) for year in (0, 0, 1, 1, 2, 2)])
LOWEST = pupil(999_999, [(year, 0, 0, 0, -4, 0) for year in (0, 0, 1, 1, 2, 2)])


def others(count: int) -> list[Row]:
    """`count` pupils with one row each, in all years and needs; numbers half at either bound."""
    return [
        row
        for i in range(count)
        for row in pupil(i, [(i % 3, 0, i % 2, i % 11, (0, 16)[i // 3 % 2], (0, 200)[i // 3 % 2])])
    ]


@dataclass(frozen=True)
class Claim:
    """What the service says of an answer: μ and ε at δ, for all measurements together."""

    nano_rho: int
    delta: float

    @property
    def mu(self) -> float:
        return math.sqrt(2 * self.nano_rho / 1e9)

    @property
    def epsilon(self) -> float:
        return epsilon(self.nano_rho, self.delta)


@dataclass(frozen=True)
class Proof:
    """Lower bounds on the true μ and ε, and what they are held against."""

    claim: Claim
    mu: float
    epsilon: float

    @property
    def refutes(self) -> bool:
        return self.mu > DISCRETE * self.claim.mu or self.epsilon > self.claim.epsilon

    def __str__(self) -> str:
        return (
            f"mu >= {self.mu:.3f} against {self.claim.mu:.3f} claimed, "
            f"epsilon >= {self.epsilon:.2f} against {self.claim.epsilon:.2f} at delta {self.claim.delta:.0e}"
        )


def check_valid(body: Mapping[str, Any], data_set: DataSet = SCHOOL) -> ValidQuery:
    return way.validate(read_query(dict(body), data_set.id), data_set, school.GRANTS, LIMITS)


def fresh_answers(
    body: Mapping[str, Any],
    rows: Sequence[Row],
    runs: int,
    noise: NoiseSource = discrete_gaussian,
    policy: Policy = BARE,
) -> tuple[np.ndarray, Claim]:
    """Everything that `runs` independent answers show, float (runs, features), and what was claimed for each."""
    valid = check_valid(body)
    cut = HostedCut(_FINE, "1", policy, MemoryEngine({SCHOOL.id: rows}))
    events = way.events(valid, cut)
    exact = cut.engine.aggregate(valid.plan)
    copies = ExactTable({a: np.tile(exact[a], (runs, 1)) for a in exact.aggregates}, runs * valid.plan.cells)
    prices = {a: e.nano_rho for a, e in events.items()}
    table = way.protect(copies, prices, valid.plan.contribution, policy, noise)
    series = way.finish(_repeated(valid, runs), table, policy).series
    hidden = [s.status == "c" for s in series]
    shown = [np.nan_to_num(part, nan=-1.0) for s in series for part in (s.value, s.lower, s.upper)]
    features = np.concatenate([part.reshape(runs, -1) for part in (*shown, *hidden)], axis=1)
    return features.astype(float), Claim(sum(prices.values()), policy.delta)


def _repeated(valid: ValidQuery, runs: int) -> ValidQuery:
    """The query with one axis more, slowest of all: the number of the run."""
    codes = tuple(Code(str(i), "") for i in range(runs))
    run = Axis("run", SCHOOL.domain[0], "run", codes, tuple(range(runs)), tuple((i,) for i in range(runs)))
    plan = replace(valid.plan, axes=(run, *valid.plan.axes))
    return replace(valid, plan=plan, order=(0, *(place + 1 for place in valid.order)))


def audit(
    body: Mapping[str, Any],
    pair: tuple[Sequence[Row], Sequence[Row]],
    runs: int,
    false_alarm: float,
    noise: NoiseSource = discrete_gaussian,
    policy: Policy = BARE,
) -> Proof:
    """A bound that a build which keeps its promise exceeds with probability at most `false_alarm`."""
    with_pupil, claim = fresh_answers(body, pair[0], runs, noise, policy)
    without, _ = fresh_answers(body, pair[1], runs, noise, policy)
    half = runs // 2
    best_mu, best_epsilon = 0.0, 0.0
    for bound in ("mu", "epsilon"):
        score, threshold = _event(with_pupil[:half], without[:half], bound, false_alarm, claim.delta)
        hits = int((score(with_pupil[half:]) >= threshold).sum()), int((score(without[half:]) >= threshold).sum())
        mu, eps = proven(*hits, runs - half, false_alarm / 2, claim.delta)
        if bound == "mu":
            best_mu = mu
        else:
            best_epsilon = eps
    return Proof(claim, best_mu, best_epsilon)


def proven(hits: int, false_hits: int, runs: int, false_alarm: float, delta: float) -> tuple[float, float]:
    """(μ, ε) from an event seen `hits` times of `runs` on D and `false_hits` times on D′; one-sided bounds each."""
    least, most = _ends(hits, runs, false_alarm / 2), _ends(false_hits, runs, false_alarm / 2)
    mu = float(norm.ppf(least[0]) - norm.ppf(most[1]))
    ratios = [(least[0] - delta, most[1]), (1 - most[1] - delta, 1 - least[0])]
    eps = max(math.log(above / below) if above > 0 and below > 0 else 0.0 for above, below in ratios)
    return max(mu, 0.0), max(eps, 0.0)


def _ends(hits: int, runs: int, alpha: float) -> tuple[float, float]:
    """Clopper–Pearson bounds of a probability, each wrong with probability at most alpha."""
    lower = 0.0 if hits == 0 else float(beta.ppf(alpha, hits, runs - hits + 1))
    upper = 1.0 if hits == runs else float(beta.ppf(1 - alpha, hits + 1, runs - hits))
    return lower, upper


def _event(
    one: np.ndarray, other: np.ndarray, bound: str, false_alarm: float, delta: float
) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """The score and threshold that prove most on the choosing half: linear discriminant, or one feature."""
    best: tuple[float, Any, float] = (-1.0, lambda x: x[:, 0], 0.0)
    for direction in _directions(one, other):
        scores = one @ direction, other @ direction
        for threshold in np.unique(np.quantile(np.concatenate(scores), np.linspace(0.002, 0.998, THRESHOLDS))):
            hits = int((scores[0] >= threshold).sum()), int((scores[1] >= threshold).sum())
            found = proven(*hits, len(one), false_alarm / 2, delta)[0 if bound == "mu" else 1]
            if found > best[0]:
                best = (found, lambda x, d=direction: x @ d, float(threshold))
    return best[1], best[2]


def _directions(one: np.ndarray, other: np.ndarray) -> Iterator[np.ndarray]:
    shift = one.mean(axis=0) - other.mean(axis=0)
    spread = np.cov(np.concatenate([one - one.mean(axis=0), other - other.mean(axis=0)]).T)
    yield np.linalg.pinv(np.atleast_2d(spread), rcond=1e-9) @ shift
    scale = np.sqrt(np.diag(np.atleast_2d(spread)))
    strength = np.abs(shift) / np.where(scale > 0, scale, 1)
    for feature in np.argsort(-strength)[:4]:
        unit = np.zeros(shift.size)
        unit[feature] = 1 if shift[feature] >= 0 else -1
        yield unit


@dataclass
class Tape:
    """Noise calls in order; in replay they answer what they answered, and check shape, claim, price and distance."""

    calls: list[tuple[Integers, int, int, Integers]] = field(default_factory=list)
    replaying: Iterator[tuple[Integers, int, int, Integers]] | None = None

    def noise(self, values: Integers, l2_squared: int, nano_rho: int) -> Integers:
        if self.replaying is None:
            noisy = discrete_gaussian(values, l2_squared, nano_rho)
            self.calls.append((values.copy(), l2_squared, nano_rho, noisy))
            return noisy
        before, distance, price, noisy = next(self.replaying)
        assert (before.shape, distance, price) == (values.shape, l2_squared, nano_rho)
        moved = int(((before.astype(object) - values.astype(object)) ** 2).sum())
        assert moved <= l2_squared, "the table moved further than was claimed"
        return noisy

    def rewind(self) -> None:
        self.replaying = iter(self.calls)

    def check_end(self) -> None:
        assert self.replaying is not None
        assert next(self.replaying, None) is None, "fewer noise calls without the pupil"
