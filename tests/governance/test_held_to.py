"""Questions are held to what was approved: through HTTP, before anything is charged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from privacy_api.service import project_terms
from tests.lib.applications import COMPLETE, PLAIN
from tests.lib.applying import WHY, approved, key_of
from tests.lib.people import House
from tests.lib.service import URL

pytestmark = pytest.mark.slow
YEAR = {"filters": {"year": {"in": ["202122", "202223"]}}}
COUNT = {"measures": [{"statistic": "count"}], "criteria": YEAR}


def ask(people: House, key: dict[str, str], **parts: Any) -> Any:
    return people.service.client.post(URL, json={**COUNT, **parts}, headers=key)


def spent(people: House) -> int:
    return people.service.services.ledger.cut_balance("school", 0).spent


REFUSED = [
    ({"groupBy": ["need"]}, "VariableNotInScope", "groupBy[0]"),
    ({"groupBy": ["la"]}, "VariableNotInScope", "groupBy[0]"),
    ({"groupBy": ["sex"]}, "VariableNotGranted", "groupBy[0]"),
    ({"criteria": None}, "PeriodNotInScope", "criteria"),
    ({"criteria": {"filters": {"year": {"eq": "202324"}}}}, "PeriodNotInScope", "criteria.filters.year.eq"),
    ({"measures": [{"statistic": "mean", "variable": "days"}]}, "VariableNotInScope", "measures[0].variable"),
]


@pytest.mark.parametrize(("parts", "code", "path"), REFUSED)
def test_what_was_not_approved_is_refused_and_costs_nothing(
    people: House, parts: dict[str, Any], code: str, path: str
) -> None:
    key = key_of(people, approved(people, PLAIN))
    body = {k: v for k, v in {**COUNT, **parts}.items() if v is not None}
    found = people.service.client.post(URL, json=body, headers=key)
    assert (found.status_code, found.json()["code"]) == (422, "invalid-query")
    assert (code, path) in {(e["code"], e["path"]) for e in found.json()["errors"]}
    preview = people.service.client.post(f"{URL}/preview", json=body, headers=key).json()
    assert code in {each["code"] for each in preview["problems"]}
    assert spent(people) == 0


def test_what_was_approved_is_answered_and_another_project_pays_nothing(people: House) -> None:
    key = key_of(people, approved(people, COMPLETE))
    first = ask(people, key, groupBy=["la.region", "sex"])
    assert first.status_code == 200, first.text
    again = people.service.ask({**COUNT, "groupBy": ["la.region", "sex"]})
    assert (again.json()["charge"]["repeat"], again.json()["id"]) == (True, first.json()["id"])


def test_a_data_set_that_is_not_in_scope(people: House) -> None:
    """As after a cut got another data set: the project's scope names none of it."""
    key = key_of(people, approved(people, PLAIN))
    services = people.service.services
    (project,) = (p for p in services.projects.projects() if p.id == "ds00001")
    services.projects.change_project(
        replace(project, scope={"school.other": next(iter((project.scope or {}).values()))})
    )
    found = ask(people, key)
    (error,) = found.json()["errors"]
    told = "This data set is not in the scope of the project. Accepted: school.other."
    assert error == {"code": "DataSetNotInScope", "message": told, "path": "dataSet"}


def test_a_frozen_project_is_answered_nothing_until_it_is_unfrozen(people: House) -> None:
    project = approved(people, PLAIN)
    key = key_of(people, project)
    assert ask(people, key).status_code == 200
    people.post("adam", f"/v1/projects/{project}/freeze", {"reason": "A key was lost."})
    found = ask(people, key)
    assert (found.status_code, found.json()["code"]) == (403, "frozen"), "not even what is stored"
    assert people.send("olive", "POST", f"/v1/projects/{project}/unfreeze", WHY).status_code == 403
    people.post("cora", f"/v1/projects/{project}/unfreeze", WHY)
    assert ask(people, key).json()["charge"]["repeat"] is True


def test_a_freeze_overtakes_a_question_on_its_way(people: House) -> None:
    """Checked again in the transaction that charges."""
    project = approved(people, PLAIN)
    key = key_of(people, project)
    services = people.service.services
    reserve = type(services.ledger).reserve

    def frozen_first(ledger: Any, request: Any) -> Any:
        project_terms.freeze(project, "Now.", people.caller("adam"), services)
        return reserve(ledger, request)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(services.ledger), "reserve", frozen_first)
        found = ask(people, key)
    assert (found.status_code, found.json()["code"]) == (403, "frozen")
    assert spent(people) == 0


