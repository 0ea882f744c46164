"""Output checks over HTTP: who may ask, what is answered, what is kept."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from datasets.plan import EngineFailed, Plan
from disclosure.tables import ExactTable
from privacy_api.ports import AuditFilter, KeyRole
from tests.lib.service import DATA_SET, OPEN_OFFICIAL, Service, pupils, running

ADDRESS = "/v1/output-checks"
FIRST_YEAR = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
QUERY = {"measures": [{"statistic": "count"}], "groupBy": ["LA"], "criteria": FIRST_YEAR}
ROWS = [row for la in range(5) for row in pupils(1000 + 200 * la, la=la, first=10_000 * la)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, ROWS, policy=OPEN_OFFICIAL) as made:
        yield made


def check(service: Service, table: str, query: Any = QUERY, key: dict[str, str] | None = None) -> httpx2.Response:
    key = key or service.new_key("tests", role=KeyRole.CHECKER)
    body = {"dataSet": DATA_SET, "table": table, **({"query": query} if query else {})}
    return service.client.post(ADDRESS, json=body, headers=key)  # type: ignore[return-value]


def released(service: Service, query: Any = QUERY) -> str:
    answer = service.client.post(f"/v1/data-sets/{DATA_SET}/query?format=csv", json=query, headers=service.auth)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_release_of_the_service_passes_as_it_was_written(room: Service) -> None:
    table = released(room)
    answer = check(room, table)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["verdict"], found["findings"]) == ("pass", [])
    assert found["numbers"] == {"pass": 5, "review": 0, "fail": 0}
    assert [(c["line"], c["column"], c["verdict"]) for c in found["cells"]] == [
        (line, "value", "pass") for line in range(2, 7)
    ]
    assert found["sha256"] == hashlib.sha256(table.encode()).hexdigest()
    assert found["measures"] == [
        {"id": "count", "statistic": "count", "kind": "Frequencies",
         "risks": ["low count", "class disclosure", "differencing"]}
    ]  # fmt: skip


def test_a_wrong_number_fails_with_what_would_mend_it(room: Service) -> None:
    found = check(room, "LA,count\nA1,500\n").json()
    assert found["verdict"] == "fail"
    (cell,) = found["cells"]
    assert [f["code"] for f in cell["findings"]] == ["NotThatOfTheQuery"]
    assert all(cell["findings"][0][part] for part in ("message", "fix"))


def test_without_a_query_it_is_reviewed(room: Service) -> None:
    found = check(room, "LA,count\nA1,500\n", query=None).json()
    assert (found["verdict"], [f["code"] for f in found["findings"]]) == ("review", ["NoQuery"])
    assert found["query"] is None


def test_only_a_checker_may_ask(room: Service) -> None:
    for answer in (check(room, "LA,count\nA1,500\n", key=room.auth), room.client.get(ADDRESS, headers=room.auth)):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-a-checker")
    assert room.client.post(ADDRESS, json={}).status_code == 401
    assert room.client.get(ADDRESS).status_code == 401
    assert room.services.output_checks.checks(10) == []


def test_a_checker_may_also_query(room: Service) -> None:
    key = room.new_key("tests", role=KeyRole.CHECKER)
    assert room.client.post(f"/v1/data-sets/{DATA_SET}/query", json=QUERY, headers=key).status_code == 200


def test_each_check_is_recorded_and_no_number_of_the_table(room: Service) -> None:
    key = room.new_key("tests", role=KeyRole.CHECKER)
    table = "LA,count\nA1,48110815\n"
    checked = [check(room, table, query, key).json() for query in (QUERY, None)]
    (first, second) = room.client.get(ADDRESS, headers=key).json()["results"]
    for told, found in ((first, checked[0]), (second, checked[1])):
        assert told == {name: found[name] for name in told}
    assert first["by"] == key["Authorization"].split("_")[2]
    assert (first["query"]["groupBy"], second["query"]) == (["LA"], None)
    told = room.services.audit.newest(AuditFilter(kinds=("output-checked",)), None, 9)
    assert [each.subject for each in told] == [f"output:{second['id']}", f"output:{first['id']}"]
    assert [each.facts["verdict"] for each in told] == [second["verdict"], first["verdict"]]
    assert {each.actor for each in told} == {f"key-{first['by']}"}
    connection = sqlite3.connect(room.home / "service.db")
    assert "48110815" not in "\n".join(connection.iterdump())
    connection.close()


def test_a_check_is_not_a_release_and_costs_nothing(room: Service) -> None:
    before = room.services.ledger.verify()
    check(room, "LA,count\nA1,500\n")
    assert room.services.ledger.verify() == before
    assert room.services.ledger.released_tables("school@1.census") == ()


def test_a_cell_that_a_release_hides_may_not_be_taken_out(tmp_path: Path) -> None:
    rows = [row for la in range(5) for row in pupils(3 if la == 1 else 400, la=la, first=10_000 * la)]
    with running(tmp_path, rows, policy=OPEN_OFFICIAL) as room:
        text = released(room)
        assert check(room, text).json()["verdict"] == "pass"
        hidden = [line.split(",")[0] for line in text.splitlines() if line.split(",")[-2] == "c"]
        assert hidden == ["A1", "A2"], "the small one and one more, of the same region"
        found = check(room, "LA,count\nA1,400\n").json()
    assert [f["code"] for f in found["cells"][0]["findings"]] == ["HiddenBefore"]


def test_where_noise_protects_no_outputs_are_checked(tmp_path: Path) -> None:
    with running(tmp_path, ROWS) as room:
        answer = check(room, "LA,count\nA1,500\n")
    assert (answer.status_code, answer.json()["code"]) == (403, "output-checks-not-offered")


@pytest.mark.parametrize(
    ("body", "status", "code", "paths"),
    [
        ({"table": "LA,count\nA9,5\n"}, 422, "invalid-table", ["table[2].count"]),
        ({"table": "LA,count,name\nA1,5,Ann\n"}, 422, "invalid-table", ["table[1]"]),
        ({"query": {**QUERY, "groupBy": ["nothing"]}}, 422, "invalid-query", ["query.groupBy[0]"]),
        ({"query": {**QUERY, "sql": 1}}, 400, "invalid-request", ["query.sql"]),
        ({"table": ""}, 400, "invalid-request", ["table"]),
        ({"dataSet": "no.such"}, 404, "not-found", None),
    ],
)
def test_each_bad_request(room: Service, body: dict[str, Any], status: int, code: str, paths: list[str] | None) -> None:
    sent = {"dataSet": DATA_SET, "query": QUERY, "table": "LA,count\nA1,500\n", **body}
    answer = room.client.post(ADDRESS, json=sent, headers=room.new_key("tests", role=KeyRole.CHECKER))
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    if paths is not None:
        assert [e["path"] for e in answer.json()["errors"]] == paths


def test_grants_decide_what_a_check_may_be_about(room: Service) -> None:
    """It tells of exact counts, so a checker without the grant learns nothing of the variable."""
    key = room.new_key("ungranted", grants=frozenset(), role=KeyRole.CHECKER)
    answer = check(room, "sex,count\nF,3500\n", {**QUERY, "groupBy": ["sex"]}, key)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "VariableNotGranted")


def test_a_body_may_be_larger_than_a_query_and_not_without_bound(room: Service) -> None:
    key = room.new_key("tests", role=KeyRole.CHECKER)
    large = "LA,count\n" + "A9,5\n" * 20_000
    assert check(room, large, key=key).json()["code"] == "invalid-table"
    answer = room.client.post(ADDRESS, content=b" " * 2_100_000, headers=key)
    assert answer.status_code == 413


class Failing:
    def aggregate(self, plan: Plan) -> ExactTable:
        raise EngineFailed

    def close(self) -> None:
        """Nothing is open."""


def test_an_engine_that_fails_gives_no_verdict(tmp_path: Path) -> None:
    with running(tmp_path, policy=OPEN_OFFICIAL, engine=Failing()) as room:  # type: ignore[arg-type]
        answer = check(room, "LA,count\nA1,500\n")
        assert (answer.status_code, answer.json()["code"]) == (503, "output-check-failed")
        assert room.services.output_checks.checks(10) == []


def test_the_body_is_described(room: Service) -> None:
    document = room.client.get("/openapi.json").json()
    body = document["paths"][ADDRESS]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["$ref"].rsplit("/", 1)[1] in document["components"]["schemas"]
