"""A data set's files, as parts that are attached to the scratch database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database
from datasets.ingest.folder import Build
from datasets.ingest.manifest import SourceFile
from datasets.ingest.parts import Part, kept_part, key_of, make_part
from datasets.ingest.read import RECORD, Unusable, described, part_columns, state
from datasets.ingest.report import Place, Problem
from datasets.ingest.rules import EMPTY_DATA_SET, EMPTY_FILE, NO_FILE
from datasets.ingest.sql import Sql, listed, name, sql

PLACE = name("?place")
"""Where a record comes from: the number of the file, shifted by FILE_BITS, plus the record's number in it."""
FILE_BITS = 40
Tell = Callable[[str, bool], None]
"""Is told of each file, by its name, and whether its part is there already."""


@dataclass(frozen=True, slots=True)
class Staged:
    """paths: of all files given. parts: number of the path → the part of it, of those that could be read; files: what
    they are. problems: of the others."""

    data_set: DataSet
    paths: tuple[Path, ...]
    parts: Mapping[int, Part]
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts.values())

    @property
    def part_keys(self) -> tuple[str, ...]:
        return tuple(part.key for part in self.parts.values())

    @property
    def texts(self) -> Sql:
        """A query of the texts of all parts: file, place (of the column, see `part_columns`), text, records."""
        query = "SELECT {file}::UBIGINT AS file, * FROM {texts}"
        each = (sql(query, file=Sql(str(i)), texts=part.table("texts")) for i, part in self.parts.items())
        return sql("({all})", all=listed(each, " UNION ALL "))

    def records(self, files: Sequence[int] | None = None) -> Sql:
        """A query of the rows of the parts of these files, or of all: "?place", "unit" and the texts."""
        shown = listed([name(UNIT), *part_columns(self.data_set).values()])
        query = "SELECT {start}::UBIGINT + {record} AS {place}, {shown} FROM {rows}"
        each = (
            sql(query, start=Sql(str(i << FILE_BITS)), record=RECORD, place=PLACE, shown=shown, rows=part.table("rows"))
            for i, part in self.parts.items()
            if files is None or i in files
        )
        return sql("({all})", all=listed(each, " UNION ALL "))

    def places(self, found: Sequence[int]) -> tuple[Place, ...]:
        return tuple(Place(self.paths[p >> FILE_BITS].name, p & ((1 << FILE_BITS) - 1)) for p in found)


def stage(
    database: Database, build: Build, data_set: DataSet, paths: Sequence[Path], secret: str, tell: Tell
) -> Staged:
    """Every file has a part afterwards, new or kept, or a problem."""
    problems = [] if paths else [Problem(NO_FILE, data_set.id)]
    parts, files = dict[int, Part](), list[SourceFile]()
    for i, path in enumerate(paths):
        try:
            before = state(path)
            file = described(path, data_set, files)
            parts[i] = _part(database, build, data_set, path, file, f"{data_set.id}:{i}", secret, tell, before)
        except Unusable as unusable:
            problems += unusable.problems
        else:
            files.append(file)
    if problems and {p.rule for p in problems} == {EMPTY_FILE} and not parts:
        problems.append(Problem(EMPTY_DATA_SET, data_set.id))
    return Staged(data_set, tuple(paths), parts, tuple(files), tuple(problems))


def _part(
    database: Database,
    build: Build,
    data_set: DataSet,
    path: Path,
    file: SourceFile,
    alias: str,
    secret: str,
    tell: Tell,
    before: object,
) -> Part:
    """before: the file's state when it was not yet described."""
    key = key_of(file, data_set, secret)
    kept = kept_part(database, build, key, alias)
    tell(path.name, kept is not None)
    return kept or make_part(database, build, data_set, path, key, alias, secret, before)
