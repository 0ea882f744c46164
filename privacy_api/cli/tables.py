"""Tables that an officer registers to be released."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, console_actor, fail, read_text, refusals, settings_for

if TYPE_CHECKING:
    from privacy_api.ports import RegisteredTable
    from privacy_api.service.answer_query import Answered
    from privacy_api.service.services import Services

table_app = typer.Typer(help="Tables that are released to everybody.", no_args_is_help=True)


@table_app.command("register")
def register_table(
    file: Annotated[Path, typer.Argument(help="The table (TOML): docs/official.md says how.")],
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Compute a table, protect it, release it and register it; or say why it cannot be, and do nothing."""
    with services_for(home, mode) as services:
        from privacy_api.ports import RegisteredTable
        from privacy_api.service.answer_query import find_data_set
        from privacy_api.service.tables import register
        from privacy_api.wire.query_in import read_query
        from privacy_api.wire.table_in import read_table

        wanted = read_table(read_text(file))
        policy = find_data_set(wanted.data_set, services).cut.policy
        question = json.dumps(wanted.question, sort_keys=True)
        table = RegisteredTable(wanted.table, wanted.title, wanted.data_set, question, policy.digest, services.now())
        approved = (wanted.policy, wanted.policy_version)
        _tell(table, _long(lambda: register(table, approved, console_actor(), read_query, services)))


@table_app.command("publish")
def publish_table(
    tables: Annotated[list[str] | None, typer.Argument(metavar="TABLE…", help="None: all that are registered.")] = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Release registered tables for the version of the cut that is hosted now."""
    with services_for(home, mode) as services:
        from privacy_api.service.tables import find_table, publish
        from privacy_api.wire.query_in import read_query

        chosen = [find_table(name, services) for name in tables or []]
        for table in chosen or [t for t in services.tables.tables() if not t.withdrawn]:
            _tell(table, _long(partial(publish, table, read_query, services)))


@table_app.command("list")
def list_tables(home: HomeOption = None, mode: ModeOption = None) -> None:
    """All registered tables."""
    with services_for(home, mode) as services:
        for table in services.tables.tables():
            state = f"withdrawn {table.withdrawn[:10]}" if table.withdrawn else "registered"
            typer.echo(f"{table.id}\t{table.data_set}\t{state}\t{table.title}")


@table_app.command("withdraw")
def withdraw_table(table: str, home: HomeOption = None, mode: ModeOption = None) -> None:
    """Serve a table no more. Its releases stay on the record, and cells that were shown stay known."""
    with services_for(home, mode) as services:
        from privacy_api.service.tables import withdraw

        if not withdraw(table, console_actor(), services):
            fail(f"{table}: no such table")
        typer.echo(f"{table}: withdrawn")


@contextmanager
def services_for(home: Path | None, mode: str | None) -> Iterator[Services]:
    with refusals():
        from privacy_api.bootstrap import open_services
        from privacy_api.cli.query import problem_lines
        from privacy_api.errors import ApiError

        services = open_services(settings_for(home, mode=mode))
        try:
            yield services
        except ApiError as error:
            fail(problem_lines(error.document()))
        finally:
            services.close()


def _long(work: Callable[[], Answered]) -> Answered:
    """With something moving on the screen: a large table takes a minute or two."""
    from rich.console import Console

    with Console(stderr=True).status("counting, hiding and auditing"):
        return work()


def _tell(table: RegisteredTable, answered: Answered) -> None:
    suppression = json.loads(answered.body)["suppression"]
    hidden, numbers = suppression["hidden"], suppression["numbers"]
    share = 100 * hidden / numbers if numbers else 0
    again = " (as it was)" if answered.repeat else ""
    typer.echo(f"{table.id}: {answered.release}{again}; {hidden} of {numbers} numbers hidden ({share:.1f} %)")
