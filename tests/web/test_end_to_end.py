"""The whole way in a real browser, with scripts and without: apply, be approved by two, ask, and be on the record."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from privacy_api.ports.applications import Step
from privacy_api.service.sign_in import PEOPLE
from privacy_api.web.applying.pages import BY_NAME, FIELD_PAGES, Kind
from tests.web.browser import Scripts, Watched, chromium, watched
from tests.web.sites import Site, demo_site

pytestmark = [pytest.mark.slow, pytest.mark.browser]
NAMES = {person.subject: person.name for person in PEOPLE}
WHY = "Support is what the question is about, and no other variable tells of it."
PROJECT = "ds00001"
YEAR = re.compile(r"2022.(20)?23")
NEXT_YEAR = date.today() + timedelta(days=365)
TYPED = {
    "title": "Support and free school meals",
    "purpose": "To learn how special educational needs provision differs between regions.",
    "research_questions": "Does special educational needs provision differ between regions?",
    "public_benefit": "Local authorities see where support is lacking.",
    "audience": "Local authorities and the public",
    "organisation": "University of Ashby",
    "organisation_type": "University",
    "ico_number": "Z1234567",
    "commercial": "No",
    "duplicates_official": "No",
    "legal_gateway": "Digital Economy Act 2017, section 64",
    "gdpr_article_6": "6(1)(e)",
    "gdpr_article_9": "9(2)(j)",
    "dpia": "DPIA-12",
    "ethics": "Approved 2026/7",
    "starts": str(date.today()),
    "ends": str(NEXT_YEAR),
    "destroy_by": str(NEXT_YEAR),
    "agreement": "DSA-9",
    "rho": "0.1",
    "outputs": "A table of shares by region",
    "where": "A journal and the register",
    "when": "Within a year",
    "notes": "",
}
"""What somebody types or chooses, by the field of the application."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with demo_site(tmp_path) as made:
        yield made


@pytest.mark.parametrize("scripts", [Scripts.ON, Scripts.OFF], ids=lambda s: s.value)
def test_from_an_application_to_a_verified_record(browser: Browser, site: Site, scripts: Scripts) -> None:
    """Whatever a page says on its console, or asks of another host, fails the test at the end of the visit."""
    with watched(browser, site.url, scripts) as visit:
        _sign_in(visit, "ada", "/apply")
        reference = _applies(visit.page)
        _sign_out(visit.page)

        _sign_in(visit, "olive", "/admin/applications")
        proposal = _approves_first(visit.page, reference)
        _sign_out(visit.page)
        _sign_in(visit, "oscar", proposal)
        _approves_second(visit.page)
        _sign_out(visit.page)

        _sign_in(visit, "ada", "/keys")
        _a_key_works(visit, _makes_key(visit))
        _asks(visit, scripts)
        _reads(visit.page)
        release = visit.page.url.partition("/answers/")[2].partition("?")[0]
        _is_charged(visit, release)
        _sign_out(visit.page)

        _sign_in(visit, "audrey", "/admin/audit")
        _is_on_the_record(visit, release, reference)


def _sign_in(visit: Watched, person: str, onward: str) -> None:
    """Sent to sign in from the page that they wanted, and brought back to it."""
    page = visit.go(onward)
    assert page.url.startswith(f"{visit.url}/sign-in?next=")
    page.get_by_role("button", name=f"Sign in as {NAMES[person]}").click()
    assert page.url == visit.url + onward


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    assert page.locator("h1").inner_text() == "You have signed out"


def _applies(page: Page) -> str:
    """All seven steps; the application's reference."""
    page.get_by_role("button", name="Start an application").click()
    _step(page, "1. Purpose")
    _fields(page, Step.PURPOSE)
    _step(page, "2. People")
    _names_herself(page)
    _step(page, "3. Data sets")
    _chooses_data(page)
    _fields(page, Step.DATA)
    _step(page, "4. Why")
    page.get_by_label("Why do you need special educational needs provision?").fill(WHY)
    _continue(page)
    _step(page, "5. How")
    _fields(page, Step.PUBLICATION)
    _step(page, "6. Check list")
    _fields(page, Step.FIVE_SAFES)
    assert page.get_by_text("Completed", exact=True).count() == 6
    _step(page, "7. Check your answers")
    assert WHY in page.locator("main").inner_text()
    page.get_by_role("button", name="Send the application").click()
    assert "Sent: with the department" in page.locator("main").inner_text()
    return page.locator(".govuk-caption-l").inner_text().removeprefix("Application ")


def _step(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).click()


