"""Every way round the two-person rule that we could think of, by the API and by the use cases behind pages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from privacy_api.errors import ApiError
from privacy_api.governance.caller import Caller
from privacy_api.governance.csrf import HEADER, token_of
from privacy_api.ports import AccountStatus, Role
from privacy_api.service import deciding, decisions
from privacy_api.service.caps import Scope, lower, planned
from privacy_api.service.terms import import_policy
from tests.lib.applications import ADA, COMPLETE, PLAIN, with_part
from tests.lib.applying import WHY, approved, begun, sent
from tests.lib.people import House, house
from tests.lib.service import POLICY
from tests.stores.conftest import fresh_postgres

pytestmark = pytest.mark.slow
LOOSER = {**WHY, "tightening": {}}


def proposed(people: House) -> tuple[str, str]:
    """Addresses of an application that wants two people and of the proposal that olive made of it."""
    path = sent(people)
    return path, people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]


def refused(people: House, who: str, path: str, body: Any = WHY) -> tuple[int, str]:
    found = people.send(who, "POST", path, body)
    return found.status_code, found.json()["code"]


def nothing_was_done(people: House, path: str) -> None:
    told = people.get("cora", path)
    assert (told["state"], told["project"]) == ("submitted", None)
    assert people.service.services.projects.project("ds00001") is None


BY_WHOM = [
    ("olive", 403, "another-person"),
    ("ada", 403, "forbidden"),
    ("dev", 403, "forbidden"),
    ("audrey", 403, "forbidden"),
    ("adam", 403, "forbidden"),
    ("", 401, "not-authenticated"),
]


@pytest.mark.parametrize(("who", "status", "code"), BY_WHOM)
@pytest.mark.parametrize("word", ["approve", "refuse"])
def test_who_is_not_the_second_person(people: House, who: str, status: int, code: str, word: str) -> None:
    path, proposal = proposed(people)
    assert refused(people, who, f"{proposal}/{word}") == (status, code)
    nothing_was_done(people, path)


def test_an_api_key_decides_nothing(people: House) -> None:
    path, proposal = proposed(people)
    for address in (f"{path}/approve", f"{proposal}/approve"):
        found = people.service.client.post(address, json=WHY, headers=people.service.auth)
        assert found.status_code in (401, 403)
    nothing_was_done(people, path)


def test_the_first_person_cannot_be_the_second_by_approving_twice(people: House) -> None:
    path, proposal = proposed(people)
    assert refused(people, "olive", f"{path}/approve") == (409, "not-as-things-stand")
    assert refused(people, "oscar", f"{path}/approve") == (409, "not-as-things-stand"), "not a second proposal of it"
    nothing_was_done(people, path)
    people.post("oscar", f"{proposal}/approve", WHY)


def give(people: House, who: str, role: Role) -> None:
    people.service.services.accounts.update(replace(people.account(who), roles=frozenset({role})))


def test_who_applied_decides_nothing_even_with_the_role(people: House) -> None:
    path = sent(people)
    give(people, "ada", Role.DISCLOSURE_OFFICER)
    for word in ("approve", "return", "refuse"):
        assert refused(people, "ada", f"{path}/{word}") == (403, "another-person")
    proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]
    assert refused(people, "ada", f"{proposal}/approve") == (403, "another-person")
    nothing_was_done(people, path)


def test_who_is_named_decides_nothing(people: House) -> None:
    named = replace(ADA, name="Oscar", email="Oscar@Example.org")
    path = sent(people, with_part(COMPLETE, "people", people=(ADA, named)))
    proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]
    assert refused(people, "oscar", f"{proposal}/approve") == (403, "another-person")
    assert refused(people, "oscar", f"{path}/return") == (403, "another-person")
    nothing_was_done(people, path)


def test_a_member_decides_nothing_about_the_project(people: House) -> None:
    project = approved(people, PLAIN, tightening={"rounding.base": 20})
    people.service.services.accounts.join(people.accounts["oscar"].id, project)
    tightening = f"/v1/projects/{project}/tightening"
    found = people.send("oscar", "PUT", tightening, LOOSER)
    assert (found.status_code, found.json()["code"]) == (403, "another-person")
    proposal = people.post("olive", tightening, LOOSER, 202, "PUT")["links"]["self"]
    assert refused(people, "oscar", f"{proposal}/approve") == (403, "another-person")
    people.post("olive", f"/v1/projects/{project}/freeze", WHY)
    give(people, "oscar", Role.DATA_CUSTODIAN)
    assert refused(people, "oscar", f"/v1/projects/{project}/unfreeze") == (403, "another-person")
    assert people.get("cora", f"/v1/projects/{project}")["tightening"] == {"rounding.base": 20}


def second_account(people: House, of: str, role: Role, **changes: str) -> str:
    """Of the same person, by the address that the provider says."""
    services, name = people.service.services, f"{of}-again"
    email = changes.get("email", people.account(of).email.upper())
    people.accounts[name] = services.accounts.create("https://other.example", name, name, email, frozenset({role}))
    session, cookie = services.sessions.start(people.accounts[name].id)
    people.headers[name] = {"Cookie": f"session={cookie}", HEADER: token_of(session)}
    return name


def test_a_second_account_is_no_second_person(people: House) -> None:
    path, proposal = proposed(people)
    again = second_account(people, "olive", Role.DATA_CUSTODIAN)
    for word in ("approve", "refuse"):
        assert refused(people, again, f"{proposal}/{word}") == (403, "another-person")
    nothing_was_done(people, path)


def test_people_without_an_address_are_not_all_one(people: House) -> None:
    services = people.service.services
    services.accounts.update(replace(people.account("olive"), email=""))
    path = sent(people)
    proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]
    people.post(second_account(people, "cora", Role.DATA_CUSTODIAN, email=""), f"{proposal}/approve", WHY)


def test_a_second_account_of_whoever_applied_decides_nothing(people: House) -> None:
    path = sent(people)
    again = second_account(people, "ada", Role.DISCLOSURE_OFFICER)
    assert refused(people, again, f"{path}/approve") == (403, "another-person")
    proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]
    assert refused(people, again, f"{proposal}/approve") == (403, "another-person")
    nothing_was_done(people, path)


def test_a_second_account_of_a_member_decides_nothing(people: House) -> None:
    project = approved(people, PLAIN, tightening={"rounding.base": 20})
    people.service.services.accounts.join(people.accounts["bea"].id, project)
    again = second_account(people, "bea", Role.DATA_CUSTODIAN)
    found = people.send(again, "PUT", f"/v1/projects/{project}/tightening", LOOSER)
    assert (found.status_code, found.json()["code"]) == (403, "another-person")


def test_members_of_a_project_decide_nothing_about_its_cut(people: House) -> None:
    """Raising its cap is theirs to gain by, as much as raising that of the project."""
    services = people.service.services
    import_policy("school", POLICY, services.now(), services)
    services.outdated()
    lower(planned(Scope.CUT, "school", 1_000, services), "Less.", people.accounts["cora"].id, services)
    project = approved(people, PLAIN)
    services.accounts.join(people.accounts["olive"].id, project)
    more = {**WHY, "rho": 0.1}
    found = people.send("olive", "PUT", "/v1/budgets/cut/school", more)
    assert (found.status_code, found.json()["code"]) == (403, "another-person")
    proposal = people.post("cora", "/v1/budgets/cut/school", more, 202, "PUT")["links"]["self"]
    assert refused(people, "olive", f"{proposal}/approve") == (403, "another-person")
    people.post("oscar", f"{proposal}/approve", WHY)


def test_members_unfreeze_neither_their_cut_nor_a_key_of_their_project(people: House) -> None:
    services = people.service.services
    import_policy("school", POLICY, services.now(), services)
    services.outdated()
    project = approved(people, PLAIN)
    key = services.projects.create_key(project, "", "test")[0].id
    services.accounts.join(people.accounts["cora"].id, project)
    for address, thaw in (("/v1/cuts/school/freezing", "unfreezing"), (f"/v1/keys/{key}/freeze", "unfreeze")):
        people.post("cora", address, WHY)
        again = f"{address.rpartition('/')[0]}/{thaw}"
        assert people.send("cora", "POST", again, WHY).status_code == 403
        services.accounts.leave(people.accounts["cora"].id, project)
        people.post("cora", again, WHY)
        services.accounts.join(people.accounts["cora"].id, project)


def test_nobody_gives_roles_to_a_second_account_of_theirs(people: House) -> None:
    again = second_account(people, "adam", Role.RESEARCHER)
    body = {**WHY, "roles": ["disclosure-officer"]}
    assert people.send("adam", "PUT", f"/v1/accounts/{people.accounts[again].id}/roles", body).status_code == 403


@pytest.mark.parametrize("way", ["tighter", "a smaller budget", "frozen"])
def test_a_change_is_not_made_of_a_project_that_is_held_otherwise_by_now(people: House, way: str) -> None:
    """Else approving it would undo, unseen by either, what somebody did at once in the meantime."""
    project = approved(people, PLAIN)
    path = sent(people, PLAIN, changes=project)
    proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"]
    before = people.service.services.projects.project(project)
    assert before
    if way == "tighter":
        body = {**WHY, "tightening": {"rounding.base": 20}}
        people.post("cora", f"/v1/projects/{project}/tightening", body, method="PUT")
    elif way == "frozen":
        people.post("cora", f"/v1/projects/{project}/freeze", WHY)
    else:
        people.service.services.projects.set_cap("project", project, before.cap - 1)
    held = people.service.services.projects.project(project)
    assert refused(people, "oscar", f"{proposal}/approve") == (409, "not-as-things-stand")
    assert people.service.services.projects.project(project) == held
    people.post("oscar", f"{proposal}/refuse", WHY)
    people.post("olive", f"{path}/approve", WHY, 202)


def test_staff_do_not_make_themselves_members(people: House) -> None:
    project = approved(people, PLAIN)
    body = {"account": people.accounts["olive"].id}
    assert people.send("olive", "POST", f"/v1/projects/{project}/members", body).status_code == 422


def test_a_proposal_is_done_once(people: House) -> None:
    path, proposal = proposed(people)
    people.post("oscar", f"{proposal}/approve", WHY)
    assert people.post("oscar", f"{proposal}/approve", WHY)["state"] == "executed", "the form was sent again"
    assert refused(people, "cora", f"{proposal}/approve") == (409, "not-as-things-stand")
    assert refused(people, "cora", f"{proposal}/refuse") == (409, "not-as-things-stand")
    assert refused(people, "olive", f"{proposal}/withdraw") == (409, "not-as-things-stand")
    assert [p.id for p in people.service.services.projects.projects()] == ["ds00001", "tests"]
    assert people.get("cora", path)["project"] == "ds00001"


OVERTAKEN: dict[str, Callable[[House, str], Any]] = {
    "returned": lambda people, path: people.post("cora", f"{path}/return", WHY),
    "refused": lambda people, path: people.post("cora", f"{path}/refuse", WHY),
    "withdrawn": lambda people, path: people.post("ada", f"{path}/withdraw", {}),
    "sent again with more": lambda people, path: (
        people.post("cora", f"{path}/return", WHY),
        people.post("ada", f"{path}/submit"),
    ),
}


@pytest.mark.parametrize("way", OVERTAKEN)
def test_what_is_no_longer_what_was_looked_at_is_not_approved(people: House, way: str) -> None:
    path, proposal = proposed(people)
    OVERTAKEN[way](people, path)
    assert refused(people, "oscar", f"{proposal}/approve") == (409, "not-as-things-stand")
    assert people.get("olive", proposal)["state"] == "withdrawn"
    assert people.service.services.projects.project("ds00001") is None


def test_a_proposal_lapses(people: House) -> None:
    path, proposal = proposed(people)
    later = replace(people.service.services, now=lambda: "2026-12-05T12:00:00+00:00")
    with pytest.raises(ApiError) as found:
        deciding.approve(proposal.rsplit("/", 1)[1], "Late.", people.caller("oscar"), later)
    assert "lapsed" in found.value.detail
    nothing_was_done(people, path)
    assert decisions.approve_it(path.rsplit("/", 1)[1], decisions.Terms(), "Again.", people.caller("cora"), later)


@pytest.mark.parametrize("way", ["frozen", "another role", "a member now"])
def test_the_first_person_still_stands_behind_it(people: House, way: str) -> None:
    project = approved(people, PLAIN, tightening={"rounding.base": 20})
    proposal = people.post("olive", f"/v1/projects/{project}/tightening", LOOSER, 202, "PUT")["links"]["self"]
    accounts = people.service.services.accounts
    if way == "frozen":
        accounts.update(replace(people.account("olive"), status=AccountStatus.FROZEN))
    elif way == "another role":
        give(people, "olive", Role.AUDITOR)
    else:
        accounts.join(people.accounts["olive"].id, project)
    assert refused(people, "oscar", f"{proposal}/approve") == (409, "not-as-things-stand")
    assert people.get("cora", f"/v1/projects/{project}")["tightening"] == {"rounding.base": 20}


def test_looser_by_two_people_and_tighter_by_one(people: House) -> None:
    project = approved(people, PLAIN)
    address = f"/v1/projects/{project}/tightening"
    held = people.post("olive", address, {**WHY, "tightening": {"rounding.base": 20, "limits.cells": 50}}, method="PUT")
    assert held["tightening"] == {"rounding.base": 20, "limits.cells": 50}
    looser = {**WHY, "tightening": {"rounding.base": 10, "limits.cells": 50}}
    proposal = people.post("olive", address, looser, 202, "PUT")
    assert "less tightly in rounding.base" in proposal["told"]
    assert people.send("olive", "PUT", address, looser).status_code == 409, "it is proposed already"
    people.post("olive", address, {**WHY, "tightening": {"rounding.base": 30, "limits.cells": 50}}, method="PUT")
    assert refused(people, "oscar", f"{proposal['links']['self']}/approve")[0] == 409, (
        "it was proposed of another state"
    )
    again = people.post("olive", address, looser, 202, "PUT")
    people.post("oscar", f"{again['links']['self']}/approve", WHY)
    assert people.get("ada", f"/v1/projects/{project}")["tightening"] == {"rounding.base": 10, "limits.cells": 50}


def test_use_cases_refuse_whoever_comes_by_another_way(people: House) -> None:
    """As a page or a command would call them, past the access table."""
    path, proposal = proposed(people)
    name, services = proposal.rsplit("/", 1)[1], people.service.services
    principal = services.projects.principal(people.service.key)
    for caller in (Caller(), Caller(principal=principal), people.caller("ada"), people.caller("olive")):
        with pytest.raises(ApiError):
            deciding.approve(name, "So be it.", caller, services)
    for caller in (Caller(), people.caller("ada"), people.caller("audrey")):
        with pytest.raises(ApiError):
            decisions.approve_it(path.rsplit("/", 1)[1], decisions.Terms(), "So be it.", caller, services)
    nothing_was_done(people, path)


def test_an_effect_that_fails_leaves_nothing_behind(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proposal, project, membership and record are one transaction."""
    path, proposal = proposed(people)

    def fails(*_: object) -> bool:
        raise RuntimeError("half-way")

    with monkeypatch.context() as patched:
        patched.setattr(type(people.service.services.accounts), "join", fails)
        assert people.send("oscar", "POST", f"{proposal}/approve", WHY).status_code == 500
    nothing_was_done(people, path)
    assert people.get("oscar", proposal)["state"] == "open"
    people.service.services.audit.verify()
    people.post("oscar", f"{proposal}/approve", WHY)
    assert people.get("ada", path)["state"] == "approved"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_two_second_persons_at_once_one_decides(tmp_path: Path, database: str) -> None:
    if database == "sqlite":
        race(tmp_path, "")
    else:
        with fresh_postgres() as url:
            race(tmp_path, url)


def race(home: Path, url: str) -> None:
    with house(home, url) as people:
        for turn in range(3):
            path = begun(people)
            people.post("ada", f"{path}/submit")
            proposal = people.post("olive", f"{path}/approve", WHY, 202)["links"]["self"].rsplit("/", 1)[1]
            together, services = Barrier(3), people.service.services
            ways = [
                partial(deciding.approve, proposal, "Yes.", people.caller("oscar"), services),
                partial(deciding.refuse, proposal, "No.", people.caller("cora"), services),
                partial(decisions.return_it, path.rsplit("/", 1)[1], "Mend.", people.caller("cora"), services),
            ]

            def decide(way: Callable[[], object], start: Barrier = together) -> bool:
                start.wait()
                try:
                    way()
                except ApiError as error:
                    assert error.code.status == 409
                    return False
                return True

            with ThreadPoolExecutor(3) as crew:
                won = list(crew.map(decide, ways))
            told = people.get("cora", path)
            assert (told["project"] is not None) == won[0] == (told["state"] == "approved")
            assert not (won[0] and (won[1] or won[2])), turn
            assert any(won)
        services.audit.verify()
