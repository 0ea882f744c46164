"""What has happened on the site "later": decided applications and proposals, a frozen cut and a frozen account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from privacy_api.governance.caller import Caller
from privacy_api.ports import Account, Proposal, Role
from privacy_api.ports.applications import Content
from privacy_api.service import applications as applying
from privacy_api.service import deciding
from privacy_api.service.accounts import freeze_account
from privacy_api.service.caps import Scope
from privacy_api.service.decisions import Terms, approve_it, refuse_it
from privacy_api.service.freezing import freeze_cut
from privacy_api.service.services import Services
from privacy_api.service.staff_changes import set_cap
from tests.web.sites import Site
from tests.web.visitor import account_in

QUESTION = {"measures": [{"statistic": "count"}], "groupBy": ["REG"]}


def place(name: str, content: Content, address: str) -> Callable[[Site], str]:
    """address: with {} for the id of the thing of this name, if it has one."""
    return lambda site: address.format(happened(site, content).get(name, ""))


@cache
def happened(site: Site, content: Content) -> Mapping[str, str]:
    """Name → id. content: of each application."""
    services, ada = site.services, Caller(site.account)
    sent = {name: _sent(content, ada, services) for name in ("approved", "refused", "proposed", "withdrawn")}
    olive, cora = _staff("olive", services), _staff("cora", services)
    proposal = _proposed(sent["approved"], olive, services)
    deciding.approve(proposal.id, "Two of us read it.", cora, services)
    refuse_it(sent["refused"], "No research question needs these variables.", olive, services)
    _proposed(sent["proposed"], olive, services)
    applying.withdraw(sent["withdrawn"], "It was a copy.", ada, services)
    eve = account_in(services, name="eve")
    freeze_account(eve.id, True, "Keys were shared.", _account(cora).id, services)
    refusal = _refused(olive, cora, services)
    return {**sent, **_frozen(site), "proposal": proposal.id, "refusal": refusal, "eve": eve.id}


def _sent(content: Content, applicant: Caller, services: Services) -> str:
    made = applying.start(None, applicant, services)
    services.applications.write(made, content)
    applying.submit(made.id, applicant, services)
    return made.id


def _staff(name: str, services: Services) -> Caller:
    return Caller(account_in(services, name=name, role=Role.DATA_CUSTODIAN))


def _account(caller: Caller) -> Account:
    assert caller.account
    return caller.account


def _proposed(application: str, by: Caller, services: Services) -> Proposal:
    """The demonstration's applications ask for a class D variable."""
    proposed = approve_it(application, Terms(), "The variables fit the questions.", by, services)
    assert isinstance(proposed, Proposal)
    return proposed


def _refused(by: Caller, other: Caller, services: Services) -> str:
    services.projects.set_cap("project", "demo", 400_000_000)
    proposal = set_cap(Scope.PROJECT, "demo", 450_000_000, "More schools take part.", by, services)
    assert isinstance(proposal, Proposal)
    deciding.refuse(proposal.id, "The project has half of its budget left.", other, services)
    return proposal.id


def _frozen(site: Site) -> Mapping[str, str]:
    release = site.answer(QUESTION)
    freeze_cut("demo", "A file came twice.", "ops", site.services)
    return {"release": release}
