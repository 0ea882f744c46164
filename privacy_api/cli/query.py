"""Asking a question from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from privacy_api.cli.common import fail, read_text


def query(
    file: Annotated[Path, typer.Argument(help="The query as JSON, with dataSet beside measures, groupBy, criteria.")],
    server: Annotated[str, typer.Option(envvar="PRIVACY_API_SERVER")] = "http://127.0.0.1:8000",
    key: Annotated[str, typer.Option(envvar="PRIVACY_API_KEY", help="Your API key; better in PRIVACY_API_KEY.")] = "",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write; .csv writes CSV, anything else JSON.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only price, margins and problems; free.")] = False,
) -> None:
    """Send a query to a server and write its answer."""
    try:
        body = json.loads(read_text(file))
    except ValueError as error:
        fail(f"{file}: not JSON: {error}")
        return
    if not isinstance(body, dict) or not isinstance(body.get("dataSet"), str):
        fail(f"{file}: wants an object with dataSet (its id) beside measures, groupBy, criteria")
    if not key or not key.isascii() or not key.isprintable():
        fail("no key: give one with --key or in PRIVACY_API_KEY")
    if out and not out.absolute().parent.is_dir():
        fail(f"{out}: there is no such directory to write to")
    data_set = body.pop("dataSet")
    form = "csv" if out and out.suffix == ".csv" else "json"
    content = _send(
        f"{server.rstrip('/')}/v1/data-sets/{data_set}/query{'/preview' if preview else ''}", body, key, form
    )
    if out:
        out.write_bytes(content)
        typer.echo(f"written to {out}", err=True)
    else:
        sys.stdout.buffer.write(content + b"\n")


def _send(url: str, body: Any, key: str, form: str) -> bytes:
    import httpx2

    try:
        response = httpx2.post(
            url, json=body, params={"format": form} if not url.endswith("/preview") else None,
            headers={"Authorization": f"Bearer {key}"}, timeout=120,
        )  # fmt: skip
    except httpx2.HTTPError as error:
        fail(f"{url}: {type(error).__name__}; is the server running there?")
        raise AssertionError from error
    if response.status_code >= 400:
        fail(_told(response.content, response.status_code))
    return response.content


def _told(content: bytes, status: int) -> str:
    """A problem document as lines for people."""
    try:
        problem = json.loads(content)
    except ValueError:
        return f"the server answered {status}"
    return problem_lines(problem | {"status": status})


def problem_lines(problem: Mapping[str, Any]) -> str:
    status = problem.get("status", "")
    lines = [f"{problem.get('title', 'refused')} ({status})", problem.get("detail", "")]
    lines += [f"  {e['path'] or 'request'}: {e['message']} [{e['code']}]" for e in problem.get("errors", [])]
    return "\n".join(line for line in lines if line)
