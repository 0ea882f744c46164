"""Checking outputs where the data is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, console_actor, fail, read_text
from privacy_api.cli.tables import services_for

if TYPE_CHECKING:
    from privacy_api.service.services import Services

EXIT = {"pass": 0, "review": 3, "fail": 4}


def output_check(
    table: Annotated[Path | None, typer.Argument(help="The table (CSV) that is to leave.")] = None,
    query: Annotated[
        Path | None,
        typer.Option(help="The query that made it, as JSON, with dataSet beside measures, groupBy, criteria."),
    ] = None,
    data_set: Annotated[
        str | None, typer.Option(help="The data set it was made from, where there is no query.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole verdict as JSON.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List what was checked, and do nothing else.")] = False,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Check a table that is to leave a safe room. Exit code: 0 pass, 3 review, 4 fail."""
    if listed:
        with services_for(home, mode) as services:
            _list(services)
        return
    if table is None:
        fail("name the table to be checked, or list what was checked with --list")
    body = _request(table, query, data_set)
    with services_for(home, mode) as services:
        found = _check(body, services)
    typer.echo(json.dumps(found, indent=2) if as_json else lines_of(found))
    raise typer.Exit(EXIT[found["verdict"]])


def _request(table: Path, query: Path | None, data_set: str | None) -> dict[str, Any]:
    asked = _query(query) if query else None
    named = asked.pop("dataSet", None) if asked else None
    if not isinstance(data_set or named, str):
        fail("say which data set the table was made from: dataSet in the query, or --data-set")
    return {"dataSet": data_set or named, "table": read_text(table), "query": asked}


def _query(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        fail(f"{path}: not JSON: {error}")
    if not isinstance(found, dict):
        fail(f"{path}: wants an object with dataSet beside measures, groupBy, criteria")
    return found


def _check(body: dict[str, Any], services: Services) -> dict[str, Any]:
    from privacy_api.service.answer_query import find_data_set
    from privacy_api.service.output_check import Checker, check
    from privacy_api.wire.output_check_in import read_output

    output = read_output(body)
    variables = find_data_set(output.data_set, services).data_set.variables
    by = Checker(console_actor(), None, frozenset(variable.name for variable in variables))
    return check(output, by, services)


def _list(services: Services) -> None:
    from privacy_api.service.output_check import recorded

    for each in recorded(services):
        fields = (each["id"], each["checked"], each["by"], each["dataSet"], each["verdict"], each["sha256"])
        typer.echo("\t".join(fields))


def lines_of(found: dict[str, Any]) -> str:
    """What was found, for people."""
    numbers = ", ".join(f"{count} {verdict}" for verdict, count in found["numbers"].items())
    lines = [f"{found['verdict']}: {found['id']} ({numbers})"]
    lines += [told("table", each) for each in found["findings"]]
    for cell in found["cells"]:
        lines += [told(f"line {cell['line']}, {cell['column']}", each) for each in cell["findings"]]
    return "\n".join(lines)


def told(where: str, found: dict[str, str]) -> str:
    return f"  {where}: {found['verdict']}: {found['message']} {found['fix']} [{found['code']}]"
