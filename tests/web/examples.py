"""One address of every page, by the route that makes it; `test_every_page.py` looks at each in a browser.

A page that stands here is tested with and without JavaScript, by axe, at two widths. One that does not fails a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext

from privacy_api.governance.caller import Caller
from privacy_api.ports import Role
from privacy_api.ports.applications import Content, DataWanted, Justification, Sensitive, WantedData
from privacy_api.service import applications as applying
from privacy_api.service.decisions import return_it
from privacy_api.service.identity import principal_in
from privacy_api.service.saved_queries import save
from privacy_api.web.apply_pages import BY_NAME
from tests.lib.applications import COMPLETE
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


@dataclass(frozen=True, slots=True)
class Example:
    """address: or how to make one on its site. site: "demo" (pupils and queries) or "npd" (a large catalogue).

    signed_in: a researcher looks at it.
    """

    address: str | Callable[[Site], str]
    site: str = "demo"
    status: int = 200
    signed_in: bool = False

    def on(self, site: Site) -> str:
        return self.address if isinstance(self.address, str) else self.address(site)

    def enter(self, site: Site, context: BrowserContext) -> None:
        if self.signed_in:
            site.sign_in(context)


BUILDER = "/ask/demo/demo.census"
QUESTION: dict[str, Any] = {
    "measures": [{"statistic": "count"}, {"statistic": "percentage", "variable": "fsm", "codes": ["Y"]}],
    "groupBy": ["REG", "academic_year"],
    "totals": [[], ["REG"]],
    "criteria": {"and": [{"filters": {"fsm": {"in": ["Y", "N"]}}}, {"not": {"filters": {"REG": {"eq": "E12000001"}}}}]},
}
BY_REGION = {"measures": [{"statistic": "count"}], "groupBy": ["REG"], "rho": 0.01}


def step(name: str, query: dict[str, Any] | None = None, **more: str) -> Example:
    """A step of the query builder."""
    q = {"q": json.dumps(QUESTION if query is None else query)}
    return Example(f"{BUILDER}/{name}?{urlencode({**q, **more})}", signed_in=True)


def an_answer(site: Site) -> str:
    return f"/answers/{site.answer(QUESTION)}?project=demo"


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


def applied(tail: str, content: Content = WRITTEN, **moves: bool) -> Example:
    """A page of an application."""
    return Example(lambda site: an_application(site, content, **moves) + tail, signed_in=True)


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


EXAMPLES: Mapping[str, Example] = {
    "/": Example("/"),
    "/catalogue": Example("/catalogue"),
    "/catalogue/{data_set}": Example("/catalogue/npd.census", "npd"),
    "/catalogue/{data_set}/{variable}": Example("/catalogue/npd.census/ethnicity", "npd"),
    "/sign-in": Example("/sign-in"),
    "/sign-out": Example("/sign-out"),
    "/ask": Example("/ask", signed_in=True),
    "/ask/{project}/{data_set}/{step}": step("who"),
    "/answers/{release}": Example(an_answer, signed_in=True),
    "/answers/{release}/since/{earlier}": Example(two_answers, signed_in=True),
    "/my/releases": Example(spent("/my/releases"), signed_in=True),
    "/my/queries": Example(saved, signed_in=True),
    "/budget": Example(spent("/budget"), signed_in=True),
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
    **{f"apply: {name}": applied(f"/{name}") for name in BY_NAME if name != "purpose"},
    "a blank application": applied("", Content()),
    "check of a blank application": applied("/check", Content()),
    "no sensitive variable": applied("/sensitive", Content()),
    "an application that was sent": applied("", sent=True),
    "answers of one that was sent": applied("/law", sent=True),
    "an application that was returned": applied("", returned=True),
    "nobody can sign in": Example("/sign-in", "npd"),
    "a condition": step("condition", reference="la"),
    "rows and columns": step("rows"),
    "rows that are wrong": step("rows", QUESTION | {"groupBy": ["REG", "REG"], "totals": []}),
    "measures": step("measures"),
    "a measure": step("measure", statistic="percentage", variable="fsm"),
    "a model": step("measure", statistic="ols"),
    "precision and price": step("precision"),
    "check": step("check"),
    "not found": Example("/nothing", status=404),
    "all of NPD": Example("/catalogue", "npd"),
    "a search": Example("/catalogue?q=free+school+meals", "npd"),
    "a name in files": Example("/catalogue?q=FSMeligible_SPR23", "npd"),
    "nothing found": Example("/catalogue?q=unicorns", "npd"),
    "a small data set": Example("/catalogue/demo.census"),
    "many codes": Example("/catalogue/npd.census/school_la?page=2", "npd"),
    "a derived variable": Example("/catalogue/npd.census/disadvantaged", "npd"),
    "a number": Example("/catalogue/demo.census/absence"),
}
"""Other states of pages that are worth a look."""
