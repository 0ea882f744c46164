"""Accounts, from the console: who there is, and the first administrator."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, console_actor, fail, stores_for

if TYPE_CHECKING:
    from privacy_api.bootstrap import Stores

account_app = typer.Typer(help="Who signs in, and with which roles.", no_args_is_help=True)


@account_app.command("list")
def list_accounts(home: HomeOption = None, mode: ModeOption = None) -> None:
    """Everybody who has signed in."""
    with stores_for(home, mode) as stores:
        for account in stores.accounts.accounts():
            roles = ",".join(sorted(account.roles)) or "-"
            typer.echo(f"{account.id}\t{account.name}\t{account.email}\t{roles}\t{account.status}")


@account_app.command("roles")
def give_roles(
    account: str,
    role: Annotated[list[str], typer.Argument(help="All the roles that the account is to have.")],
    why: Annotated[str, typer.Option(help="Why, for the record.")],
    by: Annotated[str, typer.Option("--as", help="Your account, which is an administrator's.")] = "",
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Give an account its roles. Without --as only the first administrator is made, while there is none."""
    from privacy_api.errors import ApiError
    from privacy_api.service.accounts import give_roles as give

    with stores_for(home, mode) as stores:
        try:
            with stores.together():
                changed = give(account, role, why, _actor(stores, role, by), stores)
        except ApiError as refused:
            fail(refused.detail or "; ".join(p.message for p in refused.problems) or f"{account}: no such account")
        typer.echo(f"{changed.id}: {', '.join(sorted(changed.roles))}")


@account_app.command("person")
def hold_to_person(
    account: str,
    person: Annotated[str, typer.Argument(help="Made by `person create`; their cap counts from now on, for good.")],
    why: Annotated[str, typer.Option(help="Why, for the record.")],
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Hold what an account asks, on pages and with its keys, to the cap of a person."""
    from privacy_api.errors import ApiError
    from privacy_api.service.accounts import hold_to_person as hold

    with stores_for(home, mode) as stores:
        try:
            changed = hold(account, person, why, console_actor(), stores)
        except ApiError as refused:
            fail("; ".join(p.message for p in refused.problems) or f"{account}: no such account")
        typer.echo(f"{changed.id}: counts against {changed.person}")


def _actor(stores: Stores, roles: list[str], by: str) -> str:
    from privacy_api.ports import AccountStatus, Role

    admins = {a.id for a in stores.accounts.accounts() if Role.ADMIN in a.roles and a.status is AccountStatus.ACTIVE}
    if by in admins:
        return by
    if by or admins or roles != [Role.ADMIN]:
        fail("name an administrator with --as ACCOUNT; without one only the first is made: account roles ACCOUNT admin")
    user = "".join(c for c in getpass.getuser() if c.isalnum() or c in ".-") or "unknown"
    stores.audit.record("bootstrap", f"console:{user}", "accounts", {"what": "the first administrator"})
    return f"console:{user}"
