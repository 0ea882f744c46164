"""Catalogues: is it good, what is in it, which variable is it that a file calls so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import fail, read_catalogue, refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets.aliases import Found
    from datasets.catalogue import Catalogue
    from datasets.variables import Variable

catalogue_app = typer.Typer(help="Describe a cut.", no_args_is_help=True)
MOST_FOUND = 40
CatalogueArgument = Annotated[
    Path | None, typer.Argument(help="A catalogue: a TOML file, or a folder with cut.toml; NPD's without it.")
]
CatalogueOption = Annotated[
    Path | None, typer.Option("--catalogue", help="A TOML file, or a folder with cut.toml; NPD's without it.")
]


@catalogue_app.command("check")
def check(catalogue: CatalogueArgument = None) -> None:
    """Validate a catalogue: what is in it, or all its problems at once, each with its path."""
    loaded = _load(catalogue)
    for data_set in loaded.data_sets:
        typer.echo(f"{loaded.cut}.{data_set.id}: {_numbers(data_set.variables, len(data_set.links))}")
    variables = [v for d in loaded.data_sets for v in d.variables]
    lists = {v.atoms for v in variables if v.numbers is None} | {b.codes for v in variables for b in v.bandings}
    links = sum(len(d.links) for d in loaded.data_sets)
    sets = _many(len(loaded.data_sets), "data set")
    typer.echo(f"the catalogue is good: {sets}, {_numbers(variables, links)}, {_many(len(lists), 'code list')}")


def _numbers(variables: Sequence[Variable], links: int) -> str:
    """ "12 variables, 3 derived, 4 linked by 2 links"; nothing of what there is none."""
    derived, linked = sum(v.derived is not None for v in variables), sum(v.linked is not None for v in variables)
    parts = [_many(len(variables) - derived - linked, "variable")]
    parts += [f"{derived} derived"] if derived else []
    parts += [f"{linked} linked by {_many(links, 'link')}"] if links else []
    return ", ".join(parts)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")


@catalogue_app.command("pages")
def pages(
    out: Annotated[Path, typer.Argument(help="Folder for the pages; those that are there are written over.")],
    catalogue: CatalogueOption = None,
) -> None:
    """Write one Markdown page for each data set, and an index."""
    loaded = _load(catalogue)
    from datasets.npd.pages import pages as written

    out.mkdir(parents=True, exist_ok=True)
    texts = written(loaded)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    typer.echo(f"{out}: {len(texts)} pages")


@catalogue_app.command("find")
def find(
    name: Annotated[str, typer.Argument(help="A name that a file has (FSMeligible_SPR23), or words.")],
    catalogue: CatalogueOption = None,
) -> None:
    """Which variable, of which data set, year and term, a name of NPD or a word stands for."""
    loaded = _load(catalogue)
    from datasets.aliases import look_up, search

    named = look_up(name, loaded)
    for one in named:
        typer.echo(_told(one, loaded))
    if named:
        return
    found = search(name, loaded)
    for data_set, variable in found[:MOST_FOUND]:
        typer.echo(f"{data_set.id}.{variable.name}: {variable.label}")
    if not found:
        fail(f"{name}: no variable is called or described so")
    if len(found) > MOST_FOUND:
        typer.echo(f"and {len(found) - MOST_FOUND} more: say more words")


def _told(found: Found, catalogue: Catalogue) -> str:
    from datasets.aliases import linked_as

    when = ", ".join(filter(None, [found.reference, found.plain, f"repeat {found.repeat}" if found.repeat else ""]))
    used = "" if found.in_use else f"; files have this name {_years(found.alias.first, found.alias.last)} only"
    linked = linked_as(found, catalogue)
    return f"{when}: {found.variable.label}{used}" + (f"\n  linked as {', '.join(linked)}" if linked else "")


def _years(first: int, last: int | None) -> str:
    return f"from {first}" if last is None else f"from {first} to {last}"


def _load(path: Path | None) -> Catalogue:
    with refusals():
        from datasets.catalogue_toml import load_catalogue
        from datasets.npd import FOLDER

        return load_catalogue(read_catalogue(FOLDER if path is None else path))
