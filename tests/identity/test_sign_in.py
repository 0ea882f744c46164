"""Signing in with a real provider on a socket, and what a browser's cookie is and is not good for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest

from privacy_api.governance.csrf import token_of
from privacy_api.oidc.provider import OidcProvider, ProviderOptions
from privacy_api.ports import AccountStatus, AuditFilter, Role
from tests.lib.oidc import AUDIENCE, CLIENT, SECRET, Provider, providing, signing_key
from tests.lib.service import DATA_SET, URL, Service, pupils, running

COOKIE = "__Host-session"
OURS = {"Sec-Fetch-Site": "same-origin"}
QUESTION = {"measures": [{"statistic": "count"}]}
WORDS = {"npd-officers": Role.DISCLOSURE_OFFICER, "npd-admins": Role.ADMIN}


@dataclass
class World:
    service: Service
    provider: Provider

    @property
    def client(self) -> Any:
        return self.service.client

    def away(self, onward: str = "/") -> str:
        """Where the browser is sent to sign in."""
        response = self.client.get("/sign-in/start", params={"next": onward}, follow_redirects=False)
        assert response.status_code == 303, response.text
        return str(response.headers["location"])

    def back(self, onward: str = "/") -> str:
        """What the provider sends the browser back with."""
        answer = httpx2.get(self.away(onward), follow_redirects=False)
        there = urlsplit(answer.headers["location"])
        return f"{there.path}?{there.query}"

    def sign_in(self, onward: str = "/") -> httpx2.Response:
        found: httpx2.Response = self.client.get(self.back(onward), follow_redirects=False)
        return found

    def csrf(self) -> str:
        session = self.service.services.sessions.find(self.client.cookies[COOKIE])
        assert session is not None
        return token_of(session)

    def account(self) -> Any:
        found = self.service.services.accounts.by_subject(self.provider.issuer, self.provider.person["sub"])
        assert found is not None
        return found

    def happened(self, kind: str) -> list[Any]:
        self.service.services.tallies.flush()
        return list(self.service.services.audit.newest(AuditFilter(kinds=frozenset({kind})), None, 50))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with providing() as provider:
        options = ProviderOptions(provider.issuer, CLIENT, SECRET, AUDIENCE, role_claim="groups.npd", roles=WORDS)
        ours = OidcProvider(options)
        home = tmp_path_factory.mktemp("home")
        with running(home, pupils(50), provider=ours, secure=True) as service:
            yield World(service, provider)
        ours.close()


@pytest.fixture
def world(whole: World) -> World:
    """A new browser, and a provider that behaves."""
    whole.client.cookies.clear()
    whole.service.services.tallies.flush()
    fresh = Provider()
    whole.provider.claims, whole.provider.person = {"groups": {"npd": []}}, fresh.person
    return whole


def test_there_and_back(world: World) -> None:
    world.provider.person = {"sub": "bea", "given_name": "Bea", "family_name": "Baker", "email": "b@example.org"}
    world.provider.claims = {"groups": {"npd": ["npd-officers", "unheard-of"]}}
    asked = {k: v[0] for k, v in parse_qs(urlsplit(world.away()).query).items()}
    assert asked["redirect_uri"] == "https://testserver/sign-in/callback"
    assert "client_secret" not in asked
    response = world.sign_in("/docs?x=1")
    assert (response.status_code, response.headers["location"]) == (303, "/docs?x=1")
    told = [cookie for cookie in response.headers.get_list("set-cookie") if cookie.startswith(COOKIE)]
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in told[0]
    assert "Domain" not in told[0]
    account = world.account()
    assert (account.name, account.roles) == ("Bea Baker", {Role.DISCLOSURE_OFFICER})
    assert "Bea Baker" in world.client.get("/").text
    assert world.happened("sign-in")[0].actor == account.id


def test_an_address_that_is_not_verified_is_nobodys(world: World) -> None:
    """Else whoever claims a named person's address at the provider becomes a member in their place."""
    world.provider.person = {"sub": "eve", "name": "Eve", "email": "ada@example.org", "email_verified": False}
    world.sign_in()
    assert world.account().email == ""


