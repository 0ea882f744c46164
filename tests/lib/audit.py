"""Auditing a build from outside: what many fresh answers about neighbouring data prove of its privacy loss.

The way of a query without HTTP and ledger, many times over: the exact tables are computed once by the real scans and
engine, then stand a thousand times one under another while the real `protect` and `finish` run once. Each copy gets
noise of its own (that the noise of cells is independent is tested in `tests/statistical/test_samplers.py`), so each is
an independent answer. Totals would couple the copies, so no question here has any. The functions are those of
`answer_query`, looked up there, so that a bug planted there is met here too.

What is proved. Half of the runs choose an event, the other half bound its probabilities from both sides (Clopper &
Pearson, Biometrika 26, 1934). Two bounds come of it, either of which may exceed what was claimed:

* ε at the policy's δ: (ε, δ)-DP has P(E|D) ≤ e^ε P(E|D′) + δ.
* μ: the Gaussian mechanism with L2 sensitivity Δ and scale σ is μ-GDP with μ = Δ/σ, and such mechanisms compose to
  √Σμᵢ² (Dong, Roth & Su, arXiv 1905.02383, on the Gaussian mechanism and on composition): √(2ρ) for a whole price ρ.
  Every event of a μ-GDP answer has Φ⁻¹(P(E|D)) − Φ⁻¹(P(E|D′)) ≤ μ. At any δ this is far sharper than ε: zCDP leaves
  a wide gap between its ε and what thousands of answers can show.

Laplace measurements at prices ρᵢ promise ε = Σ√(2ρᵢ) at δ = 0, which is μ-GDP with Φ(μ/2) = e^ε/(1 + e^ε): the line
from (0, 1) to (1, e^ε)/(1 + e^ε), ε-DP's bound on errors of the two kinds, lies above the convex curve through both.
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
from datasets.groupings import Table
from datasets.plan import Axis, Quantity
from datasets.statistics import Subject
from datasets.statistics.recipe import Ends, KnownTable
from datasets.validate import Limits, ValidMeasure, ValidQuery
from datasets.variables import Code
from disclosure.accounting import epsilon, pure_epsilon
from disclosure.margins import Chain
from disclosure.noise import NoiseSource, add_noise
from disclosure.policy import Policy, load_policy
from disclosure.tables import ExactTable, Integers, Measurement, Noise
from privacy_api.cli.cuts import preset
from privacy_api.ports import Engine
from privacy_api.service import answer_query as way
from privacy_api.service.cuts import HostedCut
from privacy_api.wire.query_in import read_query
from tests.lib import school

LIMITS = Limits(cells=9000, group_by=4)
BARE_TEXT = (
    preset("dp-default").replace("value = 10", "value = 0").replace("value = 20", "value = 0").replace("= 5\n", "= 1\n")
)
BARE = load_policy(BARE_TEXT)
"""Nothing masked, nothing rounded: what an attacker would choose."""
BARE_LAPLACE = load_policy(
    BARE_TEXT.replace('"gaussian"', '"laplace"').replace("default_rho = 0.005", "default_rho = 0.1")
)
"""The same under pure ε-DP, at ε = √0.2 for each measurement: there is no other price to choose."""
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
    "distinct": {"variable": "need"},
    "ratio": {"of": [{"statistic": "sum", "variable": "days"}, {"statistic": "count"}]},
    "gap": {
        "variable": "score.wide",
        "codes": ["2 to 10", "(-2) to <2"],
        "of": [{"statistic": "mean", "variable": "days"}],
    },
    "covariance": {"variable": "score", "with": "days"},
    "correlation": {"variable": "score", "with": "days"},
    "ols": {"variable": "days", "terms": ["score"]},
    "logistic": {"variable": "need", "codes": ["k"], "terms": ["score.wide"]},
}
"""What every audit asks of every statistic: the rest of its measure, as over HTTP. A statistic without a case is a
failure (`tests/statistical/test_epsilon_audit.py`)."""


def question(
    statistic: str, group_by: Sequence[str] = (), criteria: Any = None, rho: float | None = None
) -> dict[str, Any]:
    """A body as over HTTP, with the statistic's case."""
    body: dict[str, Any] = {"measures": [{"statistic": statistic, **CASES[statistic]}], "groupBy": list(group_by)}
    return body | ({"criteria": criteria} if criteria else {}) | ({"rho": rho} if rho else {})


def with_totals(statistic: str, group_by: Sequence[str] = ("la", "sex"), display: str = "published") -> dict[str, Any]:
    """The same with all of its margins, and with the levels of an area."""
    first, second = group_by
    totals = [[], [first], [second], [f"{first}.region"], ["REG", second]]
    return question(statistic, group_by) | {"totals": totals, "display": display}


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


