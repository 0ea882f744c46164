"""`official` mode over HTTP: tables that are protected with regard to each other, and those that officers register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from privacy_api_client.tables import read_tables

from privacy_api.errors import ApiError
from privacy_api.ports import AuditFilter, RegisteredTable
from privacy_api.service.tables import publish, register, withdraw
from privacy_api.wire.query_in import read_query
from tests.lib.service import DATA_SET, OPEN_OFFICIAL, Service, pupils, running

OFFICER = "console:olive"

ONE_YEAR = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
COUNT = {"statistic": "count"}
BY_LA = {"measures": [COUNT], "groupBy": ["la"], "criteria": ONE_YEAR}
ROWS = [row for la in range(5) for row in pupils(50 + 40 * la, la=la, first=1000 * la)]
CLOSED = OPEN_OFFICIAL[: OPEN_OFFICIAL.index("[ad_hoc]")]


def registered(service: Service, name: str, question: dict[str, Any]) -> RegisteredTable:
    policy = service.services.data_sets[DATA_SET].cut.policy
    return RegisteredTable(name, f"Table {name}", DATA_SET, json.dumps(question), policy.digest, "2026-11-22")


def released(service: Service, name: str, question: dict[str, Any]) -> dict[str, Any]:
    policy = service.services.data_sets[DATA_SET].cut.policy
    table = registered(service, name, question)
    found: dict[str, Any] = json.loads(
        register(table, (policy.name, policy.version), OFFICER, read_query, service.services).body
    )
    return found


def test_a_registered_table_is_given_to_everybody_where_free_queries_are_not(tmp_path: Path) -> None:
    with running(tmp_path, ROWS, CLOSED) as service:
        assert service.ask(BY_LA).json()["code"] == "ad-hoc-not-allowed"
        made = released(service, "by-la", BY_LA)
        listed = service.client.get("/v1/tables", headers=service.auth).json()["results"]
        assert [table["id"] for table in listed] == ["by-la"]
        answer = service.client.get(listed[0]["links"]["self"], headers=service.new_key("others"))
        assert answer.json() == made
        assert [t.id for t in read_tables({"results": listed})] == ["by-la"]
        csv = service.client.get("/v1/tables/by-la?format=csv", headers=service.auth)
        assert csv.text.splitlines()[0].startswith("la,")
        assert service.client.get("/v1/tables/by-la").status_code == 401
        assert service.client.get("/v1/tables/nothing", headers=service.auth).status_code == 404


def test_an_official_answer_does_not_explain_its_symbols_by_noise(tmp_path: Path) -> None:
    with running(tmp_path, ROWS, OPEN_OFFICIAL) as service:
        told = service.ask(BY_LA).json()["statuses"]
    assert set(told) == {"c", "x", "z", "low", "u"}
    assert not any("noise" in text or "protected count" in text for text in told.values())


def test_a_table_is_released_once_and_withdrawn_for_good(tmp_path: Path) -> None:
    with running(tmp_path, ROWS, CLOSED) as service:
        released(service, "by-la", BY_LA)
        with pytest.raises(ApiError) as taken:
            released(service, "by-la", BY_LA)
        assert "registered already" in taken.value.detail
        again = publish(registered(service, "by-la", BY_LA), read_query, service.services)
        assert again.repeat
        assert withdraw("by-la", OFFICER, service.services)
        assert service.client.get("/v1/tables/by-la", headers=service.auth).status_code == 404
        assert service.client.get("/v1/tables", headers=service.auth).json()["results"] == []
        told = service.services.audit.newest(AuditFilter(subject="table:by-la"), None, 9)
        assert [each.kind for each in told] == ["table-withdrawn", "table-registered"]
        assert {each.actor for each in told} == {OFFICER}


def test_a_table_is_not_released_under_another_policy_than_it_was_approved_under(tmp_path: Path) -> None:
    with running(tmp_path, ROWS, CLOSED) as service:
        with pytest.raises(ApiError) as refused:
            register(registered(service, "by-la", BY_LA), ("dfe-draft", 7), OFFICER, read_query, service.services)
        assert "version 7" in refused.value.detail
        assert service.services.tables.tables() == []
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    with running(noisy, ROWS) as service:
        with pytest.raises(ApiError) as wrong:
            released(service, "by-la", BY_LA)
        assert "official" in wrong.value.detail


def test_populations_that_differ_by_few_are_not_both_released(tmp_path: Path) -> None:
    """Everybody, and everybody but a need that three pupils have."""
    rows = [row for row in ROWS if row.atoms["need"] != 10] + pupils(11, la=0, first=9000)[10:] * 1
    without = {"and": [ONE_YEAR, {"filters": {"need": {"notEq": "k"}}}]}
    large = {"and": [ONE_YEAR, {"filters": {"need": {"notEq": "a"}}}]}
    with running(tmp_path, rows, CLOSED) as service:
        released(service, "all", {"measures": [COUNT], "criteria": ONE_YEAR})
        with pytest.raises(ApiError) as refused:
            released(service, "without", {"measures": [COUNT], "criteria": without})
        assert refused.value.code.slug == "cannot-protect"
        assert "differs by a few" in refused.value.detail
        assert released(service, "large", {"measures": [COUNT], "criteria": large})["results"][0]["status"] == ""
        assert service.services.ledger.verify() > 0, "refusals are on the record too"


def test_free_queries_and_tables_are_protected_with_regard_to_each_other(tmp_path: Path) -> None:
    """Two tables with a margin in common: what one hides there, the other does not show."""
    rows = [row for la in range(5) for row in pupils(15 if la == 1 else 600 + 40 * la, la=la, first=1000 * la)]
    with running(tmp_path, rows, OPEN_OFFICIAL) as service:
        hidden = []
        for other in ("sex", "need", "score"):
            body = {"measures": [COUNT], "groupBy": ["la", other], "totals": [["la"]], "criteria": ONE_YEAR}
            answer = service.ask(body)
            if answer.status_code == 200:
                results = answer.json()["results"]
                hidden.append({r["la"] for r in results if r[other] is None and r["status"] == "c"})
        assert len(hidden) == 3
        assert all(one == hidden[0] for one in hidden), "the same LAs in every table"


def test_a_question_of_official_mode_is_refused_with_what_would_pass(tmp_path: Path) -> None:
    with running(tmp_path, ROWS, OPEN_OFFICIAL) as service:
        over_time = service.ask({"measures": [COUNT], "groupBy": ["la"]})
        assert [e["code"] for e in over_time.json()["errors"]] == ["TimePeriodRequired"]
        some = service.ask(BY_LA | {"criteria": {"and": [ONE_YEAR, {"filters": {"la": {"in": ["A1", "A3"]}}}]}})
        assert [e["code"] for e in some.json()["errors"]] == ["NotInHierarchy"]
        preview = service.client.post(
            f"/v1/data-sets/{DATA_SET}/query/preview", json=BY_LA, headers=service.auth
        ).json()
        assert preview["valid"] is True
        assert preview["price"]["nanoRho"] == 0


def test_a_table_that_cannot_be_protected_is_refused_and_recorded(tmp_path: Path) -> None:
    """Nearly all of its cells are small."""
    with running(tmp_path, pupils(9), OPEN_OFFICIAL) as service:
        body = {"measures": [COUNT], "criteria": ONE_YEAR}
        assert service.ask(body).json()["results"][0]["status"] == "c"
        before = service.services.ledger.verify()
        refused = service.ask({"measures": [COUNT], "groupBy": ["la", "need"], "criteria": ONE_YEAR})
        assert refused.status_code == 403
        assert refused.json()["code"] == "cannot-protect"
        assert service.services.ledger.verify() == before + 2, "charged with nothing, and failed"
