"""Synthetic releases that were put out to be read and downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ShelvedTable:
    """One Parquet file. sha256: of its bytes, as they were when the shelf last looked."""

    name: str
    parquet: Path
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """What lies in one folder; whether it may be shown is for the record to say.

    digest: of what was signed; tables_digest: of the tables. manifest, report: as their files have them. page: the
    report to be read.
    """

    id: str
    digest: str
    tables_digest: str
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]
    page: bytes
    tables: Mapping[str, ShelvedTable]


class Shelf(Protocol):
    def put(self, folder: Path, digest: str) -> str:
        """Copy a signed folder here, whole or not at all; the digest of its tables. ValueError if it has changed."""
        ...

    def releases(self) -> Sequence[Shelved]:
        """All there are, with the digests of their bytes as they are now."""
        ...

    def csv(self, table: ShelvedTable) -> Path:
        """The same rows as a CSV file."""
        ...


class BareShelf:
    """Where nothing is put out."""

    def put(self, folder: Path, digest: str) -> str:
        raise ValueError("there is no place for synthetic releases here")

    def releases(self) -> Sequence[Shelved]:
        return ()

    def csv(self, table: ShelvedTable) -> Path:
        raise ValueError("there is no table here")
