"""`privacy-api synthetic`: pupils who do not exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from privacy_api.cli import coarse, models, synthetic_release
from privacy_api.cli.common import fail, refusals

synthetic_app = typer.Typer(help="Data with nobody in it.", no_args_is_help=True)
synthetic_app.command("fit")(models.fit)
synthetic_app.command("draw")(models.draw)
synthetic_app.command("coarse")(coarse.coarse)
synthetic_app.command("release")(synthetic_release.release)
YEARS = re.compile(r"^(\d{4})(?:-(\d{4}))?$")
Catalogue = Annotated[Path, typer.Option(help="Folder of the NPD catalogue.")]


@synthetic_app.command("make")
def make(
    out: Annotated[Path, typer.Argument(help="A new or empty directory for the files and their catalogue.")],
    catalogue: Catalogue,
    pupils: Annotated[int, typer.Option(help="Pupils on any roll of the years, from 1,000 to 10,000,000.")] = 20_000,
    years: Annotated[str, typer.Option(help="Academic years by the years in which they end: 2018-2024.")] = "2018-2024",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    schools: Annotated[int, typer.Option(min=0, help="Length of the list of schools; 0 leaves it.")] = 0,
    workers: Annotated[int, typer.Option(min=1)] = 2,
    tier: Annotated[Literal["T0", "T1"], typer.Option(help="T0: structure alone. T1: as published.")] = "T1",
    table: Annotated[
        list[str] | None, typer.Option(metavar="DATA_SET[=VARIABLE,…]", help="Only these; all of them without.")
    ] = None,
    terms: Annotated[str, typer.Option(help="Terms of the censuses.")] = "AUT,SPR,SUM",
    coverage: Annotated[bool, typer.Option("--coverage", help="Every code that is in use occurs.")] = False,
    messiness: Annotated[float, typer.Option(help="From 0 to 1: missing values, duplicates, corrections.")] = 0.0,
    file_format: Annotated[Literal["parquet", "csv"], typer.Option("--format")] = "parquet",
) -> None:
    """Write NPD-shaped files with made-up pupils and their manifest, ready to ingest with OUT/catalogue."""
    with refusals():
        from privacy_api.cli.progress import Bar
        from synthetic import Plan
        from synthetic import make as run

        _need(catalogue)
        try:
            plan = Plan(
                *(pupils, _span(years), seed, tier, _tables(table or []), tuple(terms.split(",")), coverage, messiness),
                schools=schools,
            )
            with Bar() as bar:
                made = run(plan, out, catalogue, bar.step, workers, file_format == "csv")
        except ValueError as wrong:
            fail(str(wrong))
        files = made["files"]
        typer.echo(f"{len(files)} files of {sum(f['rows'] for f in files.values()):,} rows in {out}")


@synthetic_app.command("sample")
def sample(
    out: Annotated[Path, typer.Argument(help="The file to write, .parquet or .csv.")],
    catalogue: Catalogue,
    where: Annotated[str, typer.Option(help="A condition, such as: sen_provision = 'E' and sex = 'F'.")],
    n: Annotated[int, typer.Option("-n", min=1, help="Rows, never fewer.")] = 1_000,
    data_set: Annotated[str, typer.Option()] = "census",
    year: Annotated[int, typer.Option(help="The academic year, by the year in which it ends.")] = 2024,
    term: Annotated[Literal["AUT", "SPR", "SUM"], typer.Option()] = "SPR",
    pupils: Annotated[int, typer.Option(help="Made-up pupils to choose from.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Write rows of pupils who meet a condition: as many as asked for, or none and exit 1."""
    with refusals():
        from synthetic import Plan
        from synthetic import sample as run

        _need(catalogue)
        if out.suffix not in (".parquet", ".csv"):
            fail(f"{out}: wants a name that ends in .parquet or .csv")
        try:
            plan = Plan(pupils, range(year, year + 1), seed, terms=(term,))
            written = run(n, where, out, catalogue, plan, data_set, out.suffix == ".csv")
        except ValueError as wrong:
            fail(str(wrong))
        typer.echo(f"{n:,} rows in {written}")


