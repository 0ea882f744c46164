"""Every format has the same numbers: each is read back by other means and compared with the JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest

from privacy_api.formats import FORMATS, negotiate
from tests.lib.service import URL, Service, pupils, running

QUESTION = {
    "measures": [{"statistic": "count"}, {"statistic": "distribution", "variable": "sex"}],
    "groupBy": ["la", "year"],
    "totals": [[], ["REG"]],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("formats"), pupils(4000)) as made:
        yield made


@pytest.fixture(scope="module")
def release(service: Service) -> dict[str, Any]:
    return dict(service.ask(QUESTION).json())


def written(name: str, release: dict[str, Any], labels: bool = False) -> bytes:
    return FORMATS[name].write(json.dumps(release).encode(), labels)


def test_each_is_asked_for_by_name_and_by_media_type(service: Service, release: dict[str, Any]) -> None:
    for known in FORMATS.values():
        by_name = service.ask(QUESTION, params={"format": known.name})
        by_type = service.client.post(URL, json=QUESTION, headers=service.auth | {"Accept": known.media_type})
        assert by_name.status_code == 200
        assert by_name.headers["content-type"] == known.media_type
        if known.name not in ("json", "parquet"):
            assert by_type.content == by_name.content
    assert negotiate("xlsx", "*/*") is None


def test_an_unknown_format_is_told_which_there_are(service: Service) -> None:
    refused = service.ask(QUESTION, params={"format": "xlsx"})
    assert refused.status_code == 406
    assert all(name in refused.json()["detail"] for name in FORMATS)


def test_json_stat_is_the_same_cube(release: dict[str, Any]) -> None:
    stat = json.loads(written("json-stat", release))
    assert (stat["version"], stat["class"]) == ("2.0", "dataset")
    assert stat["id"] == ["la", "year", "REG", "measure", "number"]
    assert stat["size"] == [6, 4, 3, 4, 3], "five authorities and their total, three years, two regions, 1 + 3 measures"
    assert stat["role"] == {"metric": ["measure"], "geo": ["la", "REG"], "time": ["year"]}
    found = cube(stat)
    for row in release["results"]:
        key = tuple(row[name] or "_T" for name in ("la", "year", "REG"))
        measure = row["measure"] + (f":{row['output']}" if row["output"] else "")
        for end in ("value", "lower", "upper"):
            assert found[(*key, measure, end)] == (row[end], row["status"])
    assert len(stat["value"]) == sum(
        row[end] is not None for row in release["results"] for end in ("value", "lower", "upper")
    )


def cube(stat: dict[str, Any]) -> dict[tuple[str, ...], tuple[float | None, str]]:
    """As JSON-stat says: positions in row-major order."""
    codes = [stat["dimension"][name]["category"]["index"] for name in stat["id"]]
    return {key: (stat["value"].get(str(n)), stat["status"].get(str(n), "")) for n, key in enumerate(product(*codes))}


@pytest.mark.parametrize("labels", [False, True])
def test_parquet_has_the_rows_of_the_csv(release: dict[str, Any], labels: bool, tmp_path: Path) -> None:
    path = tmp_path / "answer.parquet"
    path.write_bytes(written("parquet", release, labels))
    with duckdb.connect() as connection:
        relation = connection.execute("SELECT * FROM read_parquet($path)", {"path": str(path)})
        names = [column[0] for column in relation.description or []]
        rows = relation.fetchall()
        kinds = dict(connection.execute("SELECT name, type FROM parquet_schema($path)", {"path": str(path)}).fetchall())
        about = dict(
            connection.execute("SELECT key, value FROM parquet_kv_metadata($path)", {"path": str(path)}).fetchall()
        )
    listed = list(csv.reader(io.StringIO(written("csv", release, labels).decode())))
    assert names == listed[0]
    assert len(rows) == len(listed) - 1 == len(release["results"])
    for row, texts in zip(rows, listed[1:], strict=True):
        assert [as_number(x) for x in row] == [as_number(x) for x in texts]
    assert (kinds["value"], kinds["la"]) == ("DOUBLE", "BYTE_ARRAY")
    assert about[b"release"].decode() == release["id"]


def as_number(cell: object) -> object:
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return cell or None


def test_parquet_of_no_rows(release: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    path.write_bytes(written("parquet", release | {"results": []}))
    assert duckdb.execute("SELECT count(*), count(value) FROM read_parquet($path)", {"path": str(path)}).fetchall() == [
        (0, 0)
    ]


@pytest.mark.parametrize("labels", [False, True])
def test_csvw_names_the_columns_of_the_csv(release: dict[str, Any], labels: bool) -> None:
    about = json.loads(written("csvw", release, labels))
    header = next(csv.reader(io.StringIO(written("csv", release, labels).decode())))
    described = about["tableSchema"]["columns"]
    assert [column["name"] for column in described] == header
    assert {c["name"] for c in described if c["datatype"] == "number"} == {"value", "lower", "upper", "confidence"}
    assert all(column["dc:description"] for column in described)
    assert f"/v1/releases/{release['id']}?format=csv" in about["url"]
    assert set(about["tableSchema"]["primaryKey"]) == {"la", "year", "REG", "measure", "output"}
