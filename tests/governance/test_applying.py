"""An application through the API: written, sent, returned, decided; and what becomes of it."""

from __future__ import annotations

import json

import pytest

from privacy_api.governance.records import record_value
from privacy_api.ports.applications import Content, NamedPerson
from privacy_api.stores.database import reading
from privacy_api.stores.schema import audit
from tests.lib.applications import ADA, COMPLETE, PLAIN, with_data, with_part
from tests.lib.applying import WHY, approved, begun, key_of, sent
from tests.lib.people import House
from tests.lib.service import URL


def recorded(people: House) -> list[tuple[str, str, dict[str, object]]]:
    from sqlalchemy import select

    engine = people.service.services.audit._engine  # type: ignore[attr-defined]
    with reading(engine) as connection:
        rows = connection.execute(select(audit.c.kind, audit.c.actor, audit.c.facts).order_by(audit.c.seq)).all()
    return [(row.kind, row.actor, json.loads(row.facts)) for row in rows]


def test_from_a_blank_page_to_a_question(people: House) -> None:
    """The way that is meant, with a class D variable: two people, a project, a key, an answer; all on the record."""
    path = begun(people)
    told = people.get("ada", path)
    assert [step["status"] for step in told["steps"]] == ["completed"] * 6 + ["not started"]
    assert (told["state"], told["problems"], told["redFlags"]) == ("draft", [], [])
    assert told["sensitive"][0] | {"label": ""} == {
        "dataSet": "school.census", "reference": "sex", "label": "", "why": "class D", "coarser": [],
    }  # fmt: skip
    people.post("ada", f"{path}/submit")
    proposal = people.post("olive", f"{path}/approve", WHY, 202)
    assert "Make project ds00001" in proposal["told"]
    assert "Class B and D variables: sex." in proposal["told"]
    assert people.get("ada", path)["state"] == "submitted"
    done = people.post("oscar", f"{proposal['links']['self']}/approve", WHY)
    assert done["state"] == "executed"
    project = people.get("ada", "/v1/projects/ds00001")
    assert (project["rho"], project["grants"], project["expires"][:10]) == (0.2, ["sex"], "2028-11-30")
    assert [member["name"] for member in project["members"]] == ["Ada"]
    asked = {"measures": [{"statistic": "count"}], "groupBy": ["sex"],
             "criteria": {"filters": {"year": {"eq": "202122"}}}}  # fmt: skip
    found = people.service.client.post(URL, json=asked, headers=key_of(people, "ds00001"))
    assert found.status_code == 200, found.text
    kinds = [kind for kind, _, _ in recorded(people)]
    for kind in ("application-started", "application-sent", "proposal-made", "proposal-approved", "proposal-executed",
                 "project-created", "member-added", "application-decided"):  # fmt: skip
        assert kinds.count(kind) == 1, kind
    people.service.services.audit.verify()


def test_without_a_sensitive_variable_one_person_approves(people: House) -> None:
    path = sent(people, PLAIN)
    told = people.post("olive", f"{path}/approve", {**WHY, "rho": "0.05", "expires": "2027-11-30"})
    assert (told["state"], told["project"]) == ("approved", "ds00001")
    project = people.get("olive", "/v1/projects/ds00001")
    assert (project["capNanoRho"], project["expires"]) == (50_000_000, "2027-11-30T23:59:59+00:00")
    again = people.send("oscar", "POST", f"{path}/approve", WHY)
    assert (again.status_code, again.json()["code"]) == (409, "not-as-things-stand")


