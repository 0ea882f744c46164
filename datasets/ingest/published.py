"""Published cuts, as the service finds them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from datasets.ingest.folder import CATALOGUE, CURRENT, DATABASE, MANIFEST, PARQUET
from datasets.ingest.manifest import Manifest

CUT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
VERSION = re.compile(r"[1-9][0-9]{0,8}")


class CutNotFound(LookupError):
    """Nothing is published under this id."""


class CutDamaged(Exception):
    """What is published is not what ingest wrote. Nobody may query it; publish again, or restore it."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a cut. path: its folder; database, parquet: the immutable DuckDB file or the folder of Parquet files
    in it, of which the manifest's engine reads one.
    """

    cut: str
    version: str
    path: Path
    database: Path
    catalogue_text: str
    manifest: Manifest

    @property
    def parquet(self) -> Path:
        return self.path / PARQUET

    @property
    def report_text(self) -> str:
        """What was ingested, for the custodian: rows are exact, so it is not for anybody else."""
        facts = self.manifest.data_sets.items()
        lines = [f"{name}: {of.rows:,} records of {', '.join(f.name for f in of.files)}" for name, of in facts]
        notes = [
            f"{n.data_set}.{n.about}: {n.count:,} values {n.rule}"
            if n.about
            else f"{n.data_set}: {n.count:,} records {n.rule}"
            for n in self.manifest.notes
        ]
        return "\n".join([*lines, *notes])


def list_cuts(cuts: Path) -> tuple[str, ...]:
    """Ids of the cuts that have a current version."""
    if not cuts.is_dir():
        return ()
    return tuple(sorted(p.name for p in cuts.iterdir() if CUT.fullmatch(p.name) and (p / CURRENT).is_file()))


def open_current(cuts: Path, cut: str, check: bool = False) -> Published:
    """The current version; raises CutNotFound or CutDamaged. check: read its database and cubes, to compare sha256."""
    if not CUT.fullmatch(cut) or not (cuts / cut / CURRENT).is_file():
        raise CutNotFound(f"no cut {cut!r} is published")
    version = (cuts / cut / CURRENT).read_text(errors="replace").strip()
    if not VERSION.fullmatch(version):
        raise CutDamaged(f"cut {cut}: '{CURRENT}' names no version")
    return open_version(cuts, cut, version, check)


def open_version(cuts: Path, cut: str, version: str, check: bool = False) -> Published:
    path = cuts / cut / version
    try:
        manifest = Manifest.read((path / MANIFEST).read_text(encoding="utf-8"))
        text = (path / CATALOGUE).read_bytes().decode()
        sizes = [(path / file.name).stat().st_size for file in manifest.written]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CutDamaged(f"cut {cut}, version {version}: a file is missing or unreadable") from None
    published = Published(cut, version, path, path / DATABASE, text, manifest)
    if (manifest.cut, manifest.version) != (cut, version):
        raise CutDamaged(f"cut {cut}, version {version}: the manifest is of another cut or version")
    if hashlib.sha256(text.encode()).hexdigest() != manifest.catalogue_sha256:
        raise CutDamaged(f"cut {cut}, version {version}: the catalogue is not the one that was ingested")
    for file, size in zip(manifest.written, sizes, strict=True):
        if size != file.bytes or (check and sha256(path / file.name) != file.sha256):
            data = file.name == DATABASE or file.name.startswith(f"{PARQUET}/")
            what = "the database" if data else f"the count cube {file.name}"
            raise CutDamaged(f"cut {cut}, version {version}: {what} is not the one that was written")
    return published


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