def test_a_project_ends(people: House) -> None:
    project = approved(people, PLAIN)
    key = key_of(people, project)
    services = people.service.services
    found = services.projects.project(project)
    assert found is not None
    services.projects.change_project(replace(found, expires="2026-11-21T11:59:59+00:00"))
    told = ask(people, key)
    assert (told.status_code, told.json()["code"]) == (403, "expired")


def test_a_tighter_project_is_shown_the_same_measurements_more_coarsely(people: House) -> None:
    """Same question, same measurements, one charge; another release, which says how it is shown."""
    key = key_of(people, approved(people, PLAIN, tightening={"rounding.base": 100, "minimum_count.value": 200}))
    body = {**COUNT, "groupBy": ["la.region"]}
    plain = people.service.ask(body).json()
    before = spent(people)
    tight = people.service.client.post(URL, json=body, headers=key).json()
    assert (tight["charge"]["nanoRho"], spent(people)) == (0, before)
    assert tight["id"] != plain["id"]
    assert tight["policy"]["shownCoarser"] == {"minimum_count.value": 200, "rounding.base": 100}
    assert "shownCoarser" not in plain["policy"]
    assert tight["policy"]["hash"] != plain["policy"]["hash"]
    for coarse, fine in zip(tight["results"], plain["results"], strict=True):
        if coarse["status"] == "c":
            assert fine["value"] is None or fine["value"] < 205
        else:
            assert coarse["value"] % 100 == 0
            assert abs(coarse["value"] - fine["value"]) <= 50 + 2.5
    assert any(row["status"] == "c" for row in tight["results"])
    again = people.service.client.post(URL, json=body, headers=key).json()
    assert (again["id"], again["results"]) == (tight["id"], tight["results"])


def test_who_is_tightly_held_and_asks_first_pays_for_all(people: House) -> None:
    key = key_of(people, approved(people, PLAIN, tightening={"rounding.base": 100}))
    first = ask(people, key, groupBy=["la.region"]).json()
    assert first["charge"]["nanoRho"] > 0
    assert people.service.ask({**COUNT, "groupBy": ["la.region"]}).json()["charge"]["nanoRho"] == 0


def test_two_projects_held_alike_share_their_releases(people: House) -> None:
    held = {"rounding.base": 50}
    keys = [key_of(people, approved(people, PLAIN, who, tightening=held)) for who in ("ada", "bea")]
    ids = [ask(people, key, groupBy=["la.region"]).json()["id"] for key in keys]
    assert ids[0] == ids[1]


def test_unbiased_numbers_do_not_go_round_it(people: House) -> None:
    key = key_of(people, approved(people, PLAIN, tightening={"rounding.base": 100}))
    found = ask(people, key, display="unbiased")
    assert [(e["code"], e["path"]) for e in found.json()["errors"]] == [("DisplayNotAllowed", "display")]
    limits_only = key_of(people, approved(people, PLAIN, "bea", tightening={"limits.cells": 5}))
    assert ask(people, limits_only, display="unbiased").status_code == 200


def test_where_only_less_may_be_asked_the_release_is_the_one_that_others_get(people: House) -> None:
    key = key_of(people, approved(people, PLAIN, tightening={"limits.cells": 3, "limits.group_by": 1}))
    body = {**COUNT, "groupBy": ["la.region"]}
    assert people.service.client.post(URL, json=body, headers=key).json()["id"] == people.service.ask(body).json()["id"]
    found = ask(people, key, groupBy=["la.region", "year"])
    assert {e["code"] for e in found.json()["errors"]} <= {"TooManyCells", "TooManyGroups"}
    assert found.status_code == 422


def test_projects_of_others_do_not_exist(people: House) -> None:
    project = approved(people, PLAIN)
    for who in ("bea", "dev"):
        found = people.send(who, "GET", f"/v1/projects/{project}")
        assert (found.status_code, found.json()) == (404, people.send(who, "GET", "/v1/projects/nowhere").json())
    for who in ("ada", "olive", "audrey", "adam"):
        assert people.get(who, f"/v1/projects/{project}")["id"] == project
    assert people.send("cora", "POST", "/v1/projects/nowhere/freeze", WHY).status_code == 404


def test_a_project_made_by_hand_may_ask_all_there_is(people: House) -> None:
    found = people.service.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"]})
    assert found.status_code == 200
    assert people.get("olive", "/v1/projects/tests")["scope"] is None
