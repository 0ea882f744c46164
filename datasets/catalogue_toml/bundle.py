"""A catalogue in several files as one text, which is what is hashed and kept with the cut."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

CUT = "cut.toml"
FILE = re.compile(r'^file = "((?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+\.csv)"$', re.MULTILINE)
MARK = "'''"


class NotBundled(ValueError):
    """The files are no catalogue yet; the message names the file and what it wants."""


def bundle(path: Path) -> str:
    """The text of a TOML file, or of a folder's: cut.toml first, then the others by name. Code lists in CSV files
    (`file = "codes/la.csv"`, from the TOML file) are put in as texts. Raises NotBundled, OSError."""
    files = _files(path) if path.is_dir() else [path]
    return (
        "\n".join(_with_lists(file).rstrip("\n") + "\n" for file in files) if len(files) > 1 else _with_lists(files[0])
    )


def _files(folder: Path) -> list[Path]:
    if not (folder / CUT).is_file():
        raise NotBundled(f"{folder}: wants a file {CUT}")
    return [folder / CUT, *sorted(file for file in folder.glob("*.toml") if file.name != CUT)]


def _with_lists(file: Path) -> str:
    text = _text(file)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotBundled(f"{file}: not TOML: {error}") from None
    return FILE.sub(lambda found: f"csv = {MARK}\n{_list(file.parent / found[1])}{MARK}", text)


def _list(file: Path) -> str:
    text = _text(file).replace("\r\n", "\n")
    if MARK in text or "\r" in text:
        raise NotBundled(f"{file}: wants lines that end in a newline, and no three quotes in a row")
    return text if text.endswith("\n") else f"{text}\n"


def _text(file: Path) -> str:
    if not file.is_file():
        raise NotBundled(f"{file}: cannot be read: there is no such file")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NotBundled(f"{file}: cannot be read: wants UTF-8") from None
