"""What a published cut says of itself. Row counts are exact: a manifest is as secret as the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was ingested, by its name without folders."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CubeFile:
    """A count cube of a data set. axes: its variables, in order; file: of the version."""

    axes: tuple[str, ...]
    file: SourceFile


@dataclass(frozen=True, slots=True)
class DataSetFacts:
    rows: int
    files: tuple[SourceFile, ...]
    cubes: tuple[CubeFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something that ingest did to `count` values, e.g. rule "rounded"."""

    rule: str
    data_set: str
    about: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """created: UTC, ISO 8601. tool: versions of what made it. engine: which one reads the data: "duckdb", from
    `database`, or "spark", from the Parquet files in `files`.
    """

    cut: str
    title: str
    synthetic: bool
    version: str
    created: str
    catalogue_sha256: str
    database: SourceFile | None
    data_sets: Mapping[str, DataSetFacts]
    notes: tuple[Note, ...]
    tool: Mapping[str, str]
    engine: str = "duckdb"
    files: tuple[SourceFile, ...] = ()

    @property
    def written(self) -> tuple[SourceFile, ...]:
        """Files of the version that hold exact numbers of its rows: the database or its like, and count cubes."""
        return (
            *filter(None, [self.database]),
            *self.files,
            *(cube.file for facts in self.data_sets.values() for cube in facts.cubes),
        )

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def read(cls, text: str) -> Manifest:
        """Raises ValueError, TypeError, KeyError or AttributeError where the text is no manifest."""
        raw = json.loads(text)
        return cls(
            **raw
            | {
                "database": raw["database"] and SourceFile(**raw["database"]),
                "files": tuple(SourceFile(**file) for file in raw.get("files", ())),
                "data_sets": {key: _facts(value) for key, value in raw["data_sets"].items()},
                "notes": tuple(Note(**note) for note in raw["notes"]),
            }
        )


def _facts(raw: Mapping[str, Any]) -> DataSetFacts:
    cubes = tuple(CubeFile(tuple(cube["axes"]), SourceFile(**cube["file"])) for cube in raw.get("cubes", ()))
    return DataSetFacts(raw["rows"], tuple(SourceFile(**file) for file in raw["files"]), cubes)
