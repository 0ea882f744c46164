"""Versions of a cut: what is there, what changed between two, and what may be thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import HomeOption, fail, refusals, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.catalogue import Catalogue
    from datasets.ingest import Manifest

cut_app = typer.Typer(help="Look after the versions of a cut.", no_args_is_help=True)


@cut_app.command("list")
def list_versions(home: HomeOption = None) -> None:
    """Every version of every cut; the current one is marked."""
    with refusals():
        from datasets.ingest import list_cuts, list_versions, open_current

        cuts = settings_for(home).cuts
        for cut in list_cuts(cuts):
            current = open_current(cuts, cut).version
            for manifest in list_versions(cuts, cut):
                mark = "*" if manifest.version == current else " "
                stages = (f"{name}={facts.release}" for name, facts in manifest.data_sets.items() if facts.release)
                typer.echo(" ".join([f"{mark} {cut} {manifest.version} {manifest.created}", *stages]))


@cut_app.command("diff")
def diff(
    cut: str,
    old: Annotated[str, typer.Argument(help="The older version.")],
    new: Annotated[str, typer.Argument(help="The newer version.")],
    rows: Annotated[bool, typer.Option(help="Tell numbers of records: exact, so not for passing on.")] = False,
    home: HomeOption = None,
) -> None:
    """What changed between two versions: schema, codes, coverage, release stage."""
    with refusals():
        from datasets.ingest import changes

        cuts = settings_for(home).cuts
        found = [c for c in changes(_side(cuts, cut, old), _side(cuts, cut, new)) if rows or c.kind != "rows"]
        for change in found:
            typer.echo(f"{change.data_set}: {change.text}")
        if not found:
            typer.echo("nothing changed")


@cut_app.command("prune")
def prune(
    cut: str,
    every: Annotated[bool, typer.Option("--all", help="Parts of the current version too.")] = False,
    home: HomeOption = None,
) -> None:
    """Remove kept copies of files that the current version was not made of, and what killed runs left."""
    with refusals():
        from datasets.ingest import list_cuts
        from datasets.ingest import prune as run

        cuts = settings_for(home).cuts
        if cut not in list_cuts(cuts) and not (cut.isascii() and (cuts / cut / "parts").is_dir()):
            fail(f"no cut {cut!r}")
        pruned = run(cuts, cut, every)
        typer.echo(f"removed {pruned.files} parts, {pruned.bytes / 1e6:,.1f} MB")


def _side(cuts: Path, cut: str, version: str) -> tuple[Catalogue, Manifest]:
    from datasets.catalogue_toml import load_catalogue
    from datasets.ingest import open_version

    published = open_version(cuts, cut, version)
    return load_catalogue(published.catalogue_text), published.manifest
