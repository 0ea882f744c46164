"""Projects, people, keys and the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from privacy_api.cli.common import HomeOption, console_actor, fail, settings_for, stores_for

project_app = typer.Typer(help="Who may ask for what.", no_args_is_help=True)
person_app = typer.Typer(help="Who asks, over all projects and cuts.", no_args_is_help=True)
key_app = typer.Typer(help="API keys; each belongs to one project.", no_args_is_help=True)
ledger_app = typer.Typer(help="The record of what was charged and released.", no_args_is_help=True)
ModeOption = Annotated[str | None, typer.Option("--mode", help="demo or live.", envvar="PRIVACY_API_MODE")]


@project_app.command("create")
def create_project(
    project: str,
    title: Annotated[str, typer.Option()],
    rho: Annotated[str, typer.Option(help="Most that the project may ever spend, in rho.")],
    grant: Annotated[
        list[str] | None, typer.Option(help="Class B or D variable that it may use; repeat for more.")
    ] = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Create a project with its budget and its grants, and without a scope: it may ask about all there is."""
    from privacy_api.ports import Project

    cap = amount(rho)
    with stores_for(home, mode) as stores:
        if grant and stores.accounts.accounts() and settings_for(home, mode=mode).mode == "live":
            fail("class B and D variables are granted by two people: apply for the project (privacy-api application)")
        facts = {"cap": cap, "grants": sorted(grant or ()), "title": title, "way": "console"}
        try:
            with stores.together():
                made = stores.projects.create_project(Project(project, title, cap, frozenset(grant or ())))
                stores.audit.record("project-created", console_actor(), f"project:{made.id}", facts)
        except ValueError as refused:
            fail(str(refused))
        typer.echo(f"{made.id}: created")


@project_app.command("list")
def list_projects(home: HomeOption = None, mode: ModeOption = None) -> None:
    """All projects, with what each has spent."""
    from disclosure.accounting import rho

    with stores_for(home, mode) as stores:
        for project in stores.projects.projects():
            spent = stores.ledger.project_balance(project).spent
            typer.echo(f"{project.id}\t{project.title}\trho {rho(spent)} of {rho(project.cap)}")


def amount(rho: str) -> int:
    """nano-ρ, rounded up."""
    from decimal import Decimal

    from disclosure.accounting import nano_rho

    try:
        return nano_rho(Decimal(rho))
    except (ArithmeticError, ValueError):
        fail("--rho wants a number such as 0.1")


@person_app.command("create")
def create_person(
    person: str,
    rho: Annotated[str, typer.Option(help="Most that the person may ever spend, over all projects and cuts.")],
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Create a person with a budget; keys are made theirs by: privacy-api key create PROJECT --person ID."""
    from privacy_api.ports import Person

    cap = amount(rho)
    with stores_for(home, mode) as stores:
        try:
            with stores.together():
                made = stores.projects.create_person(Person(person, cap))
                facts = {"cap": cap, "way": "console"}
                stores.audit.record("person-created", console_actor(), f"person:{made.id}", facts)
        except ValueError as refused:
            fail(str(refused))
        typer.echo(f"{made.id}: created")


@person_app.command("list")
def list_people(home: HomeOption = None, mode: ModeOption = None) -> None:
    """All people, with what each has spent."""
    from disclosure.accounting import rho

    with stores_for(home, mode) as stores:
        for person in stores.projects.people():
            spent = stores.ledger.person_balance(person).spent
            typer.echo(f"{person.id}\trho {rho(spent)} of {rho(person.cap)}")


@key_app.command("create")
def create_key(
    project: str,
    label: Annotated[str, typer.Option()] = "",
    person: Annotated[str | None, typer.Option(help="Whose key it is; their budget counts too.")] = None,
    role: Annotated[str, typer.Option(help="researcher, or checker: may have outputs checked too.")] = "researcher",
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Create a key. It is shown this once and stored only as a hash."""
    from privacy_api.ports import KeyRole

    if role not in [each.value for each in KeyRole]:
        fail(f"{role}: no such role; accepted: {', '.join(KeyRole)}")
    with stores_for(home, mode) as stores:
        if stores.projects.project(project) is None:
            fail(f"{project}: no such project; create it with: privacy-api project create")
        if person is not None and stores.projects.person(person) is None:
            fail(f"{person}: no such person; create them with: privacy-api person create")
        environment = settings_for(home, mode=mode).environment
        facts = {"project": project, "role": role, "way": "console"}
        facts |= {name: value for name, value in (("label", label), ("person", person)) if value}
        try:
            with stores.together():
                info, key = stores.projects.create_key(project, label, environment, person, KeyRole(role))
                stores.audit.record("key-created", console_actor(), f"key:{info.id}", facts)
        except ValueError as refused:
            fail(str(refused))
        typer.echo(f"id {info.id}", err=True)
        typer.echo(key)


@key_app.command("list")
def list_keys(home: HomeOption = None, mode: ModeOption = None) -> None:
    """All keys, never their secrets."""
    with stores_for(home, mode) as stores:
        for key in stores.projects.issued_keys():
            state = "revoked" if key.revoked else "active"
            typer.echo(f"{key.id}\t{key.project}\t{key.label}\t{key.created}\t{key.person or '-'}\t{key.role}\t{state}")


@key_app.command("revoke")
def revoke_key(key_id: str, home: HomeOption = None, mode: ModeOption = None) -> None:
    """Revoke a key; it stops working at once."""
    with stores_for(home, mode) as stores:
        with stores.together():
            if not stores.projects.revoke_key(key_id):
                fail(f"{key_id}: no such active key")
            stores.audit.record("key-revoked", console_actor(), f"key:{key_id}", {"way": "console"})
        typer.echo(f"{key_id}: revoked")


@ledger_app.command("verify")
def verify_ledger(home: HomeOption = None, mode: ModeOption = None) -> None:
    """Check every entry, every stored release, and the anchor outside the database."""
    with stores_for(home, mode) as stores:
        typer.echo(f"the ledger is whole: {stores.ledger.verify()} entries")


@ledger_app.command("anchor")
def anchor_ledger(
    accept: Annotated[
        bool, typer.Option("--accept", help="I have inspected the ledger and accept it as it is.")
    ] = False,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Write the anchor anew, after it was lost. Entries that were removed from the end can no longer be noticed."""
    if not accept:
        fail("inspect the ledger first (compare it with a backup), then run this with --accept")
    with stores_for(home, mode) as stores:
        typer.echo(f"anchored at entry {stores.ledger.reanchor()}")
