"""Public pages as they are sent: what they say, whom they find, and that nothing in them is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from datasets.npd import FOLDER
from privacy_api.cli.common import read_catalogue
from privacy_api.ports import Project, ProjectKind
from privacy_api.routes.credentials import COOKIE, PLAIN_COOKIE
from privacy_api.stores.sessions import IDLE, LIFE
from privacy_api.web.pages.information import COOKIES
from privacy_api.web.words import coded, date_and_time, number, promise
from tests.lib import school
from tests.lib.service import Service, pupils, running

PAGE = {"Accept": "text/html"}
STILL = ("/", "/catalogue", "/register", "/register/releases", "/performance", "/help/protection")
STATEMENTS = ("/accessibility", "/privacy", "/cookies")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("site"), pupils(2000)) as made:
        yield made


@pytest.fixture(scope="module")
def npd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("npd"), catalogue=read_catalogue(FOLDER)) as made:
        yield made


def text_of(service: Service, address: str, status: int = 200) -> str:
    response = service.client.get(address, headers=PAGE)
    assert response.status_code == status, address
    return response.text


@pytest.mark.parametrize("address", [*STILL, *STATEMENTS])
def test_public_pages_answer_get_and_head_and_set_no_cookie(site: Service, address: str) -> None:
    got, asked = site.client.get(address, headers=PAGE), site.client.head(address, headers=PAGE)
    assert (got.status_code, asked.status_code) == (200, 200)
    assert got.headers["content-type"] == asked.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in got.headers
    assert site.client.post(address, headers=PAGE).status_code == 405


def test_every_link_of_a_public_page_leads_somewhere(site: Service) -> None:
    release = site.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"]}).headers["release-id"]
    start = [*STILL, *STATEMENTS, f"/q/{release}", "/catalogue/school.census", "/catalogue/school.census/score"]
    links = {link for page in start for link in re.findall(r'<a [^>]*href="(/[^"#]*)', text_of(site, page))}
    assert len(links) > 15
    assert {link: site.client.get(link, headers=PAGE).status_code for link in links} == dict.fromkeys(links, 200)


def test_every_page_of_the_catalogue_is_there(npd: Service) -> None:
    """One variable of each kind of each data set; all 560 are looked at in test_all_of_the_catalogue."""
    for hosted in npd.services.data_sets.values():
        kinds = {
            (bool(v.linked), bool(v.derived), bool(v.numbers), v.is_time): v.name for v in hosted.data_set.variables
        }
        for name in ("", *(f"/{variable}" for variable in kinds.values())):
            text = text_of(npd, f"/catalogue/{hosted.id}{name}")
            assert "&lt;code" not in text
            assert "`" not in text


@pytest.mark.slow
def test_all_of_the_catalogue(npd: Service) -> None:
    for hosted in npd.services.data_sets.values():
        for variable in hosted.data_set.variables:
            text = text_of(npd, f"/catalogue/{hosted.id}/{variable.name}")
            assert all(f"<code>{c.code}</code>" in text for c in variable.atoms[:50] if c.code.isalnum())


def test_a_variable_says_what_a_newcomer_must_know(npd: Service) -> None:
    text = text_of(npd, "/catalogue/npd.census/ethnicity")
    for said in (
        "Needs a grant",
        "EthnicGroupMinor_[term][yy]",
        "Major ethnic group",
        "Bangladeshi",
        "class D",
        "from 2006",
    ):
        assert said in text
    assert 'href="/catalogue/npd.ks4/census_ethnicity"' in text
    assert 'href="/catalogue/npd.census/ethnicity"' in text_of(npd, "/catalogue/npd.ks4/census_ethnicity")
    assert "Open to every project" in text_of(npd, "/catalogue/npd.census/year")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("FSMeligible_SPR23", "spring 2022/23"),
        ("  free   MEALS ", "fsm_eligible"),
        ("unicorns", "0 variables"),
        ("%zz", "0 variables"),
        ("((", "0 variables"),
        ("x" * 5000, "0 variables"),
    ],
)
def test_the_catalogue_is_searched(npd: Service, words: str, found: str) -> None:
    assert found in npd.client.get("/catalogue", params={"q": words}, headers=PAGE).text


def test_long_lists_come_in_pages(npd: Service) -> None:
    first, last = (text_of(npd, f"/catalogue/npd.census/school_la{page}") for page in ("", "?page=4"))
    assert "Showing 1 to 50 of 153" in first
    assert "Showing 151 to 153 of 153" in last
    assert 'href="?page=2"' in first
    for page in ("0", "5", "-1", "x", "²", "1" * 30):
        text_of(npd, f"/catalogue/npd.census/school_la?page={page}", 404)
    assert 'href="?q=a&amp;page=2"' in text_of(npd, "/catalogue?q=a"), "the search goes with it"


@pytest.mark.parametrize(
    "address",
    [
        "/catalogue/nothing",
        "/catalogue/npd.census/nothing",
        "/catalogue/%00",
        "/q/rel-nothing",
        "/q/%00",
        "/q/rel-x/csv",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(npd: Service, address: str) -> None:
    assert "Page not found" in text_of(npd, address, 404)


def test_a_release_can_be_read_cited_and_downloaded(site: Service) -> None:
    answer = site.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"], "totals": [[]]})
    release, rows = answer.json()["id"], answer.json()["results"]
    text = text_of(site, f"/q/{release}")
    assert f"http://testserver/q/{release}" in text
    assert "Ashby" in text
    for row in rows:
        if row["value"] is not None:
            assert f"{row['value']:,}" in text
    assert "[c]" in text, "few or none are in four of the five"
    csv = site.client.get(f"/q/{release}/csv")
    assert csv.headers["content-disposition"] == f'attachment; filename="{release}.csv"'
    assert csv.text.count("\n") == len(rows) + 1
    assert site.client.get(f"/q/{release}/json").json()["id"] == release
    assert site.client.get(f"/q/{release}/exe", headers=PAGE).status_code == 404
    register = text_of(site, "/register/releases")
    assert f'href="/q/{release}"' in register
    assert "Number of rows by Local authority" in register


def test_the_register_has_research_projects_and_no_sandbox(site: Service) -> None:
    stores = site.services.projects
    stores.create_project(Project("try", "Somebody’s sandbox", 500_000_000, frozenset(), kind=ProjectKind.SANDBOX))
    stores.create_project(
        Project("p", "<b>Absence & care</b>", 1, frozenset({"sex"}), expires="2027-01-31T00:00:00+00:00")
    )
    text = text_of(site, "/register")
    assert "Somebody" not in text
    answer = site.client.post(
        "/v1/data-sets/school.census/query",
        json={"measures": [{"statistic": "count"}], "groupBy": ["need"]},
        headers={"Authorization": f"Bearer {stores.create_key('try', '', 'test')[1]}"},
    )
    assert answer.status_code == 200, answer.text
    release = answer.headers["release-id"]
    assert release not in text_of(site, "/register/releases")
    text_of(site, f"/q/{release}", 404)
    assert site.client.get(f"/q/{release}/csv").status_code == 404
    assert "&lt;b&gt;Absence &amp; care&lt;/b&gt;" in text
    assert "31 January 2027" in text


def test_words_of_a_catalogue_are_never_markup(tmp_path_factory: pytest.TempPathFactory) -> None:
    evil = "<img src=x onerror=alert(1)>"
    catalogue = school.CATALOGUE
    for honest in ('"Ashby"', '"Census"', '"Local authority"', '"Some of them"', '"A small school"'):
        catalogue = catalogue.replace(honest, f'"{evil}`{evil}`"')
    with running(tmp_path_factory.mktemp("evil"), pupils(500), catalogue=catalogue) as service:
        release = service.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"]}).headers["release-id"]
        inside = (
            "/catalogue/school.census",
            "/catalogue/school.census/la",
            "/catalogue/school.census/need",
            f"/q/{release}",
        )
        for address in (*STILL, *inside, f"/catalogue?q={evil}", "/catalogue?q=authority", f"/{evil}"):
            text = service.client.get(address, headers=PAGE).text
            assert "<img" not in text, address


def test_the_cookies_page_names_the_cookies_there_are(site: Service) -> None:
    assert {name for name, *_ in COOKIES} >= {PLAIN_COOKIE}
    assert f"__Host-{PLAIN_COOKIE}" == COOKIE
    told = {name: kept for name, _, kept in COOKIES}[PLAIN_COOKIE]
    assert f"{IDLE // timedelta(minutes=1)} minutes" in told
    assert f"{LIFE // timedelta(hours=1)} hours" in told
    assert all(f"<code>{name}</code>" in text_of(site, "/cookies") for name, *_ in COOKIES)


def test_words() -> None:
    assert (number(None), number(1234567), number(0.5), number("low")) == ("–", "1,234,567", "0.5", "low")
    assert date_and_time("2026-11-30T00:05:09+00:00") == "30 November 2026 at 12:05am (UTC)"
    assert date_and_time("2026-11-30T13:05:09+01:00") == "30 November 2026 at 12:05pm (UTC)"
    assert str(coded("a `b<` c ` <")) == "a <code>b&lt;</code> c  &lt;"
    assert "at most 50.0 times" in promise(0)
    assert "at most 55.0 times" in promise(20_000_000), "√(ρ/2) of 0.02 is 0.1"
    assert "nearly 100" in promise(50_000_000_000)