def test_returned_mended_and_sent_again(people: House) -> None:
    path = sent(people, PLAIN)
    people.post("olive", f"{path}/comments", {"text": "Why two years?", "step": 3}, 201)
    people.post("ada", f"{path}/comments", {"text": "To see change."}, 201)
    assert people.send("ada", "PUT", f"{path}/steps/purpose", {}).status_code == 409
    people.post("olive", f"{path}/return", {"reason": "Say who the audience is."})
    people.post("ada", f"{path}/steps/purpose", record_value(PLAIN.purpose) | {"audience": "Parents"}, method="PUT")
    told = people.post("ada", f"{path}/submit")
    assert (told["state"], told["submission"]) == ("submitted", 2)
    assert [(c["byStaff"], c["step"]) for c in told["comments"]] == [(True, 3), (False, None)]
    assert [m["move"] for m in told["moves"]] == ["start", "submit", "return", "submit"]
    assert [s["waitsFor"] for s in told["clock"]["stages"]] == ["applicant", "staff", "applicant", "staff"]
    first, second = people.get("olive", f"{path}/submissions")["results"]
    assert (first["content"]["purpose"]["audience"], second["content"]["purpose"]["audience"]) == (
        PLAIN.purpose.audience, "Parents",
    )  # fmt: skip


@pytest.mark.parametrize("way", ["refuse", "withdraw"])
def test_what_has_ended_has_ended(people: House, way: str) -> None:
    path = sent(people, PLAIN)
    people.post("olive" if way == "refuse" else "ada", f"{path}/{way}", {"reason": "No longer."})
    for who, move in (
        ("ada", "submit"),
        ("ada", "withdraw"),
        ("olive", "return"),
        ("olive", "refuse"),
        ("olive", "approve"),
    ):
        assert people.send(who, "POST", f"{path}/{move}", WHY).status_code == 409, move
    assert people.send("ada", "PUT", f"{path}/steps/purpose", {}).status_code == 409
    assert people.get("olive", path)["project"] is None


def test_what_is_lacking_is_said_and_nothing_is_sent(people: House) -> None:
    path = begun(people, Content())
    found = people.send("ada", "POST", f"{path}/submit")
    assert (found.status_code, found.json()["code"]) == (422, "invalid-application")
    assert {"purpose.title", "people.people", "data.wanted"} <= {e["path"] for e in found.json()["errors"]}
    assert people.get("ada", path)["state"] == "draft"
    assert people.send("olive", "GET", path).status_code == 404, "staff see what was sent, not what is being written"


def test_an_application_of_others_is_one_that_does_not_exist(people: House) -> None:
    path = sent(people)
    for who, expected in (("bea", 404), ("dev", 404), ("audrey", 404), ("adam", 404)):
        for method, tail, body in (("GET", "", None), ("GET", "/submissions", None), ("POST", "/withdraw", {}),
                                   ("POST", "/comments", {"text": "Hm."})):  # fmt: skip
            assert people.send(who, method, path + tail, body).status_code == expected, (who, tail)
        missing = people.send(who, "GET", "/v1/applications/app-0000000000000000")
        assert people.send(who, "GET", path).json() == missing.json()
    for method, tail, body in (("PUT", "/steps/purpose", {}), ("POST", "/submit", None)):
        assert people.send("bea", method, path + tail, body).status_code == 404
    assert people.get("bea", "/v1/applications")["results"] == []
    assert [a["reference"] for a in people.get("olive", "/v1/applications?state=submitted")["results"]] == ["DS00001"]
    assert people.send("ada", "GET", "/v1/applications/app%00").status_code == 404


def test_words_that_cannot_stand_on_the_record(people: House) -> None:
    path = sent(people, PLAIN)
    key = "npd_test_abcdefgh_" + "x" * 43
    for body, tail in (({"text": key}, "comments"), ({"reason": f"See {key}"}, "return")):
        found = people.send("olive", "POST", f"{path}/{tail}", body)
        assert (found.status_code, found.json()["code"]) == (422, "reason-wanted"), tail
    assert people.get("olive", path)["comments"] == []
    assert people.get("olive", path)["state"] == "submitted"
    assert people.send("olive", "POST", f"{path}/return", {"reason": "  "}).json()["code"] == "reason-wanted"


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ({"rho": "0"}, "rho"),
        ({"rho": "1e9"}, "rho"),
        ({"rho": "lots"}, "rho"),
        ({"expires": "2029-01-01"}, "expires"),
        ({"expires": "2020-01-01"}, "expires"),
        ({"tightening": {"rounding.base": 1}}, "tightening"),
        ({"tightening": {"x": 1}}, "tightening"),
        ({"tightening": {"rounding.base": "20"}}, "tightening.rounding.base"),
        ({"cap": 5}, "cap"),
    ],
)
def test_terms_that_are_no_terms(people: House, terms: dict[str, object], path: str) -> None:
    application = sent(people, PLAIN)
    found = people.send("olive", "POST", f"{application}/approve", {**WHY, **terms})
    assert (found.status_code, found.json()["code"]) == (422, "invalid-terms")
    assert [each["path"] for each in found.json()["errors"]] == [path]


