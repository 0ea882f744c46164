"""One address of every page, by the route that makes it; `test_every_page.py` looks at each in a browser.

A page that stands here is tested with and without JavaScript, by axe, at two widths. One that does not fails a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, Page

from privacy_api.cli.cuts import preset
from privacy_api.governance.caller import Caller
from privacy_api.ports import Role
from privacy_api.ports.applications import Content, DataWanted, Justification, Sensitive, WantedData
from privacy_api.service import applications as applying
from privacy_api.service.caps import Scope
from privacy_api.service.decisions import return_it
from privacy_api.service.identity import principal_in
from privacy_api.service.keys import create_key
from privacy_api.service.policy_versions import draft
from privacy_api.service.sandbox import open_sandbox
from privacy_api.service.saved_queries import save
from privacy_api.service.staff_changes import set_cap
from privacy_api.service.synthetic_releases import releases
from privacy_api.service.watching import feed
from privacy_api.web.applying.pages import BY_NAME
from tests.lib.applications import COMPLETE
from tests.lib.released import put_out_made_up
from tests.web.browser import Watched
from tests.web.happened import place
from tests.web.sites import Site
from tests.web.visitor import account_in

WRITTEN = replace(
    COMPLETE,
    data=DataWanted(
        (WantedData("demo.census", ("la.region", "sen", "absence"), ("202223",)),),
        "2026-12-01",
        "2099-11-30",
        "2099-12-31",
        "",
        "0.01",
    ),
    sensitive=Sensitive((Justification("demo.census", "sen", "It is what the first question is about."),)),
)
"""An application to the demonstration's cut."""


Act = Callable[[Page, Site], None]


def pressed(button: str, **fields: str | Callable[[Site], str]) -> Act:
    """A form filled in by the ids of its fields, and sent."""

    def act(page: Page, site: Site) -> None:
        for name, value in fields.items():
            page.locator(f"#{name}").fill(value if isinstance(value, str) else value(site))
        page.get_by_role("button", name=button).last.click()

    return act


@dataclass(frozen=True, slots=True)
class Example:
    """address: or how to make one on its site. site: of SITES.

    signed_in: a researcher looks at it. staff: or somebody with this role. act: what is done there first, where the
    page is what a form answers, with the status answer.
    """

    address: str | Callable[[Site], str]
    site: str = "demo"
    status: int = 200
    signed_in: bool = False
    staff: Role | None = None
    act: Act | None = None
    answer: int = 200

    def on(self, site: Site) -> str:
        return self.address if isinstance(self.address, str) else self.address(site)

    def seen(self, site: Site, visit: Watched) -> Page:
        self.enter(site, visit.page.context)
        page = visit.go(self.on(site), self.status)
        if self.act:
            visit.allowed |= {self.answer}
            with page.expect_navigation() as found:
                self.act(page, site)
            assert found.value is not None and found.value.status == self.answer
        return page

    def enter(self, site: Site, context: BrowserContext) -> None:
        if self.staff:
            site.sign_in(context, account_in(site.services, name=self.staff.value, role=self.staff))
        elif self.signed_in:
            site.sign_in(context)


BUILDER = "/ask/demo/demo.census"
COUNT = {"statistic": "count"}
ABSENCE = {"statistic": "mean", "variable": "absence"}
FIRST_YEAR = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
QUESTION: dict[str, Any] = {
    "measures": [{"statistic": "count"}, {"statistic": "percentage", "variable": "fsm", "codes": ["Y"]}],
    "groupBy": ["REG", "academic_year"],
    "totals": [[], ["REG"]],
    "criteria": {"and": [{"filters": {"fsm": {"in": ["Y", "N"]}}}, {"not": {"filters": {"REG": {"eq": "E12000001"}}}}]},
}
OFFICIAL = {"measures": [COUNT], "groupBy": ["la", "need"], "totals": [[], ["la"]], "criteria": FIRST_YEAR}
BY_REGION = {"measures": [{"statistic": "count"}], "groupBy": ["REG"], "rho": 0.01}


