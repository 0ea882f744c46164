"""Who decides at a console, and why: what the commands of staff have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import fail

if TYPE_CHECKING:
    from privacy_api.ports import Account
    from privacy_api.service.services import Services

AS = typer.Option("--as", help="Your account: u-… or your email address; wanted once there are any.")
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is put on the record.")]


def active_account(name: str, services: Services) -> Account:
    """By its id or email address; the command ends where there is no such active account, or several."""
    from privacy_api.ports import AccountStatus

    found = [each for each in services.accounts.accounts() if name and name in (each.id, each.email)]
    if len(found) != 1 or found[0].status is not AccountStatus.ACTIVE:
        fail(f"{name}: no such active account")
    return found[0]
