"""Quantiles hold what they say where it is hardest: data in one corner, many bins, few pupils, noise over all."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from datasets.answer import finish
from datasets.catalogue_toml import load_catalogue
from datasets.query import Measure, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Aggregate, BinnedCount
from disclosure.noise import discrete_gaussian, sigma
from disclosure.policy import load_policy
from disclosure.tables import Measurement
from privacy_api.cli.cuts import preset
from tests.lib import school
from tests.lib.plans import as_measured

pytestmark = pytest.mark.statistical
TEXT = school.CATALOGUE.replace('bins = { width = "2" }', 'bins = { width = "0.5" }').replace(
    "rows_per_period = 2", "rows_per_period = 1"
)
CENSUS = load_catalogue(TEXT).data_sets[0]
POLICY = load_policy(preset("dp-default").replace("value = 10", "value = 0").replace("value = 20", "value = 0"))
CELLS, PRICE = 2000, 5_000_000


@pytest.mark.parametrize("p", ["0.05", "0.5", "0.95"])
@pytest.mark.parametrize("place", [0, 11, 23])
@pytest.mark.parametrize("n", [100, 500, 5000])
def test_coverage_in_a_corner(p: str, place: int, n: int) -> None:
    """All values in one of 24 bins. 2,000 cells: a share under .93 has probability below 1e-4 if the truth is .95."""
    measure = Measure("m", "quantile", "score", probabilities=(Decimal(p),))
    valid = validate(Query(CENSUS.id, (measure,), ("la",)), CENSUS, school.GRANTS, Limits(9000, 4))
    assert len(valid.quantities) == 2, "so many bins are counted in coarser ones too"
    noisy = {quantity: piled(quantity.aggregate, place, n) for quantity in valid.quantities}
    covered = shown = 0
    for start in range(0, CELLS, 5):  # the question has five cells
        part = {q: as_measured(m.values[start : start + 5], m.sigma) for q, m in noisy.items()}
        series = finish(valid, part, POLICY).series[0]
        known = np.isfinite(series.value)
        low, high = -2 + place * 0.5, -2 + place * 0.5 + 0.5
        covered += int(((series.lower <= low) & (series.upper >= high))[known].sum())
        shown += int(known.sum())
    assert shown == 0 or covered / shown >= 0.93
    assert n < 500 or shown > 0.9 * CELLS


def piled(aggregate: Aggregate, atom: int, n: int) -> Measurement:
    """All n in the bin that holds the atom, with noise."""
    assert isinstance(aggregate, BinnedCount)
    exact = np.tile(np.array([[n * (atom in group) for group in aggregate.bins]], np.int64), (CELLS, 1))
    return as_measured(discrete_gaussian(exact, 1, PRICE), sigma(1, PRICE))