@synthetic_app.command("check")
def check(
    folder: Annotated[Path, typer.Argument(help="A directory that `make`, `draw` or `coarse` wrote.")],
    verbose: Annotated[bool, typer.Option("--all", help="List the rules that hold too.")] = False,
    table: Annotated[Path | None, typer.Option(help="Write published figures beside these files' as Markdown.")] = None,
) -> None:
    """Ask of the files all that must hold: keys, codes, histories, schools, totals. Exit 1 if anything does not."""
    with refusals():
        from privacy_api.cli.progress import Bar
        from synthetic import check as run

        try:
            with Bar() as bar:
                findings = run(folder, bar.step)
        except ValueError as wrong:
            fail(str(wrong))
        if table:
            from synthetic.checking.calibration import page

            table.write_text(page(folder), encoding="utf-8")
        broken = [f for f in findings if f.broken]
        for finding in findings if verbose else broken:
            typer.echo(f"{'BROKEN' if finding.broken else 'holds'}  {finding.rule}: {finding.says} ({finding.broken})")
        typer.echo(f"{len(findings)} rules, {len(broken)} broken")
        if broken:
            raise typer.Exit(1)


@synthetic_app.command("duckdb")
def as_duckdb(
    folder: Annotated[Path, typer.Argument(help="A directory that `make`, `draw` or `coarse` wrote.")],
    out: Annotated[Path, typer.Argument(help="The DuckDB file to write.")],
) -> None:
    """Put all tables into one DuckDB file, which says that it is synthetic."""
    with refusals():
        from synthetic.folder import manifest_of
        from synthetic.tables import write_duckdb

        try:
            written = write_duckdb(folder, manifest_of(folder), out)
        except ValueError as wrong:
            fail(str(wrong))
        typer.echo(f"{len(written)} tables of {sum(written.values()):,} rows in {out}")


@synthetic_app.command("report")
def report(
    folder: Annotated[Path, typer.Argument(help="A directory that `make`, `draw` or `coarse` wrote.")],
    out: Annotated[Path | None, typer.Option(help="Directory for the report; beside the files without.")] = None,
    release: Annotated[str | None, typer.Option(help="The release's name in the report.")] = None,
) -> None:
    """Check the files, compare them with published figures, drawn ones with the noisy margins of their model,
    those from answers with the released tables; write report.html and report.json."""
    with refusals():
        from privacy_api.cli.progress import Bar
        from synthetic.drawn.report import report_of as of_drawn
        from synthetic.fidelity.files import report_of, write
        from synthetic.release import tier_of
        from synthetic.tiers import Tier

        try:
            with Bar() as bar:
                made = of_drawn if tier_of(folder) is Tier.PRIVATE else report_of
                found = made(folder, release, bar.step)
        except ValueError as wrong:
            fail(str(wrong))
        page, _ = write(found, out or folder)
        typer.echo(", ".join(f"{v.ways}-way score {v.score:.1f}" for v in found.variations))
        typer.echo(f"written: {page} and report.json beside it")


def _need(catalogue: Path) -> None:
    if not (catalogue / "cut.toml").is_file():
        fail(f"{catalogue}: wants the folder of a catalogue, with a file cut.toml")


def _span(text: str) -> range:
    found = YEARS.match(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not 2006 <= first <= last <= 2100:
        fail("--years: wants a year or two with a hyphen between, from 2006, such as 2018-2024")
    return range(first, last + 1)


def _tables(texts: list[str]) -> dict[str, tuple[str, ...]]:
    pairs = (text.partition("=") for text in texts)
    return {name: tuple(v for v in variables.split(",") if v) for name, _, variables in pairs}
