"""Exact values cannot get out of an ExactTable by any of the usual ways."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from disclosure.aggregates import BinnedCount, Count
from disclosure.tables import ExactTable

SECRET = 7919


@pytest.fixture
def table() -> ExactTable:
    bins = BinnedCount("v", ((0,), (1,)))
    return ExactTable({Count(): np.full((2, 1), SECRET, np.int64), bins: np.full((2, 2), SECRET, np.int64)}, 2)


def test_it_shows_its_shape_only(table: ExactTable) -> None:
    for text in (repr(table), str(table), f"{table}", "%s" % table):  # noqa: UP031
        assert str(SECRET) not in text
        assert "(2, 1)" in text


@pytest.mark.parametrize(
    "way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, dataclasses.asdict, vars, dict, list]
)
def test_it_cannot_be_serialised(way: Callable[[Any], object], table: ExactTable) -> None:
    with pytest.raises((TypeError, KeyError)):
        way(table)


@pytest.mark.parametrize("wrong", [np.zeros((2, 1)), np.zeros((1, 1), np.int64), np.zeros(2, np.int64)])
def test_only_dense_int64_of_the_right_shape(wrong: Any) -> None:
    with pytest.raises(ValueError, match="want int64"):
        ExactTable({Count(): wrong}, 2)
