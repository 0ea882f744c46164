"""The folder of a release: what its files are called, which are a table, and the digest of all of them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synthetic.tiers import Tier

MANIFEST, PAGE, DOCUMENT = "manifest.json", "report.html", "report.json"
MODEL = "model.json"
"""Of a T3 release: what its rows were drawn from."""


def manifest_of(folder: Path) -> dict[str, Any]:
    """Raises ValueError where there is none that can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        Tier(found["tier"]), found["files"].items(), found["claims"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(
            f"{folder / MANIFEST}: wants the manifest that `synthetic make` or `draw` wrote ({wrong})"
        ) from wrong
    return dict(found)


def tree(folder: Path) -> dict[str, str]:
    """The sha256 of each file, by its path in the folder."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def tree_digest(files: Mapping[str, str]) -> str:
    """Of all names and contents."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


def digest_of(manifest: Mapping[str, Any]) -> str:
    """Of all files by name, so of every byte of the data."""
    lines = (f"{name} {one['sha256']}\n" for name, one in sorted(manifest["files"].items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def unlike(folder: Path, make: Callable[[Path], object]) -> list[str]:
    """Files that are not byte for byte what `make` writes into an empty folder; the report is not looked at."""
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch) / "again")
        again = tree(Path(scratch) / "again")
    there = tree(folder)
    names = (there.keys() | again.keys()) - {PAGE, DOCUMENT}
    return sorted(name for name in names if there.get(name) != again.get(name))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tables_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The Parquet files of each table, as the manifest names them: those of a folder are one table, by its name."""
    found: dict[str, list[str]] = {}
    for name in sorted(manifest["files"]):
        folder, _, file = name.rpartition("/")
        if file.endswith(".parquet"):
            found.setdefault(folder or file.removesuffix(".parquet"), []).append(name)
    return found