SCATTERED = pupil(999_999, [(i // 2, 0, 0, 5 + i, 20, 200) for i in range(6)])
"""Every row of another need."""


def others(count: int, needs: int = 11) -> list[Row]:
    """`count` pupils with one row each, in all years and so many needs; each number half at either bound."""
    return [
        row
        for i in range(count)
        for row in pupil(i, [(i % 3, 0, i % 2, i % needs, (0, 16)[i // 3 % 2], (0, 200)[i // 6 % 2])])
    ]


@dataclass(frozen=True)
class Claim:
    """What the service says of an answer with measurements at these prices: μ and ε at δ, for all of them together."""

    prices: tuple[int, ...]
    policy: Policy

    @property
    def delta(self) -> float:
        return 0.0 if self.policy.noise is Noise.LAPLACE else self.policy.delta

    @property
    def mu(self) -> float:
        if self.policy.noise is Noise.LAPLACE:
            return 2 * float(norm.ppf(1 / (1 + math.exp(-self.epsilon))))
        return math.sqrt(2 * sum(self.prices) / 1e9)

    @property
    def epsilon(self) -> float:
        if self.policy.noise is Noise.LAPLACE:
            return pure_epsilon(self.prices)
        return epsilon(sum(self.prices), self.delta)


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


def exact_tables(valid: ValidQuery, engine: Engine) -> list[ExactTable]:
    """Of each layout, by the scans of the service."""
    wanted = {
        layout: tuple(q.aggregate for q in valid.quantities if q.layout == layout)
        for layout in range(len(valid.layouts))
    }
    found: dict[int, ExactTable] = {}
    for scan in way.scans(valid, wanted):
        exact = engine.aggregate(valid.plan(scan.layout, scan.aggregates))
        found |= {layout: table.only(wanted[layout]) for layout, table in way.tables(scan, exact, valid)}
    return [found[layout] for layout in range(len(valid.layouts))]


def protected(
    valid: ValidQuery,
    tables: Sequence[ExactTable],
    each: Mapping[Quantity, int],
    policy: Policy,
    noise: NoiseSource,
) -> dict[Quantity, Measurement]:
    """Each layout's table by the `protect` of the service, at a price in nano-ρ for each measurement."""
    found: dict[Quantity, Measurement] = {}
    for place, (layout, exact) in enumerate(zip(valid.layouts, tables, strict=True)):
        prices = {a: each[Quantity(place, a)] for a in exact.aggregates}
        table = way.protect(exact, prices, layout.contribution, policy, noise)
        found |= {Quantity(place, a): m for a, m in table.items()}
    return found


def fresh_answers(
    body: Mapping[str, Any],
    rows: Sequence[Row],
    runs: int,
    noise: NoiseSource = add_noise,
    policy: Policy = BARE,
) -> tuple[np.ndarray, Claim]:
    """Everything that `runs` independent answers show, float (runs, features), and what was claimed for each."""
    valid = check_valid(body)
    cut = HostedCut(_FINE, "1", policy, MemoryEngine({SCHOOL.id: rows}))
    prices = {q: event.nano_rho for q, event in way.priced(valid, cut).events.items()}
    copies = [_copied(table, runs) for table in exact_tables(valid, cut.engine)]
    many = _repeated(valid, runs)
    series = way.finish(many, protected(many, copies, prices, policy, noise), policy).series
    hidden = [s.status == "c" for s in series]
    shown = [np.nan_to_num(part, nan=-1.0) for s in series for part in (s.value, s.lower, s.upper)]
    features = np.concatenate([part.reshape(runs, -1) for part in (*shown, *hidden)], axis=1)
    return features.astype(float), Claim(tuple(prices.values()), policy)


def _copied(exact: ExactTable, runs: int) -> ExactTable:
    copies = {a: np.tile(exact[a], (runs, 1)) for a in exact.aggregates}
    return ExactTable(copies, next(iter(copies.values())).shape[0])


def _repeated(valid: ValidQuery, runs: int) -> ValidQuery:
    """The query with one axis more, slowest of all: the number of the run. Its atoms stand before those of any
    variable, so that it is first in every order."""
    codes = tuple(Code(str(i), "") for i in range(runs))
    run = Axis("run", SCHOOL.domain[0], "run", codes, tuple(range(runs)), tuple((i - runs,) for i in range(runs)))
    (whole,) = valid.tables
    places, levels = (0, *(place + 1 for place in whole.places)), (0, *whole.levels)
    return replace(
        valid,
        measures=tuple(_quickly(measure) for measure in valid.measures),
        tables=(Table(("run", *whole.names), (run, *whole.axes), places, levels),),
        chains=(Chain.plain(runs), *valid.chains),
        layouts=tuple(replace(layout, axes=(run, *layout.axes)) for layout in valid.layouts),
    )


def _quickly(measure: ValidMeasure) -> ValidMeasure:
    """Of a model its coefficients alone: standard errors and intervals take a hundredth of a second for each copy, and
    are made of the same measurements."""
    if not measure.subject.terms:
        return measure

    def coefficients(known: KnownTable, subject: Subject, alpha: float) -> Ends:
        found = measure.statistic.finish({need: k.values[None] for need, k in known.items()}, subject)[0]
        return found, found, found

    return replace(measure, statistic=replace(measure.statistic, estimate=coefficients))


def audit(
    body: Mapping[str, Any],
    pair: tuple[Sequence[Row], Sequence[Row]],
    runs: int,
    false_alarm: float,
    noise: NoiseSource = add_noise,
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


@dataclass(frozen=True)
class Call:
    """Of the noise. distance: squared L2 or L1, as the law has it."""

    values: Integers
    distance: int
    nano_rho: int
    law: Noise
    noisy: Integers


@dataclass
class Tape:
    """Noise calls in order; in replay they answer what they answered, and check shape, claim, price and distance."""

    calls: list[Call] = field(default_factory=list)
    replaying: Iterator[Call] | None = None

    def noise(self, values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        if self.replaying is None:
            noisy = add_noise(values, distance, nano_rho, law=law)
            self.calls.append(Call(values.copy(), distance, nano_rho, law, noisy))
            return noisy
        before = next(self.replaying)
        known = before.values.shape, before.distance, before.nano_rho, before.law
        assert known == (values.shape, distance, nano_rho, law)
        change = np.abs(before.values.astype(object) - values.astype(object))
        moved = int((change if law is Noise.LAPLACE else change**2).sum())
        assert moved <= distance, "the table moved further than was claimed"
        return before.noisy

    def rewind(self) -> None:
        self.replaying = iter(self.calls)

    def check_end(self) -> None:
        assert self.replaying is not None
        assert next(self.replaying, None) is None, "fewer noise calls without the pupil"
