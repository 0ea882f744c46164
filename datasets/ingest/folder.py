"""The folder of a cut: a version is built beside the others and appears whole, or nothing is left behind."""

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

from datasets.ingest.database import IngestFailed

BUILD = ".build-"
CURRENT = "current"
DATABASE = "cut.duckdb"
MANIFEST = "manifest.json"
PARQUET = "parquet"
CATALOGUE = "catalogue.toml"
SECRET = "ranks.secret"  # noqa: S105 — the name of a file
"""What ranks and record keys of a cut are drawn with: beside the versions, in none of them, and shared by all."""
HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Build:
    """A temporary folder within the cut's folder, and within it `new`, the version to be."""

    cut: Path
    path: Path

    @property
    def new(self) -> Path:
        return self.path / "new"

    def add(self, name: str, text: str) -> None:
        (self.new / name).write_bytes(text.encode())

    def next_version(self) -> str:
        taken = (int(p.name) for p in self.cut.iterdir() if p.name.isascii() and p.name.isdigit())
        return str(max(taken, default=0) + 1)

    def secret(self) -> str:
        """The cut's secret, 32 bytes in hex: as it was kept, or a new one, to be kept when the version is published."""
        kept, drawn = self.cut / SECRET, self.path / SECRET
        if kept.exists():
            text = kept.read_text(errors="replace").strip()
            if not HEX.fullmatch(text):
                raise IngestFailed(f"{SECRET} of the cut is damaged: restore it, or remove it to have a new one drawn")
            return text
        text = secrets.token_hex(32)
        with open(drawn, "x", opener=lambda name, flags: os.open(name, flags, 0o600), encoding="ascii") as file:
            file.write(f"{text}\n")
        return text

    def publish(self, version: str) -> Path:
        """Move the version to its place; then, and only then, point to it. Each step is on the disk before the next."""
        drawn = self.path / SECRET
        for path in self.new.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
            _sync(path)
        _sync(self.new)
        if drawn.exists():
            _sync(drawn)
            drawn.rename(self.cut / SECRET)
        home = self.new.rename(self.cut / version)
        pointer = self.path / CURRENT
        pointer.write_text(f"{version}\n")
        pointer.chmod(0o600)
        _sync(pointer)
        _sync(self.cut)
        pointer.replace(self.cut / CURRENT)
        _sync(self.cut)
        return home


@contextmanager
def building(cuts: Path, cut: str) -> Iterator[Build]:
    """The folder to build in, which is gone afterwards, as is all that was made for it and stayed empty."""
    home = cuts / cut
    made = [folder for folder in (cuts, home) if not folder.exists()]
    try:
        with _locked(home) as folder:
            # Nobody else builds here now: what is left over is of a run that was killed.
            for left in folder.glob(f"{BUILD}*"):
                shutil.rmtree(left)
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


@contextmanager
def _locked(home: Path) -> Iterator[Path]:
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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
