"""`privacy-api synthetic coarse`: rows from answers that this service has released (T2)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, fail
from privacy_api.cli.tables import services_for


def coarse(
    answers: Annotated[Path, typer.Argument(help="A directory of answers, each a JSON file as the API gave it.")],
    out: Annotated[Path, typer.Argument(help="A new or empty directory.")],
    rows: Annotated[int, typer.Option(min=0, help="0: as many as the tables are of.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    workers: Annotated[int, typer.Option(min=1)] = 2,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Make rows that keep the tables of released answers. It costs nothing: they are released already."""
    with services_for(home, mode) as services:
        from privacy_api.cli.progress import Bar
        from privacy_api.service.coarse import released
        from synthetic.coarse.answers import read_answers
        from synthetic.coarse.release import write

        if not answers.is_dir():
            fail(f"{answers}: wants a directory of JSON files")
        texts = {path.name: path.read_bytes() for path in sorted(answers.glob("*.json"))}
        try:
            found = read_answers(released(texts, services.ledger))
            with Bar() as bar:
                made = write(found, out, seed, bar.step, rows, workers)
        except ValueError as wrong:
            fail(str(wrong))
        typer.echo(f"{made['plan']['rows']:,} rows in {out}, from {len(found.tables)} tables of {len(texts)} answers")
