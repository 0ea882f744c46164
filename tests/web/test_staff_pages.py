"""What staff do on their pages: two people decide an application, caps and policies change, things are frozen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest

from privacy_api.cli.cuts import preset
from privacy_api.ports import ProposalState, Role
from privacy_api.service.performance import Figures, performance
from privacy_api.service.terms import import_policy
from tests.lib.applications import COMPLETE
from tests.lib.applying import approved, sent
from tests.lib.people import House, house
from tests.lib.service import POLICY
from tests.web.visitor import Visitor, main_text, visitor

ROLES = {
    "olive": Role.DISCLOSURE_OFFICER,
    "oscar": Role.DISCLOSURE_OFFICER,
    "cora": Role.DATA_CUSTODIAN,
    "audrey": Role.AUDITOR,
    "adam": Role.ADMIN,
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("staff")) as made:
        import_policy("school", POLICY, made.service.services.now(), made.service.services)
        yield made


@pytest.fixture
def staff(people: House) -> dict[str, Visitor]:
    return {name: visitor(people.service, name=name, role=role) for name, role in ROLES.items()}


def test_each_sees_the_pages_of_their_role(staff: dict[str, Visitor]) -> None:
    shown = {name: set(re.findall(r'href="(/admin/[a-z-]+)"', who.get("/admin").text)) for name, who in staff.items()}
    assert {"/admin/applications", "/admin/proposals", "/admin/policies", "/admin/budgets"} <= shown["olive"]
    assert "/admin/audit" in shown["audrey"]
    assert "/admin/audit" not in shown["olive"]
    assert "/admin/people" in shown["adam"]
    for who in staff.values():
        for link in re.findall(r'href="(/admin/[a-z-]+)"', who.get("/admin").text):
            who.get(link)


def test_an_application_is_approved_by_two_people_on_pages(people: House, staff: dict[str, Visitor]) -> None:
    application = sent(people).rpartition("/")[2]
    page = f"/admin/applications/{application}"
    said = main_text(staff["olive"].get(page))
    assert COMPLETE.purpose.title in said
    assert "another person has to approve too" in said
    wrong = staff["olive"].send(f"{page}", ("decision", "approve"), to=f"{page}/decision", status=422)
    assert "Enter your reason" in wrong.text
    to = (
        staff["olive"]
        .send(page, ("decision", "approve"), ("reason", "Useful and narrow."), to=f"{page}/decision")
        .headers["location"]
    )
    assert to == page
    (proposal,) = people.service.services.proposals.proposals(ProposalState.OPEN, f"application:{application}")
    at = f"/admin/proposals/{proposal.id}"
    assert "You proposed this" in main_text(staff["olive"].get(at))
    own = staff["olive"].send(at, ("decision", "approve"), ("reason", "Quick"), to=f"{at}/decision", status=403)
    assert "another person has to decide" in own.text
    staff["oscar"].send(at, ("decision", "approve"), ("reason", "I agree."), to=f"{at}/decision")
    assert "Approved and done" in main_text(staff["oscar"].get(at))
    found = people.service.services.applications.application(application)
    assert found is not None
    assert people.service.services.projects.project(found.project or "") is not None


def test_an_application_is_returned_and_commented(people: House, staff: dict[str, Visitor]) -> None:
    application = sent(people, who="bea").rpartition("/")[2]
    page = f"/admin/applications/{application}"
    staff["cora"].send(page, ("text", "<b>Which</b> schools?"), to=f"{page}/comments")
    said = staff["cora"].get(page).text
    assert "&lt;b&gt;Which&lt;/b&gt; schools?" in said
    staff["cora"].send(page, ("decision", "return"), ("reason", "Say which schools."), to=f"{page}/decision")
    assert "Returned: with the applicant" in main_text(staff["cora"].get(page))
    again = staff["cora"].get("/admin/applications?state=returned")
    assert COMPLETE.purpose.title in again.text
    staff["cora"].get("/admin/applications?state=draft", 404)


def test_a_cap_is_lowered_at_once_and_raised_by_two(people: House, staff: dict[str, Visitor]) -> None:
    page = "/admin/budgets/project/tests"
    staff["olive"].send(page, ("rho", "0.4"), ("reason", "Less is enough."))
    assert people.service.services.projects.project("tests").cap == 400_000_000  # type: ignore[union-attr]
    to = staff["olive"].send(page, ("rho", "0.5"), ("reason", "More is needed.")).headers["location"]
    assert to.startswith("/admin/proposals/")
    assert people.service.services.projects.project("tests").cap == 400_000_000  # type: ignore[union-attr]
    staff["cora"].send(to, ("decision", "approve"), ("reason", "Yes."), to=f"{to}/decision")
    assert people.service.services.projects.project("tests").cap == 500_000_000  # type: ignore[union-attr]
    said = main_text(staff["olive"].get("/admin/budgets"))
    assert "right about one coin-flip fact" in said


def test_a_policy_is_drafted_tried_and_proposed(people: House, staff: dict[str, Visitor]) -> None:
    wrong = staff["olive"].send("/admin/policies/school", ("policy", "nonsense"), ("reason", "x"), status=400)
    assert "There is a problem" in wrong.text
    text = preset("dp-default").replace("cells = 10000", "cells = 20000")
    to = (
        staff["olive"]
        .send("/admin/policies/school", ("policy", text), ("reason", "Larger tables."))
        .headers["location"]
    )
    assert "loosens" in main_text(staff["olive"].get(to))
    people.service.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"]})
    tried = staff["olive"].get(f"{to}?effect=yes").text
    assert "On synthetic data" in tried
    proposal = staff["olive"].send(to, ("reason", "Wanted."), to=f"{to}/publication").headers["location"]
    assert proposal.startswith("/admin/proposals/")
    staff["cora"].send(proposal, ("decision", "refuse"), ("reason", "No."), to=f"{proposal}/decision")
    assert people.service.services.terms.of("school").version == 1  # type: ignore[union-attr]


def test_a_cut_and_an_account_are_frozen_at_once(people: House, staff: dict[str, Visitor]) -> None:
    staff["olive"].send("/admin/data-sets/school", ("reason", "A doubt."), to="/admin/data-sets/school/freezing")
    assert people.service.ask({"measures": [{"statistic": "count"}]}).status_code == 403
    staff["cora"].send("/admin/data-sets/school", ("reason", "Cleared."), to="/admin/data-sets/school/unfreezing")
    assert people.service.ask({"measures": [{"statistic": "count"}]}).status_code == 200
    dev = people.accounts["dev"].id
    staff["adam"].send(f"/admin/people/{dev}", ("why", "Left."), to=f"/admin/people/{dev}/freezing")
    assert people.send("dev", "GET", "/v1/projects").status_code in (401, 403)
    staff["adam"].send(
        f"/admin/people/{people.accounts['bea'].id}", ("roles", "researcher"), ("reason", "As before."),
        to=f"/admin/people/{people.accounts['bea'].id}/roles",
    )  # fmt: skip


def test_the_record_and_red_flags(people: House, staff: dict[str, Visitor]) -> None:
    staff["olive"].send("/admin/data-sets/school", ("reason", "A doubt."), to="/admin/data-sets/school/freezing")
    staff["cora"].send("/admin/data-sets/school", ("reason", "Cleared."), to="/admin/data-sets/school/unfreezing")
    people.service.ask({"measures": [{"statistic": "count"}], "groupBy": ["year"]})
    whole, charges = (
        staff["audrey"].get(f"/admin/audit{asked}").text.partition("<tbody") for asked in ("", "?kind=charge")
    )
    assert "A cut was frozen" in whole[2]
    assert charges[1]
    assert "A cut was frozen" not in charges[2]
    assert "Hash chain verified" in main_text(staff["audrey"].get("/admin/audit/verification"))
    staff["audrey"].get("/admin/audit?kind=nothing", 400)
    people.service.services.audit.record("sign-in-refused", "nobody", "service", {"counts": {"not-authenticated": 500}})
    (flag,) = set(re.findall(r'href="(/admin/red-flags/[^"]+)"', staff["audrey"].get("/admin/red-flags").text))
    staff["audrey"].send(flag, ("reason", "A script of ours."), to=f"{flag}/acknowledgement")
    assert "A script of ours." in main_text(staff["audrey"].get(flag))


def test_everybody_sees_how_the_service_performs(people: House, staff: dict[str, Visitor]) -> None:
    """The page's figures are those that the record gives when it is counted anew."""
    services = people.service.services
    approved(people)
    people.service.client.app.state.figures = Figures(services.audit)  # type: ignore[attr-defined]
    said, found = main_text(staff["olive"].get("/performance")), performance(services.audit)
    assert found.applications["approved"] >= 1
    assert f"Approved {found.applications['approved']}" in said
    assert f"{math.ceil(10 * found.median_days) / 10:.1f} days" in said, "rounded up, so that nothing took no time"