def test_sign_ins_that_anybody_can_fail_do_not_fill_the_record(world: World) -> None:
    world.happened("sign-in-refused")
    before = world.service.services.audit.verify()
    for _ in range(20):
        world.client.get("/sign-in/callback?state=x&code=y")
    assert world.service.services.audit.verify() == before
    assert world.happened("sign-in-refused")[0].facts["counts"] == {"not-begun-here": 20}


def test_what_the_provider_says_of_roles_today_is_what_holds(world: World) -> None:
    world.provider.person = {"sub": "kim", "name": "Kim"}
    world.provider.claims = {"groups": {"npd": ["npd-officers"]}}
    world.sign_in()
    world.provider.claims = {"groups": {"npd": ["npd-admins"]}}
    world.sign_in()
    assert world.account().roles == {Role.ADMIN}
    assert world.happened("roles-changed")[0].facts["roles_before"] == ["disclosure-officer"]
    world.provider.claims = {"groups": {"npd": ["npd-admins", "npd-officers"]}}
    assert world.sign_in().status_code == 403, "roles that do not go together"
    world.provider.claims = {}
    world.sign_in()
    assert world.account().roles == frozenset(), "no word of roles gives none"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another-client"}, "claim-aud"),
        ({"aud": [CLIENT, "another"]}, "authorised-party"),
        ({"azp": "another"}, "authorised-party"),
        ({"iss": "https://elsewhere.example"}, "claim-iss"),
        ({"exp": 1}, "expired"),
        ({"typ": "Bearer"}, "type"),
    ],
)
def test_an_id_token_that_is_not_for_this_sign_in(world: World, claims: dict[str, Any], reason: str) -> None:
    world.provider.claims = claims
    response = world.sign_in()
    assert response.status_code == 403
    assert COOKIE not in world.client.cookies
    assert world.happened("sign-in-refused")[0].facts["counts"] == {reason: 1}
    assert "was not finished" in response.text, "who was refused is not told why"


def test_a_sign_in_is_finished_where_it_was_begun_and_once(world: World) -> None:
    back = world.back()
    world.client.cookies.clear()
    assert world.client.get(back).status_code == 403, "in another browser"
    back = world.back()
    assert world.client.get(back.replace("state=", "state=x")).status_code == 403
    back = world.back()
    assert world.client.get(re.sub("iss=[^&]*", "iss=https://evil.example", back)).status_code == 403
    back = world.back()
    assert world.client.get(back, follow_redirects=False).status_code == 303
    world.client.cookies.clear()
    assert world.client.get(back).status_code == 403, "again"


@pytest.mark.parametrize("held", ["", "[", "{}", "7", "[" * 5000, '["a", "b"]', '["\\ud800", "n", "v", "/"]', "%00"])
def test_a_cookie_that_is_none_of_ours_finishes_no_sign_in(world: World, held: str) -> None:
    found = world.client.get(
        "/sign-in/callback?state=s&code=c", headers={"Cookie": f"__Host-sign-in={quote(held)}"}, follow_redirects=False
    )
    assert found.status_code == 403, found.text


def test_a_stolen_code_is_worth_nothing_without_the_verifier(world: World) -> None:
    """PKCE: the thief has the code and a sign-in of their own under way, so that state and cookie are right."""
    stolen = re.search("code=([^&]*)", world.back())
    assert stolen
    world.client.cookies.clear()
    thief = re.sub("code=[^&]*", f"code={stolen[1]}", world.back())
    assert world.client.get(thief).status_code == 403
    assert world.happened("sign-in-refused")[0].facts["counts"] == {"code": 1}


def test_a_provider_that_refuses_signs_nobody_in(world: World) -> None:
    state = re.search("state=([^&]*)", world.back())
    assert state
    assert world.client.get(f"/sign-in/callback?error=access_denied&state={state[1]}").status_code == 403


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:x", "/a\nb"],
)
def test_nobody_is_sent_to_another_site(world: World, onward: str) -> None:
    assert world.sign_in(onward).headers["location"] == "/"


