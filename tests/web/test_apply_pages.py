"""Applying on pages, as a browser without scripts does it: from a blank page to an application that is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from privacy_api.governance.caller import Caller
from privacy_api.governance.checklist import MEMBERS
from privacy_api.ports import Role
from privacy_api.ports.applications import ApplicationState
from privacy_api.service.decisions import return_it
from privacy_api.web.applying.pages import BY_NAME, FIELD_PAGES, Kind
from tests.lib.applications import COMPLETE
from tests.lib.service import Service, running
from tests.web.visitor import Visitor, account_in, main_text, visitor

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def ada(service: Service) -> Visitor:
    return visitor(service)


def typed(page: str) -> list[tuple[str, str]]:
    """What somebody types who wants what COMPLETE says."""
    asked, fields = BY_NAME[page], []
    record = getattr(COMPLETE, MEMBERS[asked.step])
    for field in asked.fields:
        value = getattr(record, field.name)
        if field.kind is Kind.DATE:
            fields += list(zip((f"{field.name}-{p}" for p in ("year", "month", "day")), value.split("-"), strict=True))
        elif field.kind is Kind.LINES:
            fields.append((field.name, "\r\n".join(value)))
        else:
            fields.append((field.name, {True: "yes", False: "no"}.get(value, value)))
    return fields


PERSON = [
    ("name", "Ada Researcher"), ("email", "ada@example.org"), ("job_title", "Fellow"), ("reason", "Models"),
    ("accreditation", "AR-1"), ("accreditation_expires-day", "31"), ("accreditation_expires-month", "1"),
    ("accreditation_expires-year", "2029"),
]  # fmt: skip


def filled(ada: Visitor) -> str:
    """An application that is complete."""
    home = ada.send("/apply").headers["location"]
    for page in FIELD_PAGES:
        ada.send(f"{home}/{page.name}", *typed(page.name))
    ada.send(f"{home}/people", *PERSON)
    onward = ada.send(f"{home}/data-sets", ("data_set", "school.census")).headers["location"]
    chosen = [("reference", "la.region"), ("reference", "sex"), ("period", "202122"), ("period", "202223")]
    assert ada.send(onward, *chosen).headers["location"] == f"{home}/dates"
    ada.send(f"{home}/sensitive", ("why-school.census:sex", COMPLETE.sensitive.justifications[0].why))
    return home


def test_from_a_blank_page_to_sent(ada: Visitor, service: Service) -> None:
    home = filled(ada)
    page = ada.get(home).text
    assert page.count("Completed") == 6
    (found,) = service.services.applications.applications()
    assert found.content.purpose == COMPLETE.purpose
    assert found.content.five_safes == COMPLETE.five_safes
    assert found.content.publication == COMPLETE.publication
    assert replace(found.content.data, wanted=()) == replace(COMPLETE.data, wanted=())
    assert found.content.people.people[0].accreditation_expires == "2029-01-31"
    checked = main_text(ada.get(f"{home}/check"))
    assert "Do scores differ by sex?" in checked
    assert send(ada, home) == home
    (found,) = service.services.applications.applications()
    assert (found.state, found.submission) == (ApplicationState.SUBMITTED, 1)
    assert "Sent: with the department" in main_text(ada.get(home))
    assert "Send the application" not in ada.get(f"{home}/check").text


def send(ada: Visitor, home: str, status: int = 303) -> str:
    token = re.search(r'name="csrf" value="([^"]+)"', ada.get(f"{home}/check").text)
    assert token
    headers = ada.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"csrf": token[1]})
    found = ada.service.client.post(f"{home}/send", content=body, headers=headers, follow_redirects=False)
    assert found.status_code == status
    return str(found.headers.get("location", ""))


def test_what_was_typed_is_kept_and_what_is_lacking_is_said(ada: Visitor, service: Service) -> None:
    home = ada.send("/apply").headers["location"]
    page = ada.send(f"{home}/purpose", ("purpose", "To <b>learn</b>."), status=422).text
    assert "There is a problem" in page
    assert "Give at least one research question" in page
    assert "To &lt;b&gt;learn&lt;/b&gt;." in page
    assert "Error: What is the project for?" in page
    assert ada.send(f"{home}/purpose", ("purpose", "Other."), ("then", "later")).headers["location"] == home
    (found,) = service.services.applications.applications()
    assert found.content.purpose.purpose == "Other."
    dates = [("starts-day", "31"), ("starts-month", "2"), ("starts-year", "2027")]
    assert "Give the day when the project starts" in ada.send(f"{home}/dates", *dates, status=422).text
    assert "at most 5000 characters" in ada.send(f"{home}/title", ("title", "x" * 5_001), status=422).text
    assert "Enter the person" in ada.send(f"{home}/people", ("email", "x@y.z"), status=422).text
    assert "Select at least one data set" in ada.send(f"{home}/data-sets", status=422).text


def test_a_coarser_banding_is_taken_instead(ada: Visitor, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    home = filled(ada)
    monkeypatch.setattr("privacy_api.governance.asked_for.AskedFor.needs_justification", True)
    page = f"{home}/sensitive"
    ada.send(f"{home}/data-sets/school.census", ("reference", "la"), ("period", "202122"))
    told = ada.send(page, ("why-school.census:la", "It matters."), status=422).text
    assert "Enter why no coarser banding of local authority would do" in told
    ada.send(page, ("take-school.census:la", "region"), ("why-school.census:la", "It matters."))
    (found,) = service.services.applications.applications()
    assert found.content.data.wanted[0].references == ("la.region",)
    assert found.content.sensitive.justifications[0].reference == "la.region"


def test_returned_commented_and_withdrawn(ada: Visitor, service: Service) -> None:
    home = filled(ada)
    send(ada, home)
    olive = Caller(account_in(service.services, name="olive", role=Role.DISCLOSURE_OFFICER))
    return_it(home.rsplit("/", 1)[1], "Say which schools.", olive, service.services)
    assert "Returned to you: Say which schools." in main_text(ada.get(home))
    assert send(ada, home) == home
    assert "Sent: with the department" in main_text(ada.get(home))


def test_nobody_else_sees_it(ada: Visitor, service: Service) -> None:
    home = filled(ada)
    bea, olive = visitor(service, name="bea"), visitor(service, name="olive", role=Role.DISCLOSURE_OFFICER)
    for page in ("", "/check", "/people", "/data-sets", "/data-sets/school.census", "/sensitive", "/title"):
        bea.get(home + page, 404)
        olive.get(home + page, 403)
    ada.get(f"{home}/nothing", 404)
    ada.get(f"{home}/data-sets/school.none", 404)
    assert service.client.get(home, follow_redirects=False).headers["location"].startswith("/sign-in?next=")


def test_a_form_without_its_token_is_refused(ada: Visitor) -> None:
    headers = ada.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    found = ada.service.client.post("/apply", content="x=1", headers=headers, follow_redirects=False)
    assert found.status_code == 403
