"""Every route × every kind of caller: let in, or refused with the right status. Routes are the app's own, so that a new
one is tried as soon as it is there; who has which permission is written down here a second time, on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from privacy_api.governance.access_table import (
    ACCESS,
    DEVELOPMENT,
    KEY,
    PUBLIC,
    SAFE_METHODS,
    SIGNED_IN,
    Access,
    is_page,
)
from privacy_api.governance.csrf import token_of
from privacy_api.governance.roles import Permission
from privacy_api.ports import AccountStatus, KeyRole, Role
from tests.lib.service import DATA_SET, Service, pupils, running

P = Permission
ASK = {"researcher", "developer"}
DECIDE = {"disclosure-officer", "data-custodian"}
STAFF = DECIDE | {"auditor"}
WHO: dict[Permission, set[str]] = {
    P.ASK: ASK,
    P.REAL_CUTS: {"researcher"},
    P.OWN_KEYS: ASK,
    P.APPLY: ASK,
    P.CHECK_OUTPUTS: {"disclosure-officer", "checker key"},
    P.REVIEW_APPLICATIONS: DECIDE,
    P.DECIDE_APPLICATIONS: DECIDE,
    P.VIEW_BUDGETS: STAFF,
    P.SET_BUDGETS: DECIDE,
    P.VIEW_POLICIES: STAFF,
    P.SET_POLICIES: DECIDE,
    P.DECIDE_PROPOSALS: DECIDE,
    P.FREEZE: DECIDE | {"admin"},
    P.UNFREEZE: {"data-custodian"},
    P.VIEW_RED_FLAGS: STAFF,
    P.VIEW_AUDIT: {"data-custodian", "auditor"},
    P.MANAGE_ACCOUNTS: {"admin"},
    P.STAFF: STAFF | {"admin"},
}
NOBODY = ("anonymous", "wrong key")
KEYS = ("key", "checker key")
FROZEN = ("frozen account", "frozen key")
CALLERS = (*NOBODY, *KEYS, *FROZEN, *(role.value for role in Role), "no role")
OF_ADMISSION = {"forbidden", "not-a-checker", "frozen", "not-from-here", "no-project"}
PLACES = {"data_set": DATA_SET, "project": "tests"}


@dataclass
class Door:
    service: Service
    accounts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> dict[tuple[str, str], Access]:
        return dict(self.service.client.app.state.access)  # type: ignore[attr-defined]

    def shown(self, caller: str) -> dict[str, str]:
        """The headers of a request of theirs, with a session of its own: the one before may have signed out."""
        if caller == "anonymous":
            return {}
        if caller in self.keys:
            return {"Authorization": f"Bearer {self.keys[caller]}"}
        session, cookie = self.service.services.sessions.start(self.accounts[caller])
        return {"Cookie": f"session={cookie}", "CSRF-Token": token_of(session), "Sec-Fetch-Site": "same-origin"}

    def tried(self, method: str, path: str, caller: str) -> Any:
        self.service.client.cookies.clear()
        filled = re.sub(r"\{(\w+)(:path)?\}", lambda found: PLACES.get(found[1], "none"), path)
        body: dict[str, Any] = {}
        if method not in SAFE_METHODS:
            body = {"data": {"nothing": "here"}} if is_page(path) else {"json": {}}
        headers = self.shown(caller)
        return self.service.client.request(method, filled, headers=headers, follow_redirects=False, **body)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with running(tmp_path_factory.mktemp("home"), pupils(20), development=True) as service:
        made, services = Door(service), service.services
        held = {**{r.value: frozenset({r}) for r in Role}, "no role": frozenset[Role]()}
        for caller, roles in {**held, "frozen account": frozenset({Role.RESEARCHER})}.items():
            account = services.accounts.create("i", caller, caller, "", roles)
            services.accounts.join(account.id, "tests")
            made.accounts[caller] = account.id
            if caller == "frozen account":
                services.accounts.update(replace(account, status=AccountStatus.FROZEN))
        made.keys["key"], made.keys["wrong key"] = service.key, service.key[:-6] + "wrong-"
        made.keys["checker key"] = services.projects.create_key("tests", "", "test", role=KeyRole.CHECKER)[1]
        info, made.keys["frozen key"] = services.projects.create_key("tests", "", "test")
        services.projects.freeze_key(info.id, True)
        yield made


def expected(access: Access, caller: str, page: bool) -> int | None:
    """The status of a refusal; None: let in."""
    if access is PUBLIC:
        return None
    if caller in NOBODY or (caller in KEYS and (page or access is SIGNED_IN)):
        return 303 if page else 401
    if caller in FROZEN:
        return 403
    if access is SIGNED_IN:
        return None
    allowed = WHO[P.ASK] | set(KEYS) if access is KEY else WHO[access]  # type: ignore[index]
    return None if caller in allowed else 403


def refusal(response: Any) -> int | None:
    """The status, if it was the admission that refused."""
    if response.status_code == 303 and response.headers["location"].startswith("/sign-in"):
        return 303
    if response.status_code in (401, 403) and response.request.method == "HEAD":
        return response.status_code  # which says no more
    if response.status_code in (401, 403) and "json" in response.headers["content-type"]:
        return response.status_code if response.json()["code"] in OF_ADMISSION | {"not-authenticated"} else None
    return None


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_lets_in_whom_it_should_and_nobody_else(door: Door, caller: str) -> None:
    wrong = []
    for (method, path), access in sorted(door.table.items(), key=str):
        if path == "/sign-in" or path.startswith("/sign-in/"):
            continue  # who comes there is sent on to sign in, or back; test_sign_in.py
        response = door.tried(method, path, caller)
        found, wanted = refusal(response), expected(access, caller, is_page(path))
        if found != wanted or response.status_code >= 500:
            wrong.append(f"{method} {path}: {response.status_code}, wanted {wanted or 'to be let in'}")
    assert wrong == []


def test_what_anybody_may_do_is_a_short_list() -> None:
    """Reading is another thing: most pages and descriptions are public."""
    acting = {each for each, access in ACCESS.items() if access is PUBLIC and each[0] not in SAFE_METHODS}
    assert acting == {
        *(("POST", page) for page in ("/sign-out", "/sandbox", "/sandbox/yours")),
        ("POST", "/v1/sandbox/keys"),
    }
    assert set(DEVELOPMENT) == {("POST", "/sign-in/development")}


def test_a_row_that_lets_in_too_many_would_be_seen(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the same look at a route whose row was loosened finds what the table of this test forbids."""
    row, wanted = ("GET", "/v1/accounts"), P.MANAGE_ACCOUNTS
    monkeypatch.setitem(door.service.client.app.state.access, row, SIGNED_IN)  # type: ignore[attr-defined]
    loose = {caller for caller in CALLERS if refusal(door.tried(*row, caller)) != expected(wanted, caller, False)}
    assert loose >= {"researcher", "auditor", "no role"}


def test_every_permission_is_written_down_here() -> None:
    assert set(WHO) == set(Permission)


def test_a_page_sends_to_the_sign_in_page_and_remembers_where_one_was(door: Door) -> None:
    pages = [path for (method, path), access in door.table.items() if is_page(path) and access is not PUBLIC]
    for path in {p for p in pages if ("GET", p) in door.table}:
        response = door.tried("GET", path, "anonymous")
        assert response.headers["location"].startswith("/sign-in?next=/"), path
