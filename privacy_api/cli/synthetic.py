"""`privacy-api synthetic`: pupils who do not exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from privacy_api.cli.common import fail, refusals

synthetic_app = typer.Typer(help="Data with nobody in it.", no_args_is_help=True)
YEARS = re.compile(r"^(\d{4})(?:-(\d{4}))?$")


@synthetic_app.command("make")
def make(
    out: Annotated[Path, typer.Argument(help="A new or empty directory for the files and their catalogue.")],
    catalogue: Annotated[Path, typer.Option(help="Folder of the NPD catalogue.")],
    pupils: Annotated[int, typer.Option(min=1, help="Pupils of school age in any of the years.")] = 20_000,
    years: Annotated[str, typer.Option(help="Academic years by the years in which they end: 2018-2024.")] = "2018-2024",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    schools: Annotated[int, typer.Option(min=0, help="Length of the list of schools; 0 leaves it.")] = 0,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Write NPD-shaped Parquet files with made-up pupils, ready to ingest with OUT/catalogue."""
    with refusals():
        import shutil

        from privacy_api.cli.progress import Bar
        from synthetic import npd

        if not (catalogue / "cut.toml").is_file():
            fail(f"{catalogue}: wants the folder of a catalogue, with a file cut.toml")
        if out.exists() and any(out.iterdir()):
            fail(f"{out}: is not empty")
        span = _span(years)
        try:
            shutil.copytree(catalogue, out / "catalogue", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
            if schools:
                npd.write_schools(out / "catalogue", schools)
            with Bar() as bar:
                files = npd.make(out / "catalogue", out, pupils, span, seed, bar.step, workers)
        except ValueError as wrong:
            fail(str(wrong))
        typer.echo(f"{sum(map(len, files.values()))} files of {len(files)} data sets in {out}, for {out / 'catalogue'}")


def _span(text: str) -> range:
    found = YEARS.match(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not 2006 <= first <= last <= 2100:
        fail("--years: wants a year or two with a hyphen between, from 2006, such as 2018-2024")
    return range(first, last + 1)