def test_a_change_of_scope_is_an_application_of_its_own(people: House) -> None:
    """It refers to the project, takes over its answers, and wants two people, since it widens."""
    project = approved(people, PLAIN, tightening={"rounding.base": 20})
    assert people.send("bea", "POST", "/v1/applications", {"changes": project}).status_code == 404
    blank = people.post("ada", "/v1/applications", {"changes": project}, 201)
    assert (blank["changes"], blank["content"]["purpose"]["title"]) == (project, PLAIN.purpose.title)
    wider = with_data(PLAIN, references=("la", "score"))
    path = sent(people, wider, changes=project)
    proposal = people.post("olive", f"{path}/approve", {**WHY, "rho": "0.3"}, 202)
    assert people.get("ada", f"/v1/projects/{project}")["rho"] == 0.2
    people.post("oscar", f"{proposal['links']['self']}/approve", WHY)
    changed = people.get("ada", f"/v1/projects/{project}")
    assert (changed["rho"], changed["scope"][0]["references"]) == (0.3, ["la", "score"])
    assert changed["tightening"] == {"rounding.base": 20}, "what was tightened stays"
    assert len(people.get("olive", "/v1/applications")["results"]) == 2


def test_members_are_those_who_are_named(people: House) -> None:
    bea = people.accounts["bea"]
    project = approved(people, PLAIN)
    found = people.send("olive", "POST", f"/v1/projects/{project}/members", {"account": bea.id})
    assert (found.status_code, found.json()["code"]) == (422, "invalid-terms")
    both = with_part(
        PLAIN, "people", people=(ADA, NamedPerson("Bea", "BEA@example.org", "Fellow", "Helps", "AR-2", "2030-01-01"))
    )
    other = approved(people, both, "bea")
    assert {m["name"] for m in people.get("olive", f"/v1/projects/{other}")["members"]} == {"Ada", "Bea"}
    people.send("olive", "DELETE", f"/v1/projects/{other}/members/{bea.id}")
    assert people.send("bea", "GET", f"/v1/projects/{other}").status_code == 404
    people.post("olive", f"/v1/projects/{other}/members", {"account": bea.id})
    assert people.get("bea", f"/v1/projects/{other}")["id"] == other


def test_a_step_that_is_none_and_a_body_that_is_none(people: House) -> None:
    path = begun(people, Content())
    assert people.send("ada", "PUT", f"{path}/steps/nothing", {}).status_code == 404
    assert people.send("ada", "PUT", f"{path}/steps/check", {}).status_code == 404
    found = people.send("ada", "PUT", f"{path}/steps/purpose", {"titel": "x", "commercial": 1})
    assert (found.status_code, found.json()["code"]) == (422, "invalid-application")
    assert {e["path"] for e in found.json()["errors"]} == {"titel", "commercial"}
    assert people.send("ada", "GET", "/v1/applications?state=none").status_code == 400
    assert people.send("ada", "POST", f"{path}/comments", {"text": "x", "step": 9}).status_code == 422


def test_an_api_key_does_not_apply(people: House) -> None:
    found = people.service.client.post("/v1/applications", json={}, headers=people.service.auth)
    assert found.status_code in (401, 403)


def test_one_may_not_begin_without_end(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacy_api.service.applications.MOST_OPEN", 2)
    for _ in range(2):
        begun(people, COMPLETE)
    assert people.send("ada", "POST", "/v1/applications", {}).status_code == 409
