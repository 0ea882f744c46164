"""The model's file: what was written is read, gives the same rows, and holds nothing that is not on the list."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synthetic.model import ArrayCounter, Domain, Model, Settings, Zero, fit, sample
from synthetic.model.artefact import ModelRefused, loaded, saved
from synthetic.model.zeros import Zeros

DOMAIN = Domain(("a", "b", "c"), (2, 3, 4))


@pytest.fixture(scope="module")
def model() -> Model:
    codes = np.random.default_rng(2).integers(0, (2, 3, 4), (5_000, 3))
    return fit(
        ArrayCounter(codes, DOMAIN), DOMAIN, 0.01, settings=Settings(steps=5, last_steps=20, probe=2_000, picks=2)
    )


def test_a_file_gives_the_same_rows(model: Model) -> None:
    again = loaded(saved(model))
    np.testing.assert_array_equal(sample(again, 1000, 3), sample(model, 1000, 3))
    assert saved(again) == saved(model)


def test_zeros_come_back_as_they_were(model: Model) -> None:
    zeros = Zeros(DOMAIN, (Zero((("a", (0,)), ("b", (1, 2)))), Zero((("a", (1,)), ("b", (0,)), ("c", (3,))))))
    told = loaded(saved(replace(model, zeros=zeros)))
    assert told.zeros.all == zeros.all
    made = sample(told, 5_000, 1)
    assert not ((made[:, 0] == 0) & (made[:, 1] > 0)).any()


def test_a_file_holds_no_exact_count(model: Model) -> None:
    assert 5_000 not in [sum(each["counts"]) for each in json.loads(saved(model))["margins"]]
    assert json.loads(saved(model)).keys() == {"format", "domain", "zeros", "settings", "nanoRho", "margins"}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/data/cut"},
        {"format": "synthetic-model/1"},
        {"zeros": [[{"column": "a", "codes": [0]}]]},
        {"zeros": [[{"column": "a", "codes": [0]}, {"column": "b", "codes": [7]}]]},
        {"zeros": [[{"column": "a", "codes": [0]}, {"column": "b", "codes": [True]}]]},
        {"zeros": [[{"column": "a", "codes": [0]}, {"column": "b", "codes": [0], "rows": 3}]]},
        {"zeros": [[{"column": "a", "codes": [0, 1]}, {"column": "b", "codes": [0, 1, 2]}]]},
        {"margins": [{"columns": [], "nanoRho": 5, "counts": [1]}]},
        {"margins": [{"columns": ["a"], "nanoRho": 5, "counts": [2**60, 1]}]},
        {"nanoRho": 1},
        {"domain": [{"column": "a", "codes": 2}]},
        {"settings": {"picks": 3}},
        {"margins": []},
        {"margins": [{"columns": ["a"], "nanoRho": 5, "counts": [1.5, 2], "exact": [1, 2]}]},
    ],
)
def test_anything_else_is_refused(model: Model, change: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        loaded(json.dumps(json.loads(saved(model)) | change))


def test_a_file_that_is_nested_too_deep_is_none() -> None:
    with pytest.raises(ModelRefused, match="not JSON"):
        loaded("[" * 100_000 + "]" * 100_000)
