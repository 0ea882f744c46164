"""A signed release is put on a shelf, where a service finds it: all of it, or nothing that anybody sees.

    SHELF/ID/signed/   the folder, byte for byte as it was signed; ID begins its digest
    SHELF/ID/tables/   each of its tables as one Parquet file

All is made in a hidden folder beside it, which gets its name when every byte is on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from datasets.durable import sync
from synthetic.folder import MANIFEST, tables_of, tree, tree_digest
from synthetic.tables import joined

SIGNED, TABLES = "signed", "tables"
COMING = ".coming"
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,99}")


def id_of(digest: str) -> str:
    """What a release is called, on the shelf and in addresses."""
    return digest[:16]


def publish(folder: Path, shelf: Path, digest: str) -> str:
    """The digest of its tables. Raises ValueError where the folder is not the one that was signed, or has no tables.

    A release that is there already is replaced.
    """
    shelf.mkdir(exist_ok=True)
    with _alone(shelf):
        coming, there = shelf / COMING, shelf / id_of(digest)
        shutil.rmtree(coming, ignore_errors=True)  # of somebody who was killed
        shutil.copytree(folder, coming / SIGNED)
        files = tree(coming / SIGNED)
        if tree_digest(files) != digest:
            raise ValueError(f"{folder}: has changed since it was signed")
        _write_tables(coming, files.keys())
        found = tree_digest(tree(coming / TABLES))
        _to_disk(coming)
        if there.exists():
            shutil.rmtree(there)
        coming.rename(there)
        sync(shelf)
        return found


def _write_tables(coming: Path, files: Set[str]) -> None:
    """files: by their paths in the folder, so that nothing from elsewhere becomes a table."""
    manifest = json.loads((coming / SIGNED / MANIFEST).read_text(encoding="utf-8"))
    tables = tables_of(manifest)
    if not tables or not all(map(_TABLE.fullmatch, tables)) or not files >= {*chain(*tables.values())}:
        raise ValueError(f"{MANIFEST}: wants Parquet files, in folders that are named as their data sets")
    (coming / TABLES).mkdir()
    for name, parts in tables.items():
        joined([coming / SIGNED / part for part in parts], coming / TABLES / f"{name}.parquet")


@contextmanager
def _alone(shelf: Path) -> Iterator[None]:
    """The lock goes with the process that has it."""
    descriptor = os.open(shelf / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
