"""Answers as data frames."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest
from privacy_api_client import Client, count, mean, measure
from privacy_api_client.results import COLUMNS, Result, read_result

TYPES = {
    "REG": "category", "fsm": "category", "measure": "category", "statistic": "string", "variable": "string",
    "output": "category", "value": "float64", "lower": "float64", "upper": "float64", "confidence": "float64",
    "unit": "string", "status": "string",
}  # fmt: skip
CENSUS = "demo.census"


def result_of(rows: Sequence[Mapping[str, Any]]) -> Result:
    return read_result(
        {
            "id": "rel-1", "created": "2026-11-21T12:00:00+00:00", "citation": "Pupils. Release rel-1.",
            "dataSet": {"id": CENSUS, "title": "Census", "version": "1", "synthetic": False},
            "protection": {"mode": "dp"}, "statuses": {}, "results": rows,
            "measures": [{"id": "n", "statistic": "count", "variable": None, "unit": "rows", "confidence": 0.95}],
        }
    )  # fmt: skip


def row(value: float | None, status: str = "", **dimensions: str) -> dict[str, Any]:
    return {
        **dimensions,
        "measure": "n",
        "output": None,
        "value": value,
        "lower": value,
        "upper": value,
        "status": status,
    }


def types_of(frame: pandas.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def test_columns_and_types(client: Client) -> None:
    parts: dict[str, Any] = {"measures": [count(), mean("absence")], "group_by": ["REG", "fsm"]}
    frame = client.query(CENSUS, **parts).to_pandas()
    assert types_of(frame) == TYPES
    assert len(frame) == 9 * 2 * 2
    assert pandas.isna(frame["value"][0]) and frame["status"][0] == "c"
    assert frame["value"][1] == 1000
    assert frame.attrs["release"] == client.query(CENSUS, **parts).id and frame.attrs["synthetic"] is True


@pytest.mark.parametrize(
    "rows",
    [
        [row(None, "c", REG="N", fsm="Y")],
        [row(3, "", REG="N", fsm="Y"), row(0.5, "u", REG="S", fsm="Y")],
    ],
)
def test_types_do_not_depend_on_what_was_hidden(rows: list[dict[str, Any]]) -> None:
    frame = result_of(rows).to_pandas()
    assert types_of(frame) == TYPES
    assert not frame["status"].isna().any()


def test_no_rows_and_no_groups() -> None:
    assert list(result_of([]).to_pandas().columns) == list(COLUMNS)
    assert types_of(result_of([]).to_pandas()) == {name: TYPES[name] for name in COLUMNS}
    assert list(result_of([row(7)]).to_pandas()["value"]) == [7.0]


def test_groups_keep_the_order_of_their_codes(client: Client) -> None:
    frame = client.query(CENSUS, measures="count", group_by="year_group").to_pandas()
    assert frame["year_group"].cat.categories.tolist()[:3] == ["R", "1", "2"]
    wide = frame.pivot_table(index="year_group", columns="measure", values="value", observed=False)
    assert wide.index.tolist()[-2:] == ["12", "13"]


def test_labels(client: Client) -> None:
    meta = client.meta(CENSUS)
    frame = client.query(CENSUS, measures="count", group_by=["REG", "fsm"]).to_pandas(labels=meta)
    assert list(frame.columns[:4]) == ["REG", "REG_label", "fsm", "fsm_label"]
    assert frame["REG_label"].cat.categories.tolist()[0] == "North East"
    assert frame["fsm_label"][1] == "Not eligible"


def test_outputs_of_one_measure(client: Client) -> None:
    frame = client.query(CENSUS, measures=measure("histogram", "fsm")).to_pandas()
    assert frame["output"].tolist() == ["Y", "N"]


def test_it_joins_with_other_frames(client: Client) -> None:
    frame = client.query(CENSUS, measures="count", group_by="fsm").to_pandas()
    other = pandas.DataFrame({"fsm": ["N", "Y"], "weight": [1.0, 2.0]})
    assert frame.merge(other, on="fsm")["weight"].tolist() == [2.0, 1.0]


def test_a_csv_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    result_of([row(-1, "", band="=1+1"), row(None, "c", band="–2 to 0")]).to_csv(path)
    header, first, second = path.read_text(encoding="utf-8").splitlines()
    assert header.startswith("band,measure,statistic,variable,output,value")
    assert first == "'=1+1,n,count,,,-1,-1,-1,0.95,rows,,false"
    assert second == "–2 to 0,n,count,,,,,,0.95,rows,c,false"


def test_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'privacy-api-client\[pandas\]'"):
        result_of([row(1)]).to_pandas()
