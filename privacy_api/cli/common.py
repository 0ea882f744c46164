"""What commands share: where the service lives, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from privacy_api.bootstrap import Stores
    from privacy_api.settings import Settings

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Directory of the service (cuts, policies, ledger).", envvar="PRIVACY_API_HOME"),
]


@contextmanager
def refusals() -> Iterator[None]:
    """Errors that a person can mend become one message and exit code 1; others stay what they are."""
    from privacy_api.bootstrap import REFUSALS

    try:
        yield
    except REFUSALS as refused:
        fail(str(refused))


@contextmanager
def stores_for(home: Path | None, mode: str | None) -> Iterator[Stores]:
    """The service's stores, closed afterwards; refusals are told."""
    with refusals():
        from privacy_api.bootstrap import open_stores

        opened = open_stores(settings_for(home, mode=mode))
        try:
            yield opened
        finally:
            opened.close()


def console_actor() -> str:
    """Whoever sits at the console, for the record."""
    import getpass
    import re

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return "console:" + re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:60]


def fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def settings_for(home: Path | None, **given: object) -> Settings:
    from privacy_api.settings import load_settings

    return load_settings(None, home=home, **given)


def read_catalogue(path: Path) -> str:
    """The text of a catalogue: a file, or a folder of several."""
    from datasets.catalogue_toml import NotBundled, bundle

    try:
        return bundle(path)
    except (NotBundled, OSError) as refused:
        fail(str(refused) if isinstance(refused, NotBundled) else f"{path}: cannot be read")


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: cannot be read ({type(error).__name__})")
