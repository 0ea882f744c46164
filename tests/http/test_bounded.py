"""Where rows of a pupil were left out, the service says so: in the data set's meta and with every answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine
from datasets.query import Measure, Query
from datasets.validate import validate
from privacy_api.service.cuts import HostedCut, HostedDataSet, hosted
from privacy_api.service.document import warnings
from privacy_api.wire import out
from tests.lib import school
from tests.lib.service import POLICY, loaded, pupils, running


def _hosted(key: str) -> HostedDataSet:
    text = school.CATALOGUE.replace("rows_per_period = 2", key)
    cut = HostedCut(load_catalogue(text), "1", loaded(POLICY), MemoryEngine({"census": []}))
    return hosted((cut,))["school.census"]


def _warnings(key: str) -> list[str]:
    chosen = _hosted(key)
    query = Query("census", (Measure("n", "count"),), ("year", "la"))
    return warnings(validate(query, chosen.data_set, school.GRANTS, chosen.cut.limits), chosen.cut.policy)


@pytest.mark.parametrize("bound", [1, 5])
def test_a_bound_is_told(bound: int) -> None:
    key = out.meta(_hosted(f"bound_rows = {bound}"))["key"]["plain"]
    assert key == f"at most {bound} row(s) per pupil and year; further rows were left out, chosen at random"
    (told,) = [w for w in _warnings(f"bound_rows = {bound}") if "left out at random" in w]
    assert told.startswith(f"At most {bound} row(s) per pupil and year are counted")


def test_nothing_is_told_where_nothing_was_left_out(tmp_path: Path) -> None:
    assert out.meta(_hosted("rows_per_period = 2"))["key"] == {"plain": "at most 2 row(s) per pupil and year"}
    assert not [w for w in _warnings("rows_per_period = 2") if "left out" in w]
    with running(tmp_path, pupils(30)) as service:
        answer = service.ask({"measures": [{"statistic": "count"}], "groupBy": ["year"]}).json()
    assert len(answer["warnings"]) == 1
    assert "left out" not in answer["warnings"][0]
