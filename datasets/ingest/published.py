"""Published cuts, as the service finds them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from datasets.ingest.folder import CATALOGUE, CURRENT, MANIFEST, PARQUET, VERSION, versions
from datasets.ingest.manifest import Manifest, SourceFile

CUT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class CutNotFound(LookupError):
    """Nothing is published under this id."""


class CutDamaged(Exception):
    """What is published is not what ingest wrote. Nobody may query it; publish again, or restore it."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a cut. path: its folder."""

    cut: str
    version: str
    path: Path
    catalogue_text: str
    manifest: Manifest

    @property
    def databases(self) -> dict[str, Path]:
        """Data set → the immutable DuckDB file with its table; none where the engine is Spark."""
        facts = self.manifest.data_sets.items()
        return {name: self.path / of.database.name for name, of in facts if of.database is not None}

    @property
    def parquet(self) -> Path:
        """The folder of the immutable Parquet files, where the engine is Spark."""
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
    """The current version; raises CutNotFound or CutDamaged. check: read its databases and cubes, to compare sha256."""
    if not CUT.fullmatch(cut) or not (cuts / cut / CURRENT).is_file():
        raise CutNotFound(f"no cut {cut!r} is published")
    version = (cuts / cut / CURRENT).read_text(errors="replace").strip()
    if not VERSION.fullmatch(version):
        raise CutDamaged(f"cut {cut}: '{CURRENT}' names no version")
    if not (cuts / cut / version).is_dir():
        raise CutDamaged(f"cut {cut}, version {version}: a file is missing, unreadable or of another release")
    return open_version(cuts, cut, version, check)


def list_versions(cuts: Path, cut: str) -> tuple[Manifest, ...]:
    """Manifests of all versions that can be read, in order."""
    found = []
    for version in versions(cuts / cut):
        try:
            found.append(Manifest.read((cuts / cut / version / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return tuple(found)


def open_version(cuts: Path, cut: str, version: str, check: bool = False) -> Published:
    path, which = cuts / cut / version, f"cut {cut}, version {version}"
    if not CUT.fullmatch(cut) or not VERSION.fullmatch(version) or not path.is_dir():
        raise CutNotFound(f"{which}: there is none")
    try:
        manifest = Manifest.read((path / MANIFEST).read_text(encoding="utf-8"))
        text = (path / CATALOGUE).read_bytes().decode()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CutDamaged(f"{which}: a file is missing, unreadable or of another release: publish again") from None
    published = Published(cut, version, path, text, manifest)
    if (manifest.cut, manifest.version) != (cut, version):
        raise CutDamaged(f"{which}: the manifest is of another cut or version")
    if hashlib.sha256(text.encode()).hexdigest() != manifest.catalogue_sha256:
        raise CutDamaged(f"{which}: the catalogue is not the one that was ingested")
    for name, facts in manifest.data_sets.items():
        for file in facts.written:
            if not is_file(path, file, check):
                what = f"the database of {name}" if file in facts.stored else f"the count cube {file.name}"
                raise CutDamaged(f"{which}: {what} is not the one that was written")
    return published


def is_file(folder: Path, file: SourceFile, check: bool) -> bool:
    """Whether it is there, of its size and, on `check`, of its content."""
    path = folder / file.name
    if ".." in Path(file.name).parts or not path.is_file() or path.stat().st_size != file.bytes:
        return False
    return not check or sha256(path) == file.sha256


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
