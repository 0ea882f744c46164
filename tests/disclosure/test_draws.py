"""The fixed draws stand for the noise: every mix of a few noises has very nearly the spread that it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from disclosure.accuracy import DRAWS, redraw
from disclosure.tables import Known, Noise


def nothing(sd: float, noise: Noise) -> Known:
    return Known(np.zeros((1, 1)), np.full((1, 1), sd), np.zeros((1, 1), bool), noise)


@pytest.mark.parametrize(("noises", "least", "most"), [(1, 0.949, 0.952), (2, 0.944, 0.956), (3, 0.941, 0.97)])
def test_the_middle_of_any_mix_holds_what_it_says(noises: int, least: float, most: float) -> None:
    """Of a mix of independent noises of unit scale, the middle 95 % of the draws holds this much of the truth."""
    table = {i: nothing(1.0, Noise.GAUSSIAN) for i in range(noises)}
    drawn = np.stack([d[:, 0, 0] for d in redraw(table, slice(0, 1)).values()], axis=1)
    ends = [int(np.floor(0.025 * (DRAWS - 1))), int(np.ceil(0.975 * (DRAWS - 1)))]
    for weights in np.random.default_rng(0).normal(size=(1500, noises)):
        mixed = np.sort(drawn @ (weights / np.linalg.norm(weights)))
        held = stats.norm.cdf(mixed[ends[1]]) - stats.norm.cdf(mixed[ends[0]])
        assert least <= held <= most


def test_draws_of_laplace_noise_have_its_quantiles() -> None:
    drawn = np.sort(redraw({0: nothing(10.0, Noise.LAPLACE)}, slice(0, 1))[0][:, 0, 0])
    probabilities = np.array([0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995])
    wanted = stats.laplace.ppf(probabilities, scale=10 / np.sqrt(2))
    np.testing.assert_allclose(np.quantile(drawn, probabilities), wanted, rtol=0.02, atol=1e-9)
    assert abs(np.quantile(drawn, 0.995) - stats.norm.ppf(0.995, scale=10)) > 5, "the positive control: not normal"


@pytest.mark.parametrize(("noises", "least", "most"), [(1, 0.949, 0.952), (2, 0.944, 0.956)])
def test_the_middle_of_a_mix_of_laplace_noises(noises: int, least: float, most: float) -> None:
    """Against 400,000 draws of the mix itself: a share of .95 has a standard error of .0004."""
    table = {i: nothing(1.0, Noise.LAPLACE) for i in range(noises)}
    drawn = np.stack([d[:, 0, 0] for d in redraw(table, slice(0, 1)).values()], axis=1)
    ends = [int(np.floor(0.025 * (DRAWS - 1))), int(np.ceil(0.975 * (DRAWS - 1)))]
    stream = np.random.default_rng(1)
    truth = stream.laplace(scale=1 / np.sqrt(2), size=(400_000, noises))
    for weights in stream.normal(size=(60, noises)):
        mixed, real = np.sort(drawn @ weights), truth @ weights
        assert least - 0.002 <= ((mixed[ends[0]] <= real) & (real <= mixed[ends[1]])).mean() <= most + 0.002