def test_a_session_that_was_planted_is_worth_nothing_after_the_sign_in(world: World) -> None:
    """Fixation: neither a made-up cookie nor one of the attacker's own becomes the victim's."""
    world.client.cookies.set(COOKIE, "chosen-by-the-attacker", domain="testserver.local")
    world.sign_in()
    planted = world.client.cookies[COOKIE]
    assert planted != "chosen-by-the-attacker"
    world.provider.person = {"sub": "victim", "name": "Victim"}
    world.sign_in()
    assert world.client.cookies[COOKIE] != planted
    assert world.service.services.sessions.find(planted) is None
    assert "Victim" in world.client.get("/").text


def test_signing_out_ends_the_session_here_and_at_the_provider(world: World) -> None:
    world.sign_in()
    held = world.client.cookies[COOKIE]
    assert world.client.post("/sign-out", headers=OURS, data={"csrf": "wrong"}).status_code == 403
    assert world.service.services.sessions.find(held), "another site cannot sign anybody out"
    response = world.client.post("/sign-out", headers=OURS, data={"csrf": world.csrf()})
    assert response.status_code == 200
    onward = response.headers["refresh"]
    assert onward.startswith(f"0; url={world.provider.issuer}/end?id_token_hint=")
    assert world.service.services.sessions.find(held) is None
    assert COOKIE not in world.client.cookies
    assert world.happened("sign-out")
    world.client.cookies.set(COOKIE, held, domain="testserver.local")
    assert world.client.get("/v1/projects").status_code == 401


def member(world: World, *projects: str) -> Any:
    world.provider.person = {"sub": "ray", "name": "Ray"}
    world.sign_in()
    account = replace(world.account(), roles=frozenset({Role.RESEARCHER}))
    world.service.services.accounts.update(account)
    for project in projects:
        if world.service.services.projects.project(project) is None:
            world.service.new_key(project)
        world.service.services.accounts.join(account.id, project)
    return account


def test_a_cookie_asks_only_with_the_proof_of_a_page(world: World) -> None:
    account = member(world, "tests")
    proof = {"CSRF-Token": world.csrf()}
    assert world.client.get("/v1/projects").json()["results"][0]["id"] == "tests"
    assert world.client.post(URL, json=QUESTION).json()["code"] == "not-from-here"
    assert world.client.post(URL, json=QUESTION, headers=OURS).status_code == 403
    assert world.client.post(URL, json=QUESTION, headers={"CSRF-Token": "0" * 64}).status_code == 403
    for foreign in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert world.client.post(URL, json=QUESTION, headers=proof | foreign).status_code == 403, foreign
    assert world.client.get(f"{URL}?measures=count").status_code == 403, "a link would spend the budget"
    answer = world.client.post(URL, json=QUESTION, headers=proof | OURS)
    assert answer.status_code == 200
    (charge,) = world.service.services.ledger.charges("school", 1)
    assert charge.project == "tests"
    other = world.service.services.sessions.start(account.id)[0]
    assert world.client.post(URL, json=QUESTION, headers={"CSRF-Token": token_of(other)}).status_code == 403


def test_an_account_asks_for_a_project_of_its_own(world: World) -> None:
    account = member(world, "tests", "other")
    auth = {"Authorization": f"Bearer {world.provider.token()}"}
    world.client.cookies.clear()
    for headers, status, code in (
        (auth, 403, "no-project"),
        (auth | {"Project": "tests"}, 200, None),
        (auth | {"Project": "nowhere"}, 404, "not-found"),
    ):
        response = world.client.get("/v1/projects", headers=headers)
        assert (response.status_code, response.json().get("code")) == (status, code)
    world.service.services.accounts.leave(account.id, "other")
    assert world.client.post(URL, json=QUESTION, headers=auth).status_code == 200, "its only one"
    strangers = world.service.new_key("strangers") and auth | {"Project": "strangers"}
    assert world.client.get("/v1/projects", headers=strangers).status_code == 404


