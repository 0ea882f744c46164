"""Applications, proposals and the freezing of projects, for staff without pages. The use cases are those of the API.

A console cannot show that two people sit at it: it proposes, and the second person signs in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.acting import AS, ReasonOption, active_account
from privacy_api.cli.budgets import ModeOption, project_app
from privacy_api.cli.common import HomeOption, fail
from privacy_api.cli.tables import services_for

if TYPE_CHECKING:
    from privacy_api.governance.caller import Caller
    from privacy_api.ports.applications import Application
    from privacy_api.service.services import Services

application_app = typer.Typer(help="Applications for projects.", no_args_is_help=True)
proposal_app = typer.Typer(help="What two people decide.", no_args_is_help=True)
AsOption = Annotated[str, AS]


@application_app.command("list")
def list_applications(as_: AsOption, home: HomeOption = None, mode: ModeOption = None) -> None:
    """Everything that was ever sent."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.applications import queue

        for each in queue(caller, services):
            typer.echo(f"{each.id}\t{each.reference}\t{each.state}\t{each.content.purpose.title}")


@application_app.command("show")
def show_application(application: str, as_: AsOption, home: HomeOption = None, mode: ModeOption = None) -> None:
    """All of an application as JSON: answers, red flags, clock, comments."""
    import json

    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.routes.applications import told
        from privacy_api.service.applications import seen

        typer.echo(json.dumps(told(seen(application, caller, services), services), indent=2, ensure_ascii=False))


@application_app.command("return")
def return_application(
    application: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Return it to be mended."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.decisions import return_it

        _tell(return_it(application, reason, caller, services))


@application_app.command("refuse")
def refuse_application(
    application: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Refuse it for good."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.decisions import refuse_it

        _tell(refuse_it(application, reason, caller, services))


@application_app.command("approve")
def approve_application(
    application: str,
    reason: ReasonOption,
    as_: AsOption,
    rho: Annotated[str, typer.Option(help="The project's budget, in rho; else what was asked for.")] = "",
    expires: Annotated[str, typer.Option(help="Its end, as a date; else what was asked for.")] = "",
    tighten: Annotated[list[str] | None, typer.Option(help="table.key=number; repeat for more.")] = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Approve it, or propose to: class B and D variables and changes of a project want a second person."""
    tightening = _numbers(tighten or [])
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.ports import Proposal
        from privacy_api.service.decisions import Terms, approve_it

        found = approve_it(application, Terms(rho, expires, tightening), reason, caller, services)
        if isinstance(found, Proposal):
            typer.echo(
                f"{found.id}: a second person has to sign in and approve it by {found.lapses[:10]}. {found.told}"
            )
        else:
            _tell(found)


@proposal_app.command("list")
def list_proposals(as_: AsOption, home: HomeOption = None, mode: ModeOption = None) -> None:
    """Proposals, oldest first."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.governance.approvals import has_lapsed
        from privacy_api.governance.roles import Permission
        from privacy_api.service.proposals import allowed

        allowed(caller, Permission.STAFF)
        for each in services.proposals.proposals():
            state = "lapsed" if each.state == "open" and has_lapsed(each, services.now()) else each.state
            typer.echo(f"{each.id}\t{state}\t{each.kind}\t{each.subject}\t{each.told}")


@proposal_app.command("approve")
def approve_proposal(proposal: str) -> None:
    """Refused: the second person signs in."""
    fail(
        f"{proposal}: whoever sits at a console could name two accounts. "
        "The second person signs in and approves it on the pages, or by POST /v1/proposals/…/approve."
    )


@proposal_app.command("refuse")
def refuse_proposal(
    proposal: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Refuse what another person proposed."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.deciding import refuse

        typer.echo(f"{refuse(proposal, reason, caller, services).id}: refused")


@proposal_app.command("withdraw")
def withdraw_proposal(
    proposal: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Withdraw what you proposed."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.proposals import withdraw

        typer.echo(f"{withdraw(proposal, reason, caller, services).id}: withdrawn")


@project_app.command("freeze")
def freeze_project(
    project: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Freeze a project at once: nothing is answered for it."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.project_terms import freeze

        typer.echo(f"{freeze(project, reason, caller, services).id}: frozen")


@project_app.command("unfreeze")
def unfreeze_project(
    project: str, reason: ReasonOption, as_: AsOption, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Unfreeze a project."""
    with _acting(as_, home, mode) as (caller, services):
        from privacy_api.service.project_terms import unfreeze

        typer.echo(f"{unfreeze(project, reason, caller, services).id}: unfrozen")


@contextmanager
def _acting(name: str, home: Path | None, mode: str | None) -> Iterator[tuple[Caller, Services]]:
    """Whoever acts, with the permissions of their account."""
    with services_for(home, mode) as services:
        from privacy_api.governance.caller import Caller

        yield Caller(active_account(name, services)), services


def _numbers(given: list[str]) -> dict[str, int]:
    found = {}
    for each in given:
        place, equals, value = each.partition("=")
        if not equals or not value.isdecimal():
            fail(f"--tighten {each}: wants table.key=number, such as rounding.base=20")
        found[place] = int(value)
    return found


def _tell(found: Application) -> None:
    made = f", project {found.project}" if found.project else ""
    typer.echo(f"{found.reference}: {found.state}{made}")
