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

from disclosure.aggregates import BinnedCount, Count, Sum
from disclosure.evidence import Largest
from disclosure.tables import ExactTable

SECRET = 7919
LARGEST = Largest(Sum("v", 0, 9), 3)


@pytest.fixture
def table() -> ExactTable:
    bins = BinnedCount("v", ((0,), (1,)))
    values = {Count(): np.full((2, 1), SECRET, np.int64), bins: np.full((2, 2), SECRET, np.int64)}
    return ExactTable(values, 2, {LARGEST: np.full((2, 3), SECRET, np.int64)})


def test_it_shows_its_shape_only(table: ExactTable) -> None:
    for text in (repr(table), str(table), f"{table}", "%s" % table):  # noqa: UP031
        assert str(SECRET) not in text
        assert "(2, 1)" in text and "(2, 3)" in text


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


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.zeros((2, 1), np.int64), np.zeros((3, 2), np.int64)])
def test_so_is_evidence(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"Largest: want int64 of \(2, 3\)"):
        ExactTable({}, 2, {LARGEST: wrong})


def test_evidence_is_no_aggregate_of_the_table(table: ExactTable) -> None:
    assert table.evidence(LARGEST).tolist() == [[SECRET] * 3] * 2
    assert LARGEST not in table.aggregates
    with pytest.raises(KeyError):
        table[LARGEST]  # type: ignore[index]
    with pytest.raises(KeyError):
        table.only([Count()]).evidence(LARGEST)
