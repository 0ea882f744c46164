"""What a published cut says of itself. Row counts are exact: a manifest is as secret as the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 2
"""Of versions; 1 had one database for all data sets, and cannot be served by this program."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, by its name without folders."""

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
    """rows: records of the files. periods: how many of them each time period has; none where there is no time.

    database: the DuckDB file, where that is the engine; parquet: the files of Spark, where it is.
    parts: names of what was kept of the files (see `parts`), in their order. made_of: a hash of all that the database
    was made of; a later version with the same has the same file. release: the stage of the release, e.g. "amended".
    releases: (stage, month) of each release that the catalogue tells of.
    """

    rows: int
    files: tuple[SourceFile, ...]
    database: SourceFile | None
    periods: Mapping[str, int]
    parts: tuple[str, ...]
    made_of: str
    release: str | None
    releases: tuple[tuple[str, str], ...]
    cubes: tuple[CubeFile, ...] = ()
    parquet: tuple[SourceFile, ...] = ()

    @property
    def written(self) -> tuple[SourceFile, ...]:
        """Files of the version that hold exact numbers of its rows: the database or its like, and count cubes."""
        return (*self.stored, *(cube.file for cube in self.cubes))

    @property
    def stored(self) -> tuple[SourceFile, ...]:
        """Files of the rows themselves."""
        return self.parquet if self.database is None else (self.database,)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that ingest did to `count` values, e.g. rule "rounded"."""

    rule: str
    data_set: str
    about: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """created: UTC, ISO 8601. engine: what serves the data, "duckdb" or "spark". tool: versions of what made them."""

    cut: str
    title: str
    synthetic: bool
    version: str
    created: str
    catalogue_sha256: str
    engine: str
    data_sets: Mapping[str, DataSetFacts]
    notes: tuple[Note, ...]
    tool: Mapping[str, str]
    format: int = FORMAT

    @property
    def written(self) -> tuple[SourceFile, ...]:
        """Files of the version that hold exact numbers of its rows."""
        return tuple(file for facts in self.data_sets.values() for file in facts.written)

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def read(cls, text: str) -> Manifest:
        """Raises ValueError, TypeError, KeyError or AttributeError where the text is no manifest."""
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ValueError("another format")
        return cls(
            **raw
            | {
                "data_sets": {key: _facts(value) for key, value in raw["data_sets"].items()},
                "notes": tuple(Note(**note) for note in raw["notes"]),
            }
        )


def _facts(raw: Mapping[str, Any]) -> DataSetFacts:
    return DataSetFacts(
        **dict(raw)
        | {
            "files": tuple(SourceFile(**file) for file in raw["files"]),
            "database": raw["database"] and SourceFile(**raw["database"]),
            "parquet": tuple(SourceFile(**file) for file in raw["parquet"]),
            "parts": tuple(raw["parts"]),
            "releases": tuple((stage, month) for stage, month in raw["releases"]),
            "cubes": tuple(CubeFile(tuple(cube["axes"]), SourceFile(**cube["file"])) for cube in raw["cubes"]),
        }
    )
