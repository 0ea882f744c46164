"""Regression of A-level points at ε = 1 against the fit without noise, thousands of times, below HTTP.

Wanted is each coefficient within two reported standard errors of the noise in 93 to 97 % of 500 runs. Five hundred can
miss that by chance. Measured over 5,000: .9542 (intercept), .9556 (GCSE score) and .9574 (sex), where a normal error
would have .9545. The 2,000 here have a standard error of .0045 and may reach .975: four of them, 3e-5. The noise's
standard errors are 0.494, 0.0747 and 0.0343, those of sampling 0.107, 0.016 and 0.029.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets.answer import Series, Status, finish
from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.families import families, prices
from datasets.ingest import ingest, open_current
from datasets.plan import Quantity
from datasets.pricing import chosen_totals
from datasets.query import Measure, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.accounting import epsilon
from disclosure.aggregates import Count
from disclosure.policy import load_policy
from disclosure.tables import ExactTable
from privacy_api.cli.cuts import preset
from tests.lib.plans import exact_tables, protected
from tests.lib.regression import Data, ols
from tests.real.conftest import shared

pytestmark = pytest.mark.slow
POLICY = load_policy(preset("dp-default"))
DELTA, EPSILON, RUNS = 1e-10, 1.0, 2_000


class Quiet:
    def step(self, name: str, done: int, total: int) -> None:
        """Nobody watches."""


@pytest.fixture(scope="module")
def published(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[DataSet, DuckDBEngine]:
    source, cuts = shared(root, "Chem97.csv"), tmp_path_factory.mktemp("cuts")
    text = (root / "examples" / "chem97.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue(text)
    (data_set,) = catalogue.data_sets
    ingest(catalogue, text, {data_set.id: [source]}, cuts, Quiet())
    return data_set, DuckDBEngine(open_current(cuts, catalogue.cut).databases)


@pytest.fixture(scope="module")
def candidates(root: Path) -> Data:
    rows = pd.read_csv(shared(root, "Chem97.csv"))
    codes = {"sex": rows.gender.to_numpy(str), "lea": rows.lea.astype(str).to_numpy(str)}
    levels = {"sex": ["F", "M"], "lea": [str(i) for i in range(1, 132)]}
    return Data({"score": rows.score.to_numpy(float), "gcse": rows.gcsescore.to_numpy(float)}, codes, levels)


def price_of(wanted: float) -> int:
    """The most nano-ρ that is no more than this ε, by OpenDP's conversion."""
    low, high = 1, 10**9
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon(middle, DELTA) <= wanted else (low, middle)
    return low


@dataclass(frozen=True)
class Asked:
    """A model, its exact aggregates (computed once) and what it costs."""

    valid: ValidQuery
    exact: list[ExactTable]
    each: dict[Quantity, int]

    def run(self) -> Series:
        return finish(self.valid, protected(self.valid, self.exact, self.each, POLICY), POLICY).series[0]


def model(published: tuple[DataSet, DuckDBEngine], *terms: str) -> Asked:
    data_set, engine = published
    query = Query(data_set.id, (Measure("m", "ols", "score", terms=terms),))
    valid = validate(query, data_set, frozenset({"sex"}), Limits(50_000, 4))
    known = families(valid, POLICY.noise)
    each = prices(chosen_totals(price_of(EPSILON), valid, known), known)
    assert epsilon(sum(each.values()), DELTA) <= EPSILON
    return Asked(valid, exact_tables(valid, engine), each)


def test_coefficients_are_within_two_standard_errors_of_the_noise(
    published: tuple[DataSet, DuckDBEngine], candidates: Data
) -> None:
    asked, truth = model(published, "gcse", "sex"), ols(candidates, "score", ("gcse", "sex"))
    names = ["intercept", "gcse", "sex=M"]
    values = np.array([asked.run().value[0] for _ in range(RUNS)])
    codes = [output.code for output in asked.run().outputs]
    assert codes == list(truth)
    columns = {code: values[:, place] for place, code in enumerate(codes)}
    assert np.isfinite(values).all(), "shown in every run"
    for name in names:
        errors, claimed = np.abs(columns[name] - truth[name]), columns[f"noise_se:{name}"]
        share = float((errors <= 2 * claimed).mean())
        assert 0.93 <= share <= 0.975, (name, share)
        assert claimed.mean() == pytest.approx(errors.std() / np.sqrt(1 - 2 / np.pi), rel=0.1)
    assert abs(columns["gcse"].mean() - truth["gcse"]) < 0.01, "no bias to speak of"
    assert columns["se:gcse"].mean() == pytest.approx(
        np.hypot(columns["noise_se:gcse"].mean(), truth["se:gcse"]), rel=0.05
    )


def test_standard_errors_of_half_the_noise_would_be_caught(
    published: tuple[DataSet, DuckDBEngine], candidates: Data
) -> None:
    """The positive control: one standard error, where two are claimed, holds 68 %."""
    asked, truth = model(published, "gcse", "sex"), ols(candidates, "score", ("gcse", "sex"))
    places = {output.code: i for i, output in enumerate(asked.run().outputs)}
    values = np.array([asked.run().value[0] for _ in range(500)])
    for name in ("intercept", "gcse", "sex=M"):
        near = np.abs(values[:, places[name]] - truth[name]) <= values[:, places[f"noise_se:{name}"]]
        assert near.mean() < 0.85


def test_authorities_as_a_term_are_drowned_and_said_to_be(
    published: tuple[DataSet, DuckDBEngine], candidates: Data
) -> None:
    """131 authorities share the price of ε = 1: the noise of one count is more than many an authority has candidates.

    So the design is not known to be one at all, and every coefficient is marked x.
    """
    asked = model(published, "gcse", "sex", "lea")
    smallest = np.sort(np.unique(candidates.codes["lea"], return_counts=True)[1])
    for _ in range(10):
        series = asked.run()
        codes = [output.code for output in series.outputs]
        assert set(series.status[0, : codes.index("n")]) == {str(Status.NOT_AVAILABLE)}
        assert np.isfinite(series.value[0, codes.index("n")]), "how many candidates there are is known"
    counts = next(price for q, price in asked.each.items() if isinstance(q.aggregate, Count))
    deviation = np.sqrt(1e9 / (2 * counts))
    assert (smallest < 2 * deviation).sum() >= 10
