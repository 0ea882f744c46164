"""What staff decide from a console: caps, versions of policies, freezing. The use cases are those of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.acting import AS, ReasonOption, active_account
from privacy_api.cli.budgets import ModeOption, amount
from privacy_api.cli.common import HomeOption, console_actor, fail, read_text
from privacy_api.cli.policies import policy_app as policy_app
from privacy_api.cli.spending import budget_app as budget_app
from privacy_api.cli.tables import services_for
from privacy_api.cli.versions import cut_app as cut_app

if TYPE_CHECKING:
    from privacy_api.governance.caller import Caller
    from privacy_api.governance.roles import Permission
    from privacy_api.service.policy_versions import Review
    from privacy_api.service.services import Services

AsOption = Annotated[str | None, AS]


@budget_app.command("cap")
def set_cap(
    scope: Annotated[str, typer.Argument(help="cut, project or person.")],
    name: str,
    rho: Annotated[str, typer.Option(help="The new cap, in rho.")],
    reason: ReasonOption,
    as_: AsOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Lower a cap, or propose to raise it: that is done once a second person approves."""
    from privacy_api.governance.roles import Permission
    from privacy_api.ports import Proposal

    with _acting(as_, Permission.SET_BUDGETS, home, mode) as (who, services):
        from privacy_api.service import caps, staff_changes

        if scope not in [each.value for each in caps.Scope]:
            fail(f"{scope}: caps are of a cut, a project or a person")
        wanted = caps.Scope(scope), name, amount(rho)
        if isinstance(who, str):  # the first run and demonstrations, which the record says
            change = caps.planned(*wanted, services)
            caps.apply(change, reason, who, None, services)
            typer.echo(change.told)
            return
        made = staff_changes.set_cap(*wanted, reason, who, services)
        typer.echo(f"{made.told}" + (f" Proposed as {made.id}." if isinstance(made, Proposal) else ""))


@budget_app.command("forecast")
def forecast(home: HomeOption = None, mode: ModeOption = None) -> None:
    """How long the budget of each cut lasts at the present rate."""
    with services_for(home, mode) as services:
        from privacy_api.service import outlook

        for each in outlook.cuts(services):
            typer.echo(f"{each.terms.cut}: " + " ".join(each.plain))


@policy_app.command("draft")
def draft(
    cut: str,
    policy: Path,
    reason: ReasonOption,
    as_: AsOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Store a policy as the next version of a cut's; nothing of it is in force yet."""
    from privacy_api.governance.roles import Permission

    with _acting(as_, Permission.SET_POLICIES, home, mode) as (who, services):
        from privacy_api.service import policy_versions

        _tell(policy_versions.draft(cut, read_text(policy), reason, _name(who), services))


@policy_app.command("versions")
def versions(cut: str, home: HomeOption = None, mode: ModeOption = None) -> None:
    """The versions of a cut's policy; the one in force is marked."""
    with services_for(home, mode) as services:
        from privacy_api.service.policy_versions import standing_terms

        in_force = standing_terms(cut, services).version
        for each in services.terms.versions(cut):
            mark = "*" if each.version == in_force else " "
            typer.echo(f"{mark} {each.version}\t{each.state}\t{each.at}\t{each.by}\t{each.digest[:12]}\t{each.why}")


@policy_app.command("review")
def review(cut: str, version: int, home: HomeOption = None, mode: ModeOption = None) -> None:
    """What a version would change, and what it would do to past questions, on synthetic data."""
    with services_for(home, mode) as services:
        from privacy_api.service.policy_effect import effect
        from privacy_api.service.policy_versions import review as compared
        from privacy_api.wire.query_in import read_query

        _tell(compared(cut, version, services))
        typer.echo(effect(cut, version, read_query, services).plain)


@policy_app.command("publish")
def publish(
    cut: str,
    version: int,
    reason: ReasonOption,
    as_: AsOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Put a version in force in every server; where anything loosens, propose it to a second person."""
    from privacy_api.governance.roles import Permission
    from privacy_api.ports import Proposal

    with _acting(as_, Permission.SET_POLICIES, home, mode) as (who, services):
        from privacy_api.service import policy_versions, staff_changes

        if isinstance(who, str):  # the first run and demonstrations, which the record says
            policy_versions.put_in_force(policy_versions.review(cut, version, services), reason, who, None, services)
        elif isinstance(made := staff_changes.publish(cut, version, reason, who, services), Proposal):
            typer.echo(f"{made.told} Proposed as {made.id}.")
            return
        typer.echo(f"{cut}: version {version} is in force")


@policy_app.command("withdraw")
def withdraw(
    cut: str,
    version: int,
    reason: ReasonOption,
    as_: AsOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Give up a version that is not in force."""
    from privacy_api.governance.roles import Permission

    with _acting(as_, Permission.SET_POLICIES, home, mode) as (who, services):
        from privacy_api.service import policy_versions

        policy_versions.withdraw(cut, version, reason, _name(who), services)
        typer.echo(f"{cut}: version {version} is withdrawn")


@cut_app.command("freeze")
def freeze(
    cut: str, reason: ReasonOption, as_: AsOption = None, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Freeze a cut at once: no server answers a question of it."""
    from privacy_api.governance.roles import Permission

    with _acting(as_, Permission.FREEZE, home, mode) as (who, services):
        from privacy_api.service.freezing import freeze_cut

        freeze_cut(cut, reason, _name(who), services)
        typer.echo(f"{cut}: frozen")


@cut_app.command("unfreeze")
def unfreeze(
    cut: str, reason: ReasonOption, as_: AsOption = None, home: HomeOption = None, mode: ModeOption = None
) -> None:
    """Let questions of a cut be answered again."""
    from privacy_api.governance.roles import Permission

    with _acting(as_, Permission.UNFREEZE, home, mode) as (who, services):
        from privacy_api.service.freezing import unfreeze_cut

        unfreeze_cut(cut, reason, _name(who), services)
        typer.echo(f"{cut}: unfrozen")


@contextmanager
def _acting(
    account: str | None, permission: Permission, home: Path | None, mode: str | None
) -> Iterator[tuple[Caller | str, Services]]:
    """Who decides, and the services. Without accounts, or in demo mode, whoever sits at the console, by name."""
    with services_for(home, mode) as services:
        yield _actor(account, permission, services), services


def _name(who: Caller | str) -> str:
    """For the record."""
    return who if isinstance(who, str) else who.actor


def _actor(account: str | None, permission: Permission, services: Services) -> Caller | str:
    from privacy_api.governance.caller import Caller
    from privacy_api.governance.roles import permissions_of

    if account is None:
        if services.environment == "live" and services.accounts.accounts():
            fail("there are accounts: say who decides, with --as ACCOUNT")
        return console_actor()
    found = active_account(account, services)
    if permission not in permissions_of(found.roles):
        fail(f"{account} may not do this: it wants the permission {permission}")
    return Caller(account=found)


def _tell(review: Review) -> None:
    version = review.version
    typer.echo(f"{version.cut}: version {version.version}, {version.state}, beside version {review.in_force} in force")
    for difference in review.differences:
        typer.echo(str(difference))
    people = "two people publish it" if review.loosens else "one person publishes it"
    loosens, tightens = ", ".join(review.loosens) or "nothing", ", ".join(review.tightens) or "nothing"
    typer.echo(f"loosens: {loosens}; tightens: {tightens}; {people}")
