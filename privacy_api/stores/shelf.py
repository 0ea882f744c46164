"""Synthetic releases in a directory, as `synthetic.publish` puts them there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from privacy_api.ports import Shelved, ShelvedTable
from synthetic.folder import DOCUMENT, MANIFEST, PAGE, tables_of, tree, tree_digest
from synthetic.publish import SIGNED, TABLES, id_of, publish
from synthetic.tables import write_csv
from synthetic.tiers import Tier

_ID = re.compile("[0-9a-f]{16}")
Stamp = tuple[tuple[str, int, int, int], ...]


class FolderShelf:
    """The port `Shelf`. Files are hashed when they are first seen, and again when their size, place on the disk or time
    of the last change (which nobody can set) is another. Meanwhile others see what was there before: nobody waits, so
    that nobody's threads are used up. CSV is made when it is first asked for, in a directory that goes with the
    process."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._looking, self._writing = folder, Lock(), Lock()
        self._seen: Mapping[str, tuple[Stamp, Shelved | None]] = {}
        self._scratch: Path | None = None

    def put(self, folder: Path, digest: str) -> str:
        return publish(folder, self._folder, digest)

    def releases(self) -> list[Shelved]:
        if self._looking.acquire(blocking=False):
            try:
                self._seen = {name: self._looked(name) for name in self._names()}
            finally:
                self._looking.release()
        return [found for _, found in self._seen.values() if found is not None]

    def csv(self, table: ShelvedTable) -> Path:
        with self._writing:
            made = self._scratch_here() / f"{table.sha256}.csv"
            if not made.is_file():
                write_csv(table.parquet, made.with_suffix(".coming")).rename(made)
            return made

    def _names(self) -> list[str]:
        there = self._folder.iterdir() if self._folder.is_dir() else ()
        return sorted(p.name for p in there if _ID.fullmatch(p.name))

    def _scratch_here(self) -> Path:
        if self._scratch is None or not self._scratch.is_dir():  # machines tidy away what is temporary
            self._scratch = Path(tempfile.mkdtemp(prefix="synthetic-csv-"))
            weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        return self._scratch

    def _looked(self, name: str) -> tuple[Stamp, Shelved | None]:
        try:
            stamp = tuple(_stamps(self._folder / name))
        except OSError:  # it is being taken back
            return (), None
        if name in self._seen and self._seen[name][0] == stamp:
            return self._seen[name]
        return stamp, _read(self._folder / name)


def _stamps(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    for path in sorted(folder.rglob("*")):
        found = path.stat()
        yield str(path.relative_to(folder)), found.st_size, found.st_ctime_ns, found.st_ino


def _read(folder: Path) -> Shelved | None:
    """None where it is no release, or not the one that its name says."""
    try:
        signed, tables = tree(folder / SIGNED), tree(folder / TABLES)
        digest, page = tree_digest(signed), (folder / SIGNED / PAGE).read_bytes()
        if id_of(digest) != folder.name or hashlib.sha256(page).hexdigest() != signed[PAGE]:
            return None
        manifest, report = (
            json.loads((folder / SIGNED / name).read_text(encoding="utf-8")) for name in (MANIFEST, DOCUMENT)
        )
        _refuse_untold(manifest, report["about"])
        found = {
            name: _table(folder / TABLES / f"{name}.parquet", sum(manifest["files"][p]["rows"] for p in parts), tables)
            for name, parts in tables_of(manifest).items()
        }
        return Shelved(folder.name, digest, tree_digest(tables), manifest, report, page, found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _refuse_untold(manifest: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """What cannot be told of must keep nobody from the others. Raises ValueError, KeyError, TypeError."""
    Tier(manifest["tier"])
    if {type(each) for each in (manifest["keeps"], about["title"], about["release"])} != {str}:
        raise ValueError("wants texts")
    if type(about["pupils"]) is not int:
        raise ValueError("wants a number")


def _table(parquet: Path, rows: int, hashes: dict[str, str]) -> ShelvedTable:
    return ShelvedTable(parquet.stem, parquet, rows, parquet.stat().st_size, hashes[parquet.name])