def _continue(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def _fields(page: Page, step: Step) -> None:
    """Every page of fields of the step, one after another."""
    for asked in (each for each in FIELD_PAGES if each.step is step):
        assert page.url.endswith(f"/{asked.name}"), page.url
        for field in BY_NAME[asked.name].fields:
            _field(page, field.name, field.label, field.kind)
        _continue(page)


def _field(page: Page, name: str, label: str, kind: Kind) -> None:
    if kind is Kind.CONFIRM:
        page.get_by_role("checkbox", name=label).check()
    elif kind in (Kind.CHOICE, Kind.YES_NO):
        page.get_by_role("group", name=label).get_by_role("radio", name=TYPED[name], exact=True).check()
    elif kind is Kind.DATE:
        _date(page, name, TYPED[name])
    else:
        page.locator(f"#{name}").fill(TYPED[name])


def _date(page: Page, name: str, iso: str) -> None:
    for part, text in zip(("year", "month", "day"), iso.split("-"), strict=True):
        page.locator(f"#{name}-{part}").fill(text)


def _names_herself(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill(NAMES["ada"])
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Job title").fill("Research fellow")
    page.get_by_label("Why they need access").fill("She writes the models.")
    page.get_by_label("Number of their accreditation").fill("AR-1")
    _date(page, "accreditation_expires", str(NEXT_YEAR + timedelta(days=365)))
    page.get_by_role("button", name="Add this person").click()
    page.get_by_role("main").get_by_role("link", name="Back to the task list").click()


def _chooses_data(page: Page) -> None:
    """Regions rather than local authorities; one sensitive variable, of class D; one year."""
    page.get_by_role("checkbox", name="School census").check()
    _continue(page)
    page.get_by_role("group", name="Local authority").get_by_role("checkbox", name="Region").check()
    page.get_by_role("group", name="Special educational needs").get_by_role("checkbox").check()
    page.get_by_role("group", name="Years").get_by_role("checkbox", name=YEAR).check()
    _continue(page)


def _approves_first(page: Page, reference: str) -> str:
    """Where the proposal is that a second person decides."""
    page.get_by_role("link", name=reference).click()
    main = page.get_by_role("main")
    assert WHY in main.inner_text()
    page.get_by_role("radio", name="Approve, and ask a second person").check()
    page.get_by_label("Your reason").fill("The purpose is clear.")
    page.get_by_role("button", name="Record the decision").click()
    page.get_by_role("link", name="look at the proposal").click()
    assert "Another person has to decide" in main.inner_text()
    assert page.get_by_role("radio", name="Approve").count() == 0, "the first person cannot be the second"
    return page.url.removeprefix(page.url.split("/admin")[0])


def _approves_second(page: Page) -> None:
    page.get_by_role("radio", name="Approve, and do it").check()
    page.get_by_label("Your reason").fill("I have read it too.")
    page.get_by_role("button", name="Record it").click()
    assert "Approved and done" in page.get_by_role("main").inner_text()


def _makes_key(visit: Watched) -> str:
    page = visit.page
    visit.allowed |= {201}
    page.get_by_label("Project", exact=True).select_option(label=f"{TYPED['title']} ({PROJECT})")
    page.get_by_label("What is it for?").fill("end to end")
    page.get_by_role("button", name="Make the key").click()
    key = page.get_by_role("main").locator("pre, code").first.inner_text().strip()
    visit.go("/keys")
    assert "end to end" in page.content()
    assert key not in page.content(), "it is shown once"
    return key


def _a_key_works(visit: Watched, key: str) -> None:
    """For the project's questions, and no others."""
    with httpx2.Client(base_url=visit.url, headers={"Authorization": f"Bearer {key}"}) as client:
        assert client.get("/v1/projects").json()["results"][0]["id"] == PROJECT
        by = {"measures": [{"statistic": "count"}], "groupBy": ["sex"]}
        refused = client.post("/v1/data-sets/demo.census/query", json=by)
        assert refused.status_code == 422
        told = {each["code"] for each in refused.json()["errors"]}
        assert "VariableNotInScope" in told, told


def _asks(visit: Watched, scripts: Scripts) -> None:
    page = visit.go("/ask")
    page.get_by_role("link", name=f"School census, spring for {TYPED['title']}").click()
    page.get_by_role("checkbox", name=YEAR).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Rows by").select_option("la.region")
    if scripts is Scripts.ON:
        page.locator("#so-far [data-fact=cells]", has_text="9").wait_for()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("radio", name="Percentage").check()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Of what?").select_option("sen")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("checkbox", name="SEN support").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Ask and be charged").click()


def _reads(page: Page) -> None:
    """The answer as chart, as table and as CSV."""
    assert page.locator("svg [data-part=bar], svg [data-part=dot]").count() == 9
    assert page.locator("svg [data-part=interval]").count() == 9
    assert page.locator(".app-answer tbody tr").count() == 9
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text())))
    assert {row["measure"] for row in rows} == {"percentage_sen_K"}
    assert len({row["la.region"] for row in rows}) == len(rows) == 9
    assert all(float(row["lower"]) <= float(row["value"]) <= float(row["upper"]) for row in rows if row["value"])


def _is_charged(visit: Watched, release: str) -> None:
    page = visit.go("/budget")
    assert page.get_by_role("heading", name=TYPED["title"]).is_visible()
    charges = page.locator(".app-scroll", has=page.get_by_role("link", name=release)).locator("tbody tr")
    assert charges.count() == 1
    said = charges.inner_text()
    spent = page.get_by_text(f"of {TYPED['rho']} ρ").inner_text()
    assert said.split("\t")[-1].strip() == spent.partition(" of ")[0], "what was charged is what was spent"
    assert page.get_by_text("At the rate of").count() == 2, "a forecast of the project and of the cut"


def _is_on_the_record(visit: Watched, release: str, reference: str) -> None:
    """Who decided, and what was charged; and the record is whole."""
    page = visit.page
    rows = [row.inner_text() for row in page.locator("main tbody tr").all()]
    for what, by in (("approved", "oscar"), ("proposed", "olive"), ("sent", "ada")):
        assert any(what in row.lower() and NAMES[by] in row for row in rows), (what, rows)
    assert any(release in row for row in rows)
    page.get_by_role("link", name="Check both chains from the beginning").click()
    assert page.locator(".govuk-tag--green", has_text="Hash chain verified").is_visible()
