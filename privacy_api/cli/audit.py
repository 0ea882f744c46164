"""`privacy-api audit`: the record of what was charged, released, decided and refused."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, console_actor, fail, stores_for

if TYPE_CHECKING:
    from privacy_api.ports import AuditFilter

audit_app = typer.Typer(help="The record: check it, read it, export it.", no_args_is_help=True)
KindOption = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; repeat for more.")]
ActorOption = Annotated[str | None, typer.Option("--actor", help="Only what this account or key did.")]
SubjectOption = Annotated[str | None, typer.Option("--subject", help="Only of this, such as cut:npd.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="From this date or instant on (ISO 8601).")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Up to this date or instant (ISO 8601).")]


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@audit_app.command("verify")
def verify(home: HomeOption = None, mode: ModeOption = None) -> None:
    """Check both chains from the beginning, with their anchors, and that each vouches for the other."""
    with stores_for(home, mode) as stores:
        entries = stores.ledger.verify()
        decisions, changes = stores.audit.verify(), stores.terms.verify()
        typer.echo(f"the ledger is whole: {entries} entries")
        typer.echo(f"the audit chain is whole: {decisions} entries, {changes} of them changes of the terms of cuts")


@audit_app.command("list")
def list_entries(
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest at the end.")] = 50,
    kind: KindOption = None,
    actor: ActorOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """The last entries of both chains in one order."""
    with stores_for(home, mode) as stores:
        from privacy_api.service.audit import plain_of

        wanted = _filter(kind, actor, subject, since, until)
        for each in reversed(stores.audit.newest(wanted, None, last)):
            facts = " ".join(f"{name}={value}" for name, value in sorted(each.facts.items()) if name != "query")
            told = "\t".join((str(each.position), each.at, each.kind, each.actor, each.subject, facts))
            typer.echo(f"{told}\t# {plain_of(each.kind)}")


@audit_app.command("export")
def export(
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    form: Annotated[Form, typer.Option("--format", help="csv (safe to open in a spreadsheet) or jsonl.")] = Form.CSV,
    kind: KindOption = None,
    actor: ActorOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Write the whole record, oldest first. That it was exported is recorded."""
    with stores_for(home, mode) as stores:
        from privacy_api.service.audit import csv_lines, json_lines
        from privacy_api.service.performance import everything

        wanted = _filter(kind, actor, subject, since, until)
        stores.audit.record("record-exported", console_actor(), "audit", {"way": form.value})
        write = csv_lines if form is Form.CSV else json_lines
        with out.open("w", encoding="utf-8", newline="") as file:
            written = sum(1 for line in write(everything(stores.audit, wanted)) if file.write(line))
        typer.echo(f"{out}: {written - (form is Form.CSV)} entries")


@audit_app.command("flags")
def red_flags(home: HomeOption = None, mode: ModeOption = None) -> None:
    """What in the record deserves a look, newest first."""
    with stores_for(home, mode) as stores:
        from privacy_api.governance.watch import flags
        from privacy_api.service.performance import everything

        for each in flags(list(everything(stores.audit))):
            typer.echo(f"{each.id}\t{each.severity}\t{each.detector}\t{each.subject}\t{each.until[:16]}\t{each.plain}")


@audit_app.command("anchor")
def anchor(
    reason: Annotated[str, typer.Option(help="What was inspected, for the record.")] = "",
    accept: Annotated[
        bool, typer.Option("--accept", help="I have inspected the audit chain and accept it as it is.")
    ] = False,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Write the anchor anew, after it was lost. It is recorded, and raises a red flag."""
    if not accept or not reason:
        fail("inspect the audit chain first (compare it with a backup), then run this with --accept and --reason")
    with stores_for(home, mode) as stores:
        typer.echo(f"anchored at entry {stores.audit.reanchor(console_actor(), reason)}")


def _filter(
    kind: list[str] | None, actor: str | None, subject: str | None, since: str | None, until: str | None
) -> AuditFilter:
    from privacy_api.errors import ApiError
    from privacy_api.service.audit import read_filter

    try:
        return read_filter(kind or [], actor, subject, since, until)
    except ApiError as refused:
        fail(refused.detail)