def test_a_token_opens_nothing_without_an_account(world: World) -> None:
    auth = {"Authorization": f"Bearer {world.provider.token({'sub': 'nobody'})}"}
    assert world.client.get("/v1/projects", headers=auth).status_code == 401
    auth = {"Authorization": f"Bearer {world.provider.token({'aud': CLIENT})}"}
    assert world.client.get("/v1/projects", headers=auth).status_code == 401


def test_who_shows_a_bad_token_is_not_helped_by_a_good_cookie(world: World) -> None:
    member(world, "tests")
    assert world.client.get("/v1/projects", headers={"Authorization": "Bearer npd_test_x_y"}).status_code == 401


def test_a_frozen_account_is_refused_at_the_next_request_and_cannot_sign_in(world: World) -> None:
    account = member(world, "tests")
    auth = {"Authorization": f"Bearer {world.provider.token()}"}
    _, key = world.service.services.projects.create_key("tests", "", "test", account=account.id)
    frozen = replace(account, status=AccountStatus.FROZEN)
    world.service.services.accounts.update(frozen)
    assert world.client.get("/v1/projects").json()["code"] == "frozen"
    for token in (auth["Authorization"], f"Bearer {key}"):
        assert world.client.get("/v1/projects", headers={"Authorization": token}).json()["code"] == "frozen"
    assert world.client.get("/").status_code == 200, "what is public stays public"
    assert world.sign_in().status_code == 403
    world.service.services.accounts.update(account)
    assert world.client.get("/v1/projects").status_code == 200


def test_a_frozen_project_asks_nothing(world: World) -> None:
    member(world, "tests")
    world.service.services.projects.freeze_project("tests", True)
    assert world.client.get("/v1/projects").json()["code"] == "frozen"
    assert world.service.ask(QUESTION).json()["code"] == "frozen"
    world.service.services.projects.freeze_project("tests", False)
    assert world.service.ask(QUESTION).status_code == 200


def test_pages_lead_to_the_sign_in_page_and_know_where_to_return(world: World) -> None:
    response = world.client.get("/sign-in", params={"next": f"/catalogue/{DATA_SET}?a=1&b=2"})
    assert "next=/catalogue/school.census%3Fa%3D1%26b%3D2" in response.text
    assert "password" in response.text


def test_a_provider_that_is_away_keeps_no_key_from_working(world: World) -> None:
    world.provider.down = True
    try:
        gone = OidcProvider(ProviderOptions(world.provider.issuer, CLIENT, SECRET, AUDIENCE))
        home = world.service.home.with_name("gone")
        home.mkdir()
        with running(home, provider=gone) as service:
            token = {"Authorization": f"Bearer {world.provider.token()}"}
            assert service.client.get("/v1/projects", headers=token).json()["code"] == "provider-unreachable"
            assert service.client.get("/sign-in/start").status_code == 503
            assert service.client.get("/v1/projects", headers=service.auth).status_code == 200
        gone.close()
    finally:
        world.provider.down = False


def test_a_provider_that_takes_the_secret_in_the_form_alone(world: World) -> None:
    with providing() as provider:
        provider.methods, provider.signing = ["client_secret_post"], signing_key("e1", "EC")
        provider.published, provider.algorithm = [provider.signing], "ES256"
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, SECRET))
        home = world.service.home.with_name("posted")
        home.mkdir()
        with running(home, provider=ours, secure=True) as service:
            made = World(service, provider)
            assert made.sign_in().status_code == 303
            assert made.account().roles == {Role.RESEARCHER}, "a newcomer may apply"
            assert service.client.get("/v1/projects").json()["code"] == "no-project"
        ours.close()


def test_without_a_provider_there_is_no_way_in(tmp_path: Any) -> None:
    with running(tmp_path) as service:
        assert "Nobody can sign in here yet" in service.client.get("/sign-in").text
        assert service.client.get("/sign-in/start").status_code == 404
        assert service.client.get("/sign-in/callback").status_code == 404
        assert service.client.post("/sign-in/development", data={"person": "ada"}).status_code in (404, 405)
        token = {"Authorization": "Bearer a.b.c"}
        assert service.client.get("/v1/projects", headers=token).status_code == 401