def step(name: str, query: dict[str, Any] | None = None, base: str = BUILDER, **more: str) -> Example:
    """A step of the query builder."""
    q = {"q": json.dumps(QUESTION if query is None else query)}
    return Example(f"{base}/{name}?{urlencode({**q, **more})}", signed_in=True)


def an_answer(site: Site) -> str:
    return f"/answers/{site.answer(QUESTION)}?project=demo"


def answered(query: dict[str, Any], site: str = "demo", data_set: str = "demo.census") -> Example:
    """An answer as whoever asked sees it."""
    return Example(lambda on: f"/answers/{on.answer(query, data_set)}", site, signed_in=True)


def two_answers(site: Site) -> str:
    return f"/answers/{site.answer(BY_REGION)}/since/{site.answer(BY_REGION | {'rho': 0.005})}"


def saved(site: Site) -> str:
    if not site.services.saved_queries.of("demo", site.account.id):
        principal = principal_in(site.account, "demo", site.services)
        save(principal, site.account.id, "demo.census", BY_REGION, "Pupils by region", True, site.services)
    return "/my/queries"


def spent(address: str) -> Callable[[Site], str]:
    """With something to show."""
    return lambda site: (an_answer(site), two_answers(site), address)[-1]


def a_sandbox(site: Site) -> str:
    return open_sandbox(site.services)[1]


def a_key(site: Site) -> str:
    create_key(site.account, "demo", "nightly report", 30, site.services)
    return "/keys"


def a_synthetic_release(site: Site) -> str:
    if not releases(site.services):
        put_out_made_up(site.services)
    return "/synthetic"


NO_PAGES = frozenset({"/q/{release}/{format}"})
"""Routes that give a file, or send elsewhere."""


def applied(tail: str, content: Content = WRITTEN, **moves: bool) -> Example:
    """A page of an application."""
    return Example(lambda site: an_application(site, content, **moves) + tail, signed_in=True)


def wrong(example: Example, act: Act) -> Example:
    """The same with something wrong in its form."""
    return replace(example, act=act, answer=422)


def later(name: str, address: str, staff: Role | None = None, status: int = 200) -> Example:
    """Where things have happened, to the researcher or to staff."""
    return Example(place(name, WRITTEN, address), "later", status, signed_in=True, staff=staff)


def an_application(site: Site, content: Content, sent: bool = False, returned: bool = False) -> str:
    """Each is made once for a site."""
    known = (site.url, content, sent, returned)
    if known not in _made:
        _made[known] = _an_application(site, content, sent, returned)
    return _made[known]


_made: dict[object, str] = {}


def _an_application(site: Site, content: Content, sent: bool, returned: bool) -> str:
    services, ada = site.services, Caller(site.account)
    made = applying.start(None, ada, services)
    services.applications.write(made, content)
    if sent or returned:
        applying.submit(made.id, ada, services)
        officer = account_in(services, name="olive", role=Role.DISCLOSURE_OFFICER)
        applying.comment(made.id, "Which schools?\nAll of them?", None, Caller(officer), services)
        if returned:
            return_it(made.id, "Say which schools.", Caller(officer), services)
    return f"/apply/{made.id}"


def seen_by(role: Role, address: str | Callable[[Site], str]) -> Example:
    return Example(address, staff=role)


def an_officers(role: Role = Role.DISCLOSURE_OFFICER, *, sent: bool = True, returned: bool = False) -> Example:
    """The staff page of an application."""
    return seen_by(
        role, lambda site: f"/admin{an_application(site, WRITTEN, sent, returned)}".replace("apply", "applications")
    )


