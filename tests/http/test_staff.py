"""What staff do over the API: the record, red flags, caps, policies, freezing; and who may not."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privacy_api.governance.csrf import HEADER, token_of
from privacy_api.governance.roles import Permission, permissions_of
from privacy_api.ports import AuditFilter, Person, Role
from privacy_api.service.tallies import CROWD, Refused, Tallies
from privacy_api.service.terms import import_policy
from tests.lib.service import POLICY, URL, Service, pupils, running

NOW = "2026-11-21T12:00:00+00:00"
QUESTION = {"measures": [{"statistic": "count"}], "groupBy": ["sex"]}
TIGHTER = POLICY.replace("value = 10", "value = 20", 1)
LOOSER = POLICY.replace("value = 10", "value = 5", 1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, pupils(3000)) as made:
        import_policy("school", POLICY, NOW, made.services)
        yield made


def staff(service: Service, role: Role) -> dict[str, str]:
    """The cookie and token of a signed-in account, as a header."""
    name = f"{role}-person"
    account = service.services.accounts.by_subject("tests", name) or service.services.accounts.create(
        "tests", name, name, f"{name}@example.org", frozenset({role})
    )
    session, cookie = service.services.sessions.start(account.id)
    return {"Cookie": f"session={cookie}", HEADER: token_of(session), "Origin": "http://testserver"}


def call(service: Service, role: Role, method: str, path: str, body: Any = None) -> Any:
    return service.client.request(method, f"/v1/{path}", json=body, headers=staff(service, role))


def ask(service: Service, body: object = QUESTION) -> Any:
    return service.client.post(URL, json=body, headers=service.auth)


def test_auditors_read_both_chains_page_by_page_and_never_an_exact_value(service: Service) -> None:
    released = ask(service).json()
    call(service, Role.DISCLOSURE_OFFICER, "POST", "cuts/school/freezing", {"reason": "a doubt"})
    page = call(service, Role.AUDITOR, "GET", "audit?limit=2").json()
    kinds = [each["kind"] for each in page["results"]]
    assert kinds == ["cut-frozen", "release"]
    rest = call(service, Role.AUDITOR, "GET", f"audit?before={page['next']}").json()
    assert [each["kind"] for each in rest["results"]] == ["charge", "policy-imported"]
    assert rest["next"] is None
    onward = call(service, Role.AUDITOR, "GET", "audit?after=0.0&kind=charge").json()["results"]
    assert onward[0]["facts"]["release"] == released["id"]
    assert json.loads(onward[0]["facts"]["query"])["groupBy"] == ["sex"]
    whole = json.dumps([page, rest])
    values = [str(row["value"]) for row in released["results"] if row["value"] and row["value"] > 99]
    assert values
    # As words of their own: some digest may well have the same figures in it.
    assert not re.search(rf"\b({'|'.join(values)})\b", whole)
    assert call(service, Role.AUDITOR, "GET", "audit/verification").json()["whole"] is True


@pytest.mark.parametrize(
    "path", ["audit?kind=melted", "audit?after=x", "audit?after=1.0&before=2.0", "audit?after=1.-1", "audit?actor=%00"]
)
def test_what_cannot_be_read_is_refused(service: Service, path: str) -> None:
    assert call(service, Role.AUDITOR, "GET", path).status_code == 400


def test_the_record_is_exported_inert_and_that_is_recorded(service: Service) -> None:
    reason = '=HYPERLINK("http://elsewhere.example")'
    call(service, Role.DISCLOSURE_OFFICER, "POST", "cuts/school/freezing", {"reason": reason})
    answer = call(service, Role.AUDITOR, "GET", "audit/export?format=csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows] == ["policy-imported", "cut-frozen", "record-exported"]
    assert json.loads(rows[1]["facts"])["reason"] == reason
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row.values() if cell)
    lines = call(service, Role.AUDITOR, "GET", "audit/export?format=jsonl&kind=record-exported").text.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["record-exported"] * 2
    assert call(service, Role.AUDITOR, "GET", "audit/export?format=xml").status_code == 406


WRITES = [
    ("GET", "audit", None, Permission.VIEW_AUDIT),
    ("GET", "audit/export", None, Permission.VIEW_AUDIT),
    ("GET", "red-flags", None, Permission.VIEW_RED_FLAGS),
    ("GET", "budgets", None, Permission.VIEW_BUDGETS),
    ("PUT", "budgets/project/tests", {"rho": 0.1, "reason": "r"}, Permission.SET_BUDGETS),
    ("POST", "cuts/school/policies", {"policy": TIGHTER, "reason": "r"}, Permission.SET_POLICIES),
    ("POST", "cuts/school/policies/1/publication", {"reason": "r"}, Permission.SET_POLICIES),
    ("POST", "cuts/school/freezing", {"reason": "r"}, Permission.FREEZE),
    ("POST", "cuts/school/unfreezing", {"reason": "r"}, Permission.UNFREEZE),
]


@pytest.mark.parametrize(("method", "path", "body", "wanted"), WRITES)
def test_only_who_may(service: Service, method: str, path: str, body: Any, wanted: Permission) -> None:
    for role in Role:
        answer = call(service, role, method, path, body)
        assert (answer.status_code == 403) <= (wanted not in permissions_of([role])), (role, answer.text)
        assert (wanted in permissions_of([role])) or answer.status_code == 403, role
    assert service.client.request(method, f"/v1/{path}", json=body, headers=service.auth).status_code == 403
    assert service.client.request(method, f"/v1/{path}", json=body).status_code == 401


def test_one_person_lowers_a_cap_and_none_raises_it_alone(service: Service) -> None:
    service.services.projects.create_person(Person("ann", 100))
    officer = Role.DISCLOSURE_OFFICER
    for path, cap in (("cut/school", 0.4), ("project/tests", 0.2), ("person/ann", 0)):
        lowered = call(service, officer, "PUT", f"budgets/{path}", {"rho": cap, "reason": "less will do"})
        assert lowered.status_code == 200, lowered.text
        raised = call(service, officer, "PUT", f"budgets/{path}", {"rho": cap + 0.05, "reason": "more, please"})
        assert (raised.status_code, raised.json()["state"]) == (202, "open"), raised.text
    assert service.services.projects.project("tests").cap == 200_000_000  # type: ignore[union-attr]
    assert service.services.terms.of("school").cap == 400_000_000  # type: ignore[union-attr]
    kinds = [h.kind for h in service.services.audit.happenings(AuditFilter(), None, 99)]
    assert [kind for kind in kinds if kind.endswith("cap-changed")] == [
        "cut-cap-changed", "project-cap-changed", "person-cap-changed",
    ]  # fmt: skip
    beyond = call(service, officer, "PUT", "budgets/cut/school", {"rho": 50, "reason": "all of it"})
    assert (beyond.status_code, "policy" in beyond.json()["detail"]) == (400, True)
    assert call(service, officer, "PUT", "budgets/cut/none", {"rho": 1, "reason": "r"}).status_code == 404
    assert call(service, officer, "PUT", "budgets/moon/x", {"rho": 1, "reason": "r"}).status_code == 404
    assert call(service, officer, "PUT", "budgets/project/tests", {"rho": -1, "reason": "r"}).status_code == 400


def test_budgets_say_what_they_mean(service: Service) -> None:
    ask(service)
    told = call(service, Role.DISCLOSURE_OFFICER, "GET", "budgets").json()
    (cut,) = told["cuts"]
    assert cut["spentRho"] == 0.005
    assert [each["count"] for each in cut["typical"]] == [100, 1_000, 10_000]
    assert cut["typical"][0]["margin"] == 100 * cut["typical"][0]["percent"] / 100
    assert "coin-flip" in " ".join(cut["plain"])
    assert cut["forecast"]["rhoPerDay"] >= 0


def test_a_tighter_policy_is_one_persons_and_a_looser_one_is_not(service: Service) -> None:
    officer = Role.DISCLOSURE_OFFICER
    drafted = call(service, officer, "POST", "cuts/school/policies", {"policy": TIGHTER, "reason": "small schools"})
    assert drafted.status_code == 200, drafted.text
    assert (drafted.json()["version"], drafted.json()["loosens"], drafted.json()["people"]) == (2, [], 1)
    assert drafted.json()["tightens"] == ["minimum_count.value"]
    looser = call(service, officer, "POST", "cuts/school/policies", {"policy": LOOSER, "reason": "more detail"}).json()
    assert (looser["version"], looser["loosens"], looser["people"]) == (3, ["minimum_count.value"], 2)
    proposed = call(service, officer, "POST", "cuts/school/policies/3/publication", {"reason": "more detail"})
    assert (proposed.status_code, service.services.terms.of("school").version) == (202, 1)  # type: ignore[union-attr]
    published = call(service, officer, "POST", "cuts/school/policies/2/publication", {"reason": "as drafted"})
    assert (published.status_code, published.json()["policyVersion"]) == (200, 2)
    assert ask(service).json()["policy"]["hash"] == drafted.json()["hash"]
    again = call(service, officer, "POST", "cuts/school/policies/2/publication", {"reason": "r"})
    assert again.status_code == 409
    late = f"proposals/{proposed.json()['id']}/approve"
    assert call(service, officer, "POST", late, {"reason": "r"}).json()["code"] == "another-person"
    told = call(service, Role.DATA_CUSTODIAN, "POST", late, {"reason": "r"})
    assert (told.status_code, "have changed since" in told.json()["detail"]) == (409, True)
    assert call(service, officer, "POST", "cuts/school/policies/3/withdrawal", {"reason": "r"}).json()["state"] == (
        "withdrawn"
    )
    states = call(service, officer, "GET", "cuts/school/policies").json()
    assert states["inForce"] == 2
    bad = call(service, officer, "POST", "cuts/school/policies", {"policy": POLICY + "\n[melted]\n", "reason": "r"})
    assert (bad.status_code, "melted" in bad.text) == (400, True)
    assert call(service, officer, "GET", "cuts/none/policies").status_code == 404
    assert call(service, officer, "GET", "cuts/school/policies/77").status_code == 404


def test_the_effect_of_a_policy_is_shown_on_synthetic_data_and_charges_nothing(service: Service) -> None:
    for grouping in ("sex", "need"):
        assert ask(service, {"measures": [{"statistic": "count"}], "groupBy": [grouping]}).status_code == 200
    spent = service.services.ledger.verify()
    far = POLICY.replace("value = 10", "value = 900", 1)
    call(service, Role.DISCLOSURE_OFFICER, "POST", "cuts/school/policies", {"policy": far, "reason": "r"})
    answer = call(service, Role.DISCLOSURE_OFFICER, "GET", "cuts/school/policies/2/effect")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["questions"] == 2
    assert told["after"]["hidden"] > told["before"]["hidden"]
    assert told["before"]["medianMargin"] is not None
    assert "On synthetic data" in told["plain"]
    assert service.services.ledger.verify() == spent


def test_refusals_are_counted_by_the_minute(service: Service) -> None:
    for _ in range(7):
        assert ask(service, {"measures": []}).status_code == 422
    for _ in range(3):
        service.client.post(URL, json=QUESTION)
    service.services.tallies.flush()
    found = service.services.audit.happenings(AuditFilter(kinds=frozenset({"query-refused"})), None, 99)
    by_actor = {each.actor: each.facts["counts"] for each in found}
    assert by_actor == {service.key.split("_")[2]: {"invalid-query": 7}, "anonymous": {"not-authenticated": 3}}


def test_what_one_may_not_is_counted_apart_from_questions(service: Service) -> None:
    for path in ("/v1/audit", "/v1/audit", "/v1/projects/other/budget"):
        assert service.client.get(path, headers=service.auth).status_code in (403, 404)
    assert ask(service, {"measures": []}).status_code == 422
    service.services.tallies.flush()
    found = service.services.audit.happenings(AuditFilter(), None, 99)
    counts = {each.kind: each.facts["counts"] for each in found if each.kind.endswith("-refused")}
    assert counts == {"access-refused": {"forbidden": 2, "not-found": 1}, "query-refused": {"invalid-query": 1}}


def test_a_flood_of_refusals_is_few_entries(service: Service) -> None:
    tallies = Tallies(service.services.audit, lambda: NOW, seconds=3600)
    for n in range(5_000):
        tallies.count(Refused("query-refused", f"k{n % 1_200}", "service"), "invalid-query")
    assert tallies._counted.keys() >= {Refused("query-refused", CROWD, "service")}
    assert len(tallies._counted) == 1_001
    assert sum(sum(codes.values()) for codes in tallies._counted.values()) == 5_000
    tallies._counted.clear()
    tallies.close()


def test_a_red_flag_is_looked_at_and_stays_looked_at(service: Service) -> None:
    for _ in range(60):
        ask(service, {"measures": []})
    service.services.tallies.flush()
    (flag,) = call(service, Role.AUDITOR, "GET", "red-flags").json()["results"]
    assert (flag["detector"], flag["acknowledged"]) == ("refusals", None)
    path = f"red-flags/{flag['id']}/acknowledgement"
    assert call(service, Role.AUDITOR, "POST", path, {"reason": "a workshop"}).status_code == 200
    (again,) = call(service, Role.AUDITOR, "GET", "red-flags").json()["results"]
    assert again["acknowledged"]["reason"] == "a workshop"
    assert (
        call(service, Role.AUDITOR, "POST", "red-flags/flag-none/acknowledgement", {"reason": "r"}).status_code == 404
    )
    assert call(service, Role.AUDITOR, "POST", path, {"reason": ""}).status_code == 400


def test_the_figures_of_the_service_are_public(service: Service) -> None:
    ask(service)
    told = service.client.get("/v1/performance").json()
    assert (told["charges"], told["releases"], told["spentRho"]) == (1, 1, {"school": 0.005})


def test_two_people_raise_a_cap_and_loosen_a_policy(service: Service) -> None:
    officer, custodian = Role.DISCLOSURE_OFFICER, Role.DATA_CUSTODIAN
    assert call(service, officer, "PUT", "budgets/cut/school", {"rho": 0.1, "reason": "less"}).status_code == 200
    raised = call(service, officer, "PUT", "budgets/cut/school", {"rho": 0.3, "reason": "more"}).json()
    approve = f"proposals/{raised['id']}/approve"
    assert call(service, officer, "POST", approve, {"reason": "mine"}).json()["code"] == "another-person"
    assert service.services.terms.of("school").cap == 100_000_000  # type: ignore[union-attr]
    assert call(service, custodian, "POST", approve, {"reason": "agreed"}).json()["state"] == "executed"
    assert service.services.terms.of("school").cap == 300_000_000  # type: ignore[union-attr]
    call(service, officer, "POST", "cuts/school/policies", {"policy": LOOSER, "reason": "more detail"})
    proposed = call(service, officer, "POST", "cuts/school/policies/2/publication", {"reason": "more detail"}).json()
    approve = f"proposals/{proposed['id']}/approve"
    assert call(service, custodian, "POST", approve, {"reason": "agreed"}).status_code == 200
    assert ask(service).json()["policy"]["hash"] == service.services.terms.of("school").policy  # type: ignore[union-attr]
    facts = [h.facts for h in service.services.audit.happenings(AuditFilter(subject="cut:school"), None, 99)]
    assert [f["proposal"] for f in facts if "terms" in f and "proposal" in f] == [raised["id"], proposed["id"]]


@pytest.mark.parametrize("reason", ["", "\x00", "npd_live_abcd2345_" + "x" * 43, "x" * 2_001, 7, None])
def test_a_reason_that_cannot_be_recorded_is_refused(service: Service, reason: Any) -> None:
    for path in ("cuts/school/freezing", "cuts/school/policies/1/publication"):
        answer = call(service, Role.DATA_CUSTODIAN, "POST", path, {"reason": reason})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "reason")
    assert not service.services.terms.of("school").frozen  # type: ignore[union-attr]
