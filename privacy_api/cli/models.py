"""`privacy-api synthetic fit` and `draw`: a model of a hosted data set, and synthetic pupils from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from privacy_api.cli.budgets import ModeOption, amount
from privacy_api.cli.common import HomeOption, fail, read_text
from privacy_api.cli.tables import services_for


def fit(
    data_set: Annotated[str, typer.Argument(help="Its id, such as npd.census.")],
    file: Annotated[
        Path, typer.Argument(help="JSON with groupBy (the columns), criteria as in a query, and impossible.")
    ],
    out: Annotated[Path, typer.Argument(help="File for the model.")],
    project: Annotated[str, typer.Option(help="The project that is charged, beside the cut.")],
    rho: Annotated[str, typer.Option(help="Price of the whole fit.")] = "0.01497",
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Fit a differentially private model, charge it to the cut, and write it. The same again is free."""
    with services_for(home, mode) as services:
        from privacy_api.cli.progress import Bar
        from privacy_api.ports import Principal, ProjectKind
        from privacy_api.service.reach import reach
        from privacy_api.service.synthetic_counter import Wish
        from privacy_api.service.synthetic_fit import fit_model
        from privacy_api.wire.query_in import read_query
        from synthetic.model import Settings

        charged = services.projects.project(project)
        if charged is None:
            fail(f"--project: there is no project {project}")
            return
        columns, impossible, criteria = _asked(file)
        query = read_query({"measures": [{"id": "n", "statistic": "count"}], **criteria}, data_set)
        wish = Wish(columns, query.criteria, amount(rho), Settings(), impossible)
        with Bar() as bar:
            by = Principal("synthetic-fit", charged, synthetic_only=charged.kind is ProjectKind.SANDBOX)
            fitted = fit_model(wish, reach(data_set, by, services), by, services, bar.step)
        out.write_text(fitted.body, encoding="utf-8")
        typer.echo(f"{fitted.release}: charged {fitted.nano_rho} nano-rho; written to {out}")


def draw(
    model: Annotated[Path, typer.Argument(help="A file that `synthetic fit` wrote.")],
    out: Annotated[Path, typer.Argument(help="A new or empty directory.")],
    rows: Annotated[int, typer.Option(min=1, help="Pupils to make up.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Parquet.")] = False,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Write made-up pupils from a model, with catalogue and manifest. It costs nothing: the model is paid for."""
    from privacy_api.cli.progress import Bar
    from synthetic.drawn.release import draw as run

    try:
        with Bar() as bar:
            made = run(read_text(model), out, rows, seed, bar.step, workers, csv)
    except ValueError as refused:
        fail(str(refused))
        return
    origin = made["model"]
    typer.echo(f"{rows} rows in {out}, from {origin['release']} of {origin['cut']}.{origin['data_set']}")


def _asked(file: Path) -> tuple[tuple[str, ...], tuple[dict[str, tuple[str, ...]], ...], dict[str, Any]]:
    """Columns, of which a model has more than a query can be grouped by; what none of them can be together; and the
    criteria, as a query has them."""
    try:
        body = json.loads(read_text(file))
    except ValueError as error:
        fail(f"{file}: not JSON: {error}")
    if not isinstance(body, dict) or body.keys() - {"groupBy", "criteria", "impossible"}:
        fail(f"{file}: wants an object with groupBy, and criteria and impossible if there are any")
    columns, impossible = body.pop("groupBy", None), body.pop("impossible", [])
    if not _are_words(columns):
        fail(f"{file}: groupBy wants a list of names")
    if not isinstance(impossible, list) or not all(isinstance(one, dict) for one in impossible):
        fail(f"{file}: impossible wants a list of objects, each with codes by column")
    if not all(_are_words(codes) for one in impossible for codes in one.values()):
        fail(f'{file}: impossible wants a list of codes for each column, such as {{"sex": ["M"], "intake": ["girls"]}}')
    return tuple(columns), tuple({name: tuple(c) for name, c in one.items()} for one in impossible), body


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
