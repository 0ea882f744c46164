"""Two server processes on one service database: what is decided in one holds in the other at its next request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from privacy_api.governance.csrf import HEADER, token_of
from privacy_api.ports import Role
from privacy_api.routes.credentials import PLAIN_COOKIE
from tests.load.conftest import Home

pytestmark = pytest.mark.slow
Serve = Callable[..., tuple[str, subprocess.Popen[bytes]]]
PATH = "/v1/data-sets/school.census/query"
STAFF = {"olive": Role.DISCLOSURE_OFFICER, "oscar": Role.DISCLOSURE_OFFICER, "cora": Role.DATA_CUSTODIAN}


def signed_in(home: Home) -> dict[str, dict[str, str]]:
    """Headers of a session of each."""
    found = {}
    with home.stores() as stores:
        for name, role in STAFF.items():
            email = f"{name}@example.org"
            account = stores.accounts.create("https://i.example", name, name.title(), email, frozenset({role}))
            session, cookie = stores.sessions.start(account.id)
            found[name] = {"Cookie": f"{PLAIN_COOKIE}={cookie}", HEADER: token_of(session)}
    return found


def test_what_one_decides_holds_in_the_other(home: Home, serve: Serve) -> None:
    (one, _), (other, _) = (serve("privacy_api", "serve", "--port", "{port}") for _ in range(2))
    staff, key = signed_in(home), {"Authorization": f"Bearer {home.key}"}

    def ask(url: str, need: str) -> tuple[int, str]:
        question = {"measures": [{"statistic": "count"}], "criteria": {"filters": {"need": {"eq": need}}}}
        found = httpx2.post(url + PATH, json=question, headers=key, timeout=60)
        return found.status_code, found.json().get("code", "")

    def act(url: str, who: str, method: str, path: str, **body: Any) -> httpx2.Response:
        sent = {"reason": "A test of two servers.", **body}
        return httpx2.request(method, url + path, json=sent, headers=staff[who], timeout=60)

    assert ask(one, "a") == ask(other, "a") == (200, "")

    assert act(one, "olive", "POST", "/v1/cuts/school/freezing").status_code == 200
    assert ask(other, "b") == ask(one, "b") == (403, "frozen")
    assert act(other, "cora", "POST", "/v1/cuts/school/unfreezing").status_code == 200
    assert ask(one, "b") == (200, "")

    spent = home.spent()
    lowered = act(one, "olive", "PUT", "/v1/budgets/project/tests", rho=spent / 1e9)
    assert lowered.status_code == 200, lowered.text
    assert ask(other, "c") == (403, "budget-exhausted")
    proposed = act(other, "olive", "PUT", "/v1/budgets/project/tests", rho=0.4)
    assert proposed.status_code == 202, proposed.text
    at = f"/v1/proposals/{proposed.json()['id']}/approve"
    assert act(one, "olive", "POST", at).status_code == 403, "not by whoever proposed it, wherever"
    assert ask(one, "c") == (403, "budget-exhausted")
    assert act(one, "oscar", "POST", at).status_code == 200
    assert ask(other, "c") == (200, "")

    with home.stores() as stores:
        (oscar,) = [each for each in stores.accounts.accounts() if each.name == "Oscar"]
        stores.sessions.end_all(oscar.id)
    for url in (one, other):
        assert act(url, "oscar", "POST", "/v1/cuts/school/freezing").status_code == 401
    home.spent()  # a whole ledger
