"""The fixed draws stand for the noise: every mix of a few noises has very nearly the spread that it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from disclosure.accuracy import DRAWS, redraw
from disclosure.tables import Known


@pytest.mark.parametrize(("noises", "least", "most"), [(1, 0.949, 0.952), (2, 0.944, 0.956), (3, 0.941, 0.97)])
def test_the_middle_of_any_mix_holds_what_it_says(noises: int, least: float, most: float) -> None:
    """Of a mix of independent noises of unit scale, the middle 95 % of the draws holds this much of the truth."""
    table = {i: Known(np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1), bool)) for i in range(noises)}
    drawn = np.stack([d[:, 0, 0] for d in redraw(table, slice(0, 1)).values()], axis=1)
    ends = [int(np.floor(0.025 * (DRAWS - 1))), int(np.ceil(0.975 * (DRAWS - 1)))]
    for weights in np.random.default_rng(0).normal(size=(1500, noises)):
        mixed = np.sort(drawn @ (weights / np.linalg.norm(weights)))
        held = stats.norm.cdf(mixed[ends[1]]) - stats.norm.cdf(mixed[ends[0]])
        assert least <= held <= most
