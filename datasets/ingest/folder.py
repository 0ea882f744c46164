"""The folder of a cut: a version is built beside the others and appears whole, or nothing of it is left behind.

What stays whatever becomes of a run is the secret, the map of pupils and the parts: files that were read, kept so that
they need not be read again. None of them is a version, and nobody can query them.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from datasets.durable import sync
from datasets.ingest.database import IngestFailed

BUILD = ".build-"
CURRENT = "current"
MANIFEST = "manifest.json"
PARQUET = "parquet"
CATALOGUE = "catalogue.toml"
PARTS = "parts"
UNITS = "units.duckdb"
SECRET = "ranks.secret"  # noqa: S105 — the name of a file
"""What pseudonyms, ranks and record keys of a cut are drawn with: beside the versions, in none, and shared by all."""
HEX = re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"[1-9][0-9]{0,8}")


def database_name(data_set: str) -> str:
    return f"{data_set}.duckdb"


@dataclass(frozen=True, slots=True)
class Build:
    """A temporary folder within the cut's folder, and within it `new`, the version to be."""

    cut: Path
    path: Path

    @property
    def new(self) -> Path:
        return self.path / "new"

    @property
    def parts(self) -> Path:
        return self.cut / PARTS

    def add(self, name: str, text: str) -> None:
        (self.new / name).write_bytes(text.encode())

    def next_version(self) -> str:
        return str(max(map(int, versions(self.cut)), default=0) + 1)

    def secret(self) -> str:
        """The cut's secret, 32 bytes in hex: as it was kept, or a new one, which is on the disk before it is used."""
        kept, drawn = self.cut / SECRET, self.path / SECRET
        if kept.exists():
            text = kept.read_text(errors="replace").strip()
            if not HEX.fullmatch(text):
                raise IngestFailed(f"{SECRET} of the cut is damaged: restore it, or remove it to have a new one drawn")
            return text
        text = secrets.token_hex(32)
        with open(drawn, "x", opener=lambda name, flags: os.open(name, flags, 0o600), encoding="ascii") as file:
            file.write(f"{text}\n")
        self.keep(drawn, kept)
        return text

    def keep(self, made: Path, kept: Path) -> None:
        """Move a file to where it outlives this run, whole and readable by its owner alone."""
        made.chmod(0o600)
        sync(made)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        made.replace(kept)
        sync(kept.parent)

    def publish(self, version: str) -> Path:
        """Move the version to its place; then, and only then, point to it. Each step is on the disk before the next."""
        for path in self.new.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
            sync(path)
        sync(self.new)
        home = self.new.rename(self.cut / version)
        pointer = self.path / CURRENT
        pointer.write_text(f"{version}\n")
        pointer.chmod(0o600)
        sync(pointer)
        sync(self.cut)
        pointer.replace(self.cut / CURRENT)
        sync(self.cut)
        return home


def versions(cut: Path) -> tuple[str, ...]:
    """Versions that are there, in order."""
    return tuple(sorted((p.name for p in cut.iterdir() if VERSION.fullmatch(p.name)), key=int))


@contextmanager
def building(cuts: Path, cut: str) -> Iterator[Build]:
    """The folder to build in, which is gone afterwards, as is all that was made for it and stayed empty."""
    home = cuts / cut
    made = [folder for folder in (cuts, home) if not folder.exists()]
    try:
        with locked(home) as folder:
            remove_leftovers(folder)
            path = Path(mkdtemp(prefix=BUILD, dir=folder))
            try:
                (path / "new").mkdir(mode=0o700)
                yield Build(folder, path)
            finally:
                shutil.rmtree(path, ignore_errors=True)
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


def remove_leftovers(home: Path) -> None:
    """Of runs that were killed. Whoever calls holds the lock: nobody else builds here now."""
    for left in home.glob(f"{BUILD}*"):
        shutil.rmtree(left)


@contextmanager
def locked(home: Path) -> Iterator[Path]:
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    home.chmod(0o700)
    descriptor = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IngestFailed("another ingest of this cut is running") from None
        yield home
    finally:
        os.close(descriptor)