def a_proposal(site: Site) -> str:
    """To raise the budget of the demonstration's project, by one of two officers."""
    known = site.services.proposals.proposals(subject="project:demo")
    if not known:
        olive = account_in(site.services, name="olive", role=Role.DISCLOSURE_OFFICER)
        site.services.projects.set_cap("project", "demo", 400_000_000)
        set_cap(Scope.PROJECT, "demo", 450_000_000, "More schools take part.", Caller(olive), site.services)
        known = site.services.proposals.proposals(subject="project:demo")
    return f"/admin/proposals/{known[0].id}"


def a_version(site: Site) -> str:
    """A draft that loosens one rule and tightens another."""
    drafts = [each for each in site.services.terms.versions("demo") if each.version > 1]
    if not drafts:
        olive = account_in(site.services, name="olive", role=Role.DISCLOSURE_OFFICER)
        text = preset("dp-default").replace("cells = 10000", "cells = 20000")
        made = draft("demo", text, "Larger tables are wanted.", olive.id, site.services)
        return f"/admin/policies/demo/{made.version.version}"
    return f"/admin/policies/demo/{drafts[0].version}"


def a_flag(site: Site) -> str:
    """Many refused sign-ins: what raises a flag for certain."""
    site.services.audit.record("sign-in-refused", "nobody", "service", {"counts": {"not-authenticated": 500}})
    return f"/admin/red-flags/{feed(site.services)[0].flag.id}"


OFFICER, CUSTODIAN, AUDITOR, ADMIN = Role.DISCLOSURE_OFFICER, Role.DATA_CUSTODIAN, Role.AUDITOR, Role.ADMIN
STAFF: Mapping[str, Example] = {
    "/admin": seen_by(CUSTODIAN, lambda site: (a_proposal(site), "/admin")[1]),
    "/admin/applications": seen_by(
        OFFICER, lambda site: (an_application(site, WRITTEN, True), "/admin/applications")[1]
    ),
    "/admin/applications/{application}": an_officers(),
    "/admin/proposals": seen_by(CUSTODIAN, lambda site: (a_proposal(site), "/admin/proposals")[1]),
    "/admin/proposals/{proposal}": seen_by(CUSTODIAN, a_proposal),
    "/admin/policies": seen_by(OFFICER, "/admin/policies"),
    "/admin/policies/{cut}": seen_by(OFFICER, lambda site: (a_version(site), "/admin/policies/demo")[1]),
    "/admin/policies/{cut}/{version}": seen_by(OFFICER, a_version),
    "/admin/budgets": seen_by(OFFICER, spent("/admin/budgets")),
    "/admin/budgets/{scope}/{name}": seen_by(OFFICER, "/admin/budgets/project/demo"),
    "/admin/data-sets": seen_by(OFFICER, "/admin/data-sets"),
    "/admin/data-sets/{cut}": seen_by(OFFICER, "/admin/data-sets/demo"),
    "/admin/people": seen_by(ADMIN, "/admin/people"),
    "/admin/people/{account}": seen_by(ADMIN, lambda site: f"/admin/people/{site.account.id}"),
    "/admin/audit": seen_by(AUDITOR, spent("/admin/audit")),
    "/admin/audit/verification": seen_by(AUDITOR, "/admin/audit/verification"),
    "/admin/red-flags": seen_by(AUDITOR, lambda site: (a_flag(site), "/admin/red-flags")[1]),
    "/admin/red-flags/{flag}": seen_by(AUDITOR, a_flag),
}
"""Pages of staff."""

