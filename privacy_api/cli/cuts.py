"""Cuts: what a custodian does before anyone can ask."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from privacy_api.cli.common import HomeOption, fail, read_catalogue, read_text, refusals, settings_for

DEFAULT_POLICY = "dp-default"


def ingest(
    catalogue: Annotated[Path, typer.Argument(help="The catalogue: a TOML file, or a folder of several.")],
    sources: Annotated[
        list[str], typer.Argument(metavar="FILES…", help="Files, or DATA_SET=FILE where there are several data sets.")
    ],
    home: HomeOption = None,
    policy: Annotated[Path | None, typer.Option(help="Policy to bind; a cut without one gets dp-default.")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    memory: Annotated[str, typer.Option(help="Most memory for the database engine.")] = "1500MB",
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="duckdb, or spark where one machine is too small.")
    ] = "duckdb",
    release: Annotated[
        list[str] | None, typer.Option(metavar="DATA_SET=STAGE", help="Stage of a release, e.g. ks4=amended.")
    ] = None,
) -> None:
    """Check files against a catalogue and publish them as an immutable cut, or write nothing and exit 1."""
    with refusals():
        from datasets.catalogue_toml import load_catalogue
        from datasets.ingest import IngestRefused
        from datasets.ingest import ingest as run
        from disclosure.policy import load_policy
        from privacy_api.cli.progress import Bar

        settings = settings_for(home)
        text = read_catalogue(catalogue)
        loaded = load_catalogue(text)
        by_data_set = _by_data_set(sources, [d.id for d in loaded.data_sets])
        policy_text = read_text(policy) if policy else None
        if policy_text is not None:
            load_policy(policy_text)
        try:
            with Bar() as bar:
                published = run(
                    *(loaded, text, by_data_set, settings.cuts, bar),
                    memory_limit=memory,
                    threads=threads,
                    engine=engine,
                    releases=_releases(release or []),
                )
        except IngestRefused as refused:
            fail(str(refused))
            return
        bind(settings.policies, loaded.cut, policy_text)  # last: a refused file must not change what is in force
        typer.echo(published.report_text)
        typer.echo(f"published {published.cut} version {published.version}")


def _releases(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, equals, stage in pairs:
        if not (name and equals and stage):
            fail("--release wants DATA_SET=STAGE, e.g. ks4=amended")
    return {name: stage for name, _, stage in pairs}


def _by_data_set(sources: list[str], known: list[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for source in sources:
        name, equals, path = source.partition("=")
        if not equals:
            name, path = (known[0] if len(known) == 1 else ""), source
        if name not in known:
            fail(f"{source}: say which data set it is for, as DATA_SET=FILE with one of {', '.join(known)}")
        if not Path(path).is_file():
            fail(f"{path}: no such file")
        found.setdefault(name, []).append(Path(path))
    missing = [name for name in known if name not in found]
    if missing:
        fail(f"no file for {', '.join(missing)}")
    return found


def bind(policies: Path, cut: str, text: str | None) -> None:
    """A policy given replaces; without one a cut that has a policy keeps it, and a new cut gets the default."""
    from datasets.catalogue_toml.cut import CUT
    from disclosure.policy import load_policy

    if not CUT.match(cut):
        fail("the id of a cut has a–z, 0–9 and - only")
    target = policies / f"{cut}.toml"
    if text is None:
        if target.exists():
            return
        text = preset(DEFAULT_POLICY)
    load_policy(text)
    policies.mkdir(mode=0o700, exist_ok=True)
    draft = target.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)


def preset(name: str) -> str:
    return files("privacy_api").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
