"""Keys of accounts, freezing, roles, and sandboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy_api.errors import ApiError
from privacy_api.governance.csrf import token_of
from privacy_api.ports import Account, AuditFilter, Role
from privacy_api.ports import Person as Capped
from privacy_api.routes.throttle import Throttle
from privacy_api.service import sandbox
from privacy_api.service.accounts import hold_to_person
from privacy_api.stores.clock import now
from tests.lib import school
from tests.lib.service import DATA_SET, URL, Service, pupils, running

QUESTION = {"measures": [{"statistic": "count"}], "rho": 0.01}
WHY = {"reason": "A red flag."}
REAL = school.CATALOGUE.replace("synthetic = true", "synthetic = false")


@dataclass
class Person:
    """Somebody signed in, with the proof that a page of ours sends."""

    service: Service
    account: Account
    shown: dict[str, str]

    def asks(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        self.service.client.cookies.clear()
        parts = {} if body is None else {"json": body}
        return self.service.client.request(method, path, headers=self.shown | headers, **parts)


def person(service: Service, name: str, role: Role, *projects: str) -> Person:
    account = service.services.accounts.create("i", name, name, "", frozenset({role}))
    for project in projects:
        service.services.accounts.join(account.id, project)
    session, cookie = service.services.sessions.start(account.id)
    shown = {"Cookie": f"session={cookie}", "CSRF-Token": token_of(session), "Sec-Fetch-Site": "same-origin"}
    return Person(service, account, shown)


def happened(service: Service, kind: str) -> list[Any]:
    return list(service.services.audit.newest(AuditFilter(kinds=frozenset({kind})), None, 50))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, pupils(50), now=now) as made:
        yield made


def test_a_key_is_made_shown_once_and_revoked_by_its_owner_alone(service: Service) -> None:
    ada, eve = (person(service, name, Role.RESEARCHER, "tests") for name in ("ada", "eve"))
    made = ada.asks("POST", "/v1/keys", {"project": "tests", "label": "laptop", "days": 7})
    assert (made.status_code, made.json()["state"]) == (201, "active")
    assert datetime.fromisoformat(made.json()["expires"]) - datetime.now(UTC) < timedelta(days=7)
    key, name = made.json()["key"], made.json()["id"]
    assert key not in ada.asks("GET", "/v1/keys").text
    assert [each["id"] for each in ada.asks("GET", "/v1/keys").json()["results"]] == [name]
    assert eve.asks("GET", "/v1/keys").json()["results"] == []
    assert eve.asks("DELETE", f"/v1/keys/{name}").status_code == 404
    assert ada.asks("DELETE", f"/v1/keys/{name}").json()["state"] == "revoked"
    assert service.client.get("/v1/projects", headers=bearer(key)).status_code == 401
    assert [h.actor for kind in ("key-created", "key-revoked") for h in happened(service, kind)] == [ada.account.id] * 2


NOT_MADE = (
    ({"project": "others"}, 404),
    ({"project": "nowhere"}, 404),
    ({"project": "tests", "days": 0}, 400),
    ({"project": "tests", "days": 366}, 400),
    ({"project": "tests", "role": "checker"}, 400),
    ({"project": "tests", "label": "x" * 101}, 400),
    ({"project": "tests", "label": "a\0b"}, 400),
    ([], 400),
)


def test_keys_that_are_not_made(service: Service) -> None:
    service.new_key("others")
    ada = person(service, "ada", Role.RESEARCHER, "tests")
    for body, status in NOT_MADE:
        assert ada.asks("POST", "/v1/keys", body).status_code == status, body
    assert ada.asks("GET", "/v1/keys").json()["results"] == []


def test_an_account_has_no_end_of_keys(service: Service) -> None:
    ada = person(service, "ada", Role.RESEARCHER, "tests")
    made = [ada.asks("POST", "/v1/keys", {"project": "tests"}).status_code for _ in range(21)]
    assert made == [201] * 20 + [429]


def test_a_frozen_key_is_refused_at_its_next_request(service: Service) -> None:
    officer, custodian = person(service, "o", Role.DISCLOSURE_OFFICER), person(service, "c", Role.DATA_CUSTODIAN)
    name = service.key.split("_")[2]
    assert service.client.get("/v1/projects", headers=service.auth).status_code == 200
    assert officer.asks("POST", f"/v1/keys/{name}/freeze", {"reason": " "}).status_code == 400
    assert officer.asks("POST", f"/v1/keys/{name}/freeze", WHY).json()["state"] == "frozen"
    assert service.client.get("/v1/projects", headers=service.auth).json()["code"] == "frozen"
    assert officer.asks("POST", f"/v1/keys/{name}/unfreeze", WHY).status_code == 403
    assert custodian.asks("POST", f"/v1/keys/{name}/unfreeze", WHY).status_code == 200
    assert service.client.get("/v1/projects", headers=service.auth).status_code == 200
    assert officer.asks("POST", "/v1/keys/nonesuch/freeze", WHY).status_code == 404
    assert happened(service, "key-frozen")[0].facts["reason"] == WHY["reason"]


def test_a_frozen_account_loses_its_sessions_and_its_keys(service: Service) -> None:
    custodian, ada = person(service, "c", Role.DATA_CUSTODIAN), person(service, "ada", Role.RESEARCHER, "tests")
    key = ada.asks("POST", "/v1/keys", {"project": "tests"}).json()["key"]
    assert custodian.asks("POST", f"/v1/accounts/{ada.account.id}/freeze", WHY).json()["status"] == "frozen"
    assert ada.asks("GET", "/v1/projects").status_code == 401
    assert service.client.get("/v1/projects", headers=bearer(key)).json()["code"] == "frozen"
    assert custodian.asks("POST", f"/v1/accounts/{ada.account.id}/unfreeze", WHY).json()["status"] == "active"
    assert service.client.get("/v1/projects", headers=bearer(key)).status_code == 200
    assert custodian.asks("POST", f"/v1/accounts/{custodian.account.id}/freeze", WHY).status_code == 403


def test_roles_are_given_by_somebody_else_and_end_what_was_open(service: Service) -> None:
    admin, ada = person(service, "adam", Role.ADMIN), person(service, "ada", Role.RESEARCHER)
    roles = f"/v1/accounts/{ada.account.id}/roles"
    assert admin.asks("PUT", roles, {"roles": ["king"], **WHY}).status_code == 400
    assert admin.asks("PUT", roles, {"roles": ["auditor", "researcher"], **WHY}).status_code == 400
    given = admin.asks("PUT", roles, {"roles": ["disclosure-officer", "researcher"], **WHY})
    assert given.json()["roles"] == ["disclosure-officer", "researcher"]
    assert ada.asks("GET", "/v1/keys").status_code == 401, "an open session has the old roles no longer"
    assert admin.asks("PUT", f"/v1/accounts/{admin.account.id}/roles", {"roles": [], **WHY}).status_code == 403
    assert {each["name"] for each in admin.asks("GET", "/v1/accounts").json()["results"]} == {"ada", "adam"}


def sandbox_of(service: Service) -> dict[str, str]:
    made = service.client.post("/v1/sandbox/keys")
    assert made.status_code == 201, made.text
    return bearer(made.json()["key"])


def ask(service: Service, auth: dict[str, str], **changes: Any) -> Any:
    return service.client.post(URL, json=QUESTION | changes, headers=auth)


def test_a_key_asks_no_more_than_the_roles_of_its_account_do(service: Service) -> None:
    ada, adam = person(service, "ada", Role.RESEARCHER, "tests"), person(service, "adam", Role.ADMIN)
    key = bearer(ada.asks("POST", "/v1/keys", {"project": "tests", "label": "laptop", "days": 7}).json()["key"])
    assert service.client.post(URL, json=QUESTION, headers=key).status_code == 200
    for roles, status in ((["auditor"], 401), ([], 401), (["developer"], 200)):
        changed = adam.asks("PUT", f"/v1/accounts/{ada.account.id}/roles", {"roles": roles, **WHY})
        assert changed.status_code == 200, changed.text
        assert service.client.post(URL, json=QUESTION, headers=key).status_code == status, "of a synthetic cut"


def test_what_an_account_asks_counts_against_its_person_on_pages_and_with_its_keys(service: Service) -> None:
    ada, other = (person(service, name, Role.RESEARCHER, "tests") for name in ("ada", "other"))
    key = bearer(ada.asks("POST", "/v1/keys", {"project": "tests", "label": "laptop", "days": 7}).json()["key"])
    service.services.projects.create_person(Capped("dr-ada", 15_000_000))
    service.services.projects.create_person(Capped("somebody", 10**9))
    hold_to_person(ada.account.id, "dr-ada", "One researcher.", "console:test", service.services)
    service.client.cookies.clear()
    assert service.client.post(URL, json=QUESTION, headers=key).json()["charge"]["nanoRho"] == 10_000_000
    further = QUESTION | {"groupBy": ["sex"]}
    for refused in (ada.asks("POST", URL, further), service.client.post(URL, json=further, headers=key)):
        assert (refused.status_code, refused.json()["code"], refused.json()["scope"]) == (
            403,
            "budget-exhausted",
            "person",
        )
    assert other.asks("POST", URL, further).status_code == 200, "the project and the cut have enough"
    for wrong in ("nobody", "somebody"):
        with pytest.raises(ApiError) as found:
            hold_to_person(ada.account.id, wrong, "To be free of it.", "console:test", service.services)
        assert found.value.problems[0].path == "person"
    (held,) = happened(service, "account-held")
    assert (held.subject, dict(held.facts)) == (
        f"account:{ada.account.id}", {"person": "dr-ada", "reason": "One researcher."},
    )  # fmt: skip


def test_a_sandbox_is_a_world_of_its_own(service: Service) -> None:
    mine, yours = sandbox_of(service), sandbox_of(service)
    first, again, other, real = (ask(service, auth) for auth in (mine, mine, yours, service.auth))
    charges = [r.json()["charge"]["nanoRho"] for r in (first, again, other, real)]
    assert charges == [10_000_000, 0, 10_000_000, 10_000_000]
    releases = [r.headers["Release-Id"] for r in (first, again, other, real)]
    assert releases[0] == releases[1]
    assert len(set(releases)) == 3
    first_release = f"/v1/releases/{releases[0]}"
    found = [service.client.get(first_release, headers=a).status_code for a in (mine, yours, service.auth)]
    assert found == [200, 404, 404]
    spent = service.services.ledger.cut_balance("school", 10**12).spent
    assert spent == 10_000_000, "the cut's own budget has only what the project asked"
    balance = service.client.get("/v1/projects", headers=mine).json()["results"][0]
    budget = service.client.get(balance["links"]["budget"], headers=mine).json()
    assert [cut["spentRho"] for cut in budget["cuts"]] == [0.01]
    odometer = service.client.get(f"/v1/data-sets/{DATA_SET}/odometer", headers=mine).json()
    assert odometer["days"][-1]["rho"] == 0.01
    assert service.services.ledger.verify()


def test_what_is_asked_in_a_sandbox_is_not_in_the_public_register(service: Service) -> None:
    client = service.client
    released = client.post(URL, json=QUESTION, headers=sandbox_of(service)).headers["release-id"]
    assert released not in client.get("/register/releases", headers={"Accept": "text/html"}).text
    assert client.get(f"/q/{released}").status_code == client.get(f"/q/{released}/csv").status_code == 404
    asked = client.post(URL, json=QUESTION, headers=service.auth).headers["release-id"]
    assert client.get(f"/q/{asked}").status_code == 200
    assert not any("~" in cut for cut in client.get("/v1/performance").json()["spentRho"])


def test_a_sandbox_has_a_budget_that_runs_out_and_begins_again(service: Service) -> None:
    auth = sandbox_of(service)
    codes = [ask(service, auth, rho=0.1, groupBy=[by]).status_code for by in ("sex", "la", "need")]
    assert codes == [200, 200, 200]
    for statistic in ("mean", "sum", "median"):
        last = service.client.post(
            URL, json={"measures": [{"statistic": statistic, "variable": "score"}], "rho": 0.1}, headers=auth
        )
    assert last.json()["code"] == "budget-exhausted"
    before = service.client.get("/v1/projects", headers=auth).json()["results"][0]["id"]
    after = service.client.post("/v1/sandbox/reset", headers=auth).json()["project"]
    assert before != after
    assert ask(service, auth).json()["charge"]["nanoRho"] == 10_000_000
    assert service.client.post("/v1/sandbox/reset", headers=service.auth).status_code == 404, "a project is no sandbox"


def test_a_sandbox_ends_after_a_day(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "HOURS", -24 * 30)
    made = service.client.post("/v1/sandbox/keys").json()
    assert made["state"] == "ended"
    assert service.client.get("/v1/projects", headers=bearer(made["key"])).status_code in (401, 403)


def test_sandboxes_are_few_by_address_and_in_all(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [service.client.post("/v1/sandbox/keys").status_code for _ in range(11)]
    assert codes == [201] * 10 + [429]
    clock = [0.0]
    service.client.app.state.sandbox_throttle = Throttle(1, 3600, lambda: clock[0])  # type: ignore[attr-defined]
    monkeypatch.setattr(sandbox, "MOST_A_DAY", 11)
    assert service.client.post("/v1/sandbox/keys").status_code == 201
    refused = service.client.post("/v1/sandbox/keys")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    clock[0] = 3601.0
    assert "Try again tomorrow" in service.client.post("/v1/sandbox/keys").json()["detail"]


def test_real_cuts_do_not_exist_for_developers_and_sandboxes(tmp_path: Path) -> None:
    with running(tmp_path, pupils(50), catalogue=REAL, now=now) as service:
        assert service.client.post("/v1/sandbox/keys").status_code == 404, "there is nothing to play with"
        release = ask(service, service.auth).headers["Release-Id"]
        dev, ray = person(service, "dev", Role.DEVELOPER, "tests"), person(service, "ray", Role.RESEARCHER, "tests")
        key = bearer(dev.asks("POST", "/v1/keys", {"project": "tests"}).json()["key"])
        for path in (f"{URL}/preview?measures=count", f"/v1/data-sets/{DATA_SET}/odometer", f"/v1/releases/{release}"):
            assert dev.asks("GET", path).status_code == 404, path
            assert service.client.get(path, headers=key).status_code == 404, path
            assert ray.asks("GET", path).status_code == 200, path
        assert dev.asks("POST", URL, QUESTION).status_code == 404
        assert ask(service, key).json() == {**ask(service, key).json(), "code": "not-found"}
        assert service.client.get("/v1/projects/tests/budget", headers=key).json()["cuts"] == []
        assert service.services.ledger.charges("school", 9)[1:] == []


def test_the_page_makes_a_key_shows_it_once_and_revokes_it(service: Service) -> None:
    ada = person(service, "ada", Role.RESEARCHER, "tests")
    proof = {"csrf": ada.shown.pop("CSRF-Token")}

    def sends(path: str, **fields: str) -> Any:
        return service.client.post(path, data=proof | fields, headers=ada.shown, follow_redirects=False)

    assert sends("/keys", project="tests", days="400").status_code == 422
    assert sends("/keys", project="strangers", days="30").status_code == 404
    assert sends("/keys", project="tests", csrf="0" * 64).status_code == 403
    made = sends("/keys", project="tests", label="<b>nightly</b>", days="30")
    assert made.status_code == 201
    (key,) = set(re.findall(r"npd_test_[A-Za-z0-9_-]+", made.text))
    assert service.client.get("/v1/projects", headers=bearer(key)).status_code == 200
    listed = service.client.get("/keys", headers=ada.shown).text
    assert key not in listed
    assert "&lt;b&gt;nightly&lt;/b&gt;" in listed
    assert sends(f"/keys/{key.split('_')[2]}/revoke").headers["location"] == "/keys"
    assert service.client.get("/v1/projects", headers=bearer(key)).status_code == 401