EXAMPLES: Mapping[str, Example] = {
    **STAFF,
    "/": Example("/"),
    "/register": Example("/register"),
    "/register/releases": Example(lambda site: site.answer(QUESTION) and "/register/releases"),
    "/q/{release}": Example(lambda site: f"/q/{site.answer(QUESTION)}"),
    "/performance": Example("/performance"),
    "/help/protection": Example("/help/protection"),
    "/accessibility": Example("/accessibility"),
    "/privacy": Example("/privacy"),
    "/cookies": Example("/cookies"),
    "/catalogue": Example("/catalogue"),
    "/catalogue/{data_set}": Example("/catalogue/npd.census", "npd"),
    "/catalogue/{data_set}/{variable}": Example("/catalogue/npd.census/ethnicity", "npd"),
    "/sandbox": Example("/sandbox"),
    "/synthetic": Example(a_synthetic_release),
    "/sign-in": Example("/sign-in"),
    "/sign-out": Example("/sign-out"),
    "/ask": Example("/ask", signed_in=True),
    "/ask/{project}/{data_set}/{step}": step("who"),
    "/answers/{release}": Example(an_answer, signed_in=True),
    "/answers/{release}/since/{earlier}": Example(two_answers, signed_in=True),
    "/my/releases": Example(spent("/my/releases"), signed_in=True),
    "/my/queries": Example(saved, signed_in=True),
    "/budget": Example(spent("/budget"), signed_in=True),
    "/keys": Example(a_key, signed_in=True),
    "/apply": Example(lambda site: (an_application(site, WRITTEN), "/apply")[1], signed_in=True),
    "/apply/{application}": applied(""),
    "/apply/{application}/{page}": applied("/purpose"),
    "/apply/{application}/people": applied("/people"),
    "/apply/{application}/data-sets": applied("/data-sets"),
    "/apply/{application}/data-sets/{data_set}": applied("/data-sets/demo.census"),
    "/apply/{application}/sensitive": applied("/sensitive"),
    "/apply/{application}/check": applied("/check"),
}
"""Route → example."""

FURTHER: Mapping[str, Example] = {
    "staff: all applications": seen_by(CUSTODIAN, "/admin/applications?state=all"),
    "staff: an application that was returned": an_officers(returned=True),
    "staff: one's own proposal": seen_by(CUSTODIAN, "/admin/proposals?state=all"),
    "staff: a policy tried": seen_by(OFFICER, lambda site: f"{a_version(site)}?effect=yes"),
    "staff: charges only": seen_by(AUDITOR, spent("/admin/audit?kind=charge")),
    "staff: not for researchers": Example("/admin", status=403, signed_in=True),
    **{f"apply: {name}": applied(f"/{name}") for name in BY_NAME if name != "purpose"},
    "a blank application": applied("", Content()),
    "check of a blank application": applied("/check", Content()),
    "no sensitive variable": applied("/sensitive", Content()),
    "an application that was sent": applied("", sent=True),
    "answers of one that was sent": applied("/law", sent=True),
    "an application that was returned": applied("", returned=True),
    "no synthetic release": Example("/synthetic", "npd"),
    "no sandbox": Example("/sandbox", "npd"),
    "nobody can sign in": Example("/sign-in", "official"),
    "a condition": step("condition", reference="la"),
    "rows and columns": step("rows"),
    "rows that are wrong": step("rows", QUESTION | {"groupBy": ["REG", "REG"], "totals": []}),
    "measures": step("measures"),
    "a measure": step("measure", statistic="percentage", variable="fsm"),
    "a model": step("measure", statistic="ols"),
    "precision and price": step("precision"),
    "check": step("check"),
    "nothing asked yet": step("who", {}),
    "check of nothing": step("check", {}),
    "a price of one's own": step("precision", BY_REGION),
    "check of a question that costs": step("check", {"measures": [ABSENCE], "groupBy": ["sen"]}),
    "a measure that is wrong": wrong(step("measure", statistic="percentage", variable="fsm"), pressed("Continue")),
    "an answer over time": answered({"measures": [ABSENCE], "groupBy": ["academic_year", "fsm"]}),
    "an answer as a heat map": answered(
        {"measures": [{"statistic": "distribution", "variable": "language"}], "groupBy": ["REG"]}
    ),
    "an answer with a model": answered({"measures": [{**ABSENCE, "statistic": "ols", "terms": ["fsm", "REG"]}]}),
    "an answer of one number": answered({"measures": [{"statistic": "pupils"}]}),
    "an official answer": answered(OFFICIAL, "official", "school.census"),
    **{
        f"an official question: {name}": replace(step(name, OFFICIAL, "/ask/tests/school.census"), site="official")
        for name in ("who", "precision", "check")
    },
    "a key that was made": replace(Example("/keys", signed_in=True), act=pressed("Make the key"), answer=201),
    "a key for no days": wrong(Example("/keys", signed_in=True), pressed("Make the key", days="0")),
    "a sandbox that was opened": Example("/sandbox", act=pressed("Get a key"), answer=201),
    "what a sandbox has left": Example("/sandbox", act=pressed("See the budget", key=a_sandbox)),
    "no key of a sandbox": wrong(Example("/sandbox"), pressed("Begin again", key="pca_test_0_0")),
    "signing in with a provider": Example("/sign-in", "npd"),
    "a sign-in that failed": Example("/sign-in/callback", "npd", status=403),
    "apply: no title": wrong(applied("/title", Content()), pressed("Save and continue")),
    "apply: nobody named": wrong(applied("/people", Content()), pressed("Add this person")),
    "apply: no data set": wrong(applied("/data-sets", Content()), pressed("Save and continue")),
    "apply: no reason": wrong(applied("/sensitive", replace(WRITTEN, sensitive=Sensitive())), pressed("Save and")),
    "staff: no decision": wrong(an_officers(), pressed("Record the decision")),
    "staff: no cap": wrong(seen_by(OFFICER, "/admin/budgets/project/demo"), pressed("Continue", rho="much")),
    "staff: no reason": wrong(seen_by(ADMIN, lambda site: f"/admin/people/{site.account.id}"), pressed("Give these")),
    "an approved application": later("approved", "/apply/{}"),
    "a refused application": later("refused", "/apply/{}"),
    "a withdrawn application": later("withdrawn", "/apply/{}"),
    "all applications of one's own": later("", "/apply"),
    "register after decisions": later("", "/register"),
    "performance after decisions": later("", "/performance"),
    "asking of a frozen cut": later("", f"{BUILDER}/check?{urlencode({'q': json.dumps(BY_REGION)})}", status=403),
    "staff: an approved application": later("approved", "/admin/applications/{}", OFFICER),
    "staff: a second person wanted": later("proposed", "/admin/applications/{}", OFFICER),
    "staff: applications after decisions": later("", "/admin/applications?state=all", CUSTODIAN),
    "staff: a proposal that was done": later("proposal", "/admin/proposals/{}", CUSTODIAN),
    "staff: a proposal that was refused": later("refusal", "/admin/proposals/{}", CUSTODIAN),
    "staff: a proposal of one's own": later("", "/admin/proposals?state=all", CUSTODIAN),
    "staff: frozen cuts": later("", "/admin/data-sets", CUSTODIAN),
    "staff: a frozen cut": later("", "/admin/data-sets/demo", CUSTODIAN),
    "staff: budgets of a frozen cut": later("", "/admin/budgets", CUSTODIAN),
    "staff: a frozen account": later("eve", "/admin/people/{}", ADMIN),
    "staff: the record after decisions": later("", "/admin/audit", AUDITOR),
    "not found": Example("/nothing", status=404),
    "all of NPD": Example("/catalogue", "npd"),
    "register without a release": Example("/register/releases", "npd"),
    "a search": Example("/catalogue?q=free+school+meals", "npd"),
    "a name in files": Example("/catalogue?q=FSMeligible_SPR23", "npd"),
    "nothing found": Example("/catalogue?q=unicorns", "npd"),
    "a small data set": Example("/catalogue/demo.census"),
    "many codes": Example("/catalogue/npd.census/school_la?page=2", "npd"),
    "a derived variable": Example("/catalogue/npd.census/disadvantaged", "npd"),
    "a number": Example("/catalogue/demo.census/absence"),
}
"""Other states of pages that are worth a look."""
