"""Ingest, stage by stage: read, number the units, code, check, write, verify, publish."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

import duckdb

from datasets.catalogue import Catalogue
from datasets.ingest.checks import check
from datasets.ingest.coding import code
from datasets.ingest.columns import create_types
from datasets.ingest.cubes import write_cubes
from datasets.ingest.database import Database, IngestFailed, scratch
from datasets.ingest.derived import made_problems
from datasets.ingest.folder import CATALOGUE, DATABASE, MANIFEST, Build, building
from datasets.ingest.manifest import DataSetFacts, Manifest, Note, SourceFile
from datasets.ingest.parquet import write_parquet
from datasets.ingest.published import Published, open_version, sha256
from datasets.ingest.read import Staged, stage
from datasets.ingest.report import IngestRefused, Problem, Report
from datasets.ingest.rules import BEYOND_BOUND, UNKNOWN_DATA_SET
from datasets.ingest.units import number_units
from datasets.ingest.write import finish, in_order, published, verify, write

PACKAGE = "privacy-controlling-api"


class Progress(Protocol):
    def step(self, name: str, done: int, total: int) -> None:
        """`name` begins now, after `done` of `total` steps; the last call has done == total."""
        ...


class Silent:
    def step(self, name: str, done: int, total: int) -> None:
        pass


class _Steps:
    """Counts the steps for a Progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def begin(self, name: str) -> None:
        self._progress.step(name, self._done, self._total)
        self._done += 1


def ingest(
    catalogue: Catalogue,
    catalogue_text: str,
    sources: Mapping[str, Sequence[Path]],
    cuts: Path,
    progress: Progress | None = None,
    memory_limit: str = "1500MB",
    threads: int = 2,
    engine: str = "duckdb",
) -> Published:
    """Check the files of every data set against the catalogue and publish them as the cut's next version.

    engine: "duckdb" or "spark"; for Spark the database becomes Parquet files, and is not kept.
    Raises IngestRefused with all problems of the files, or IngestFailed; either way nothing is left behind.
    """
    if hashlib.sha256(catalogue_text.encode()).hexdigest() != catalogue.digest:
        raise ValueError("catalogue_text is not the text that the catalogue was read from")
    steps = _Steps(progress or Silent(), (3 + (engine == "spark")) * len(catalogue.data_sets) + 4)
    try:
        with building(cuts, catalogue.cut) as build:
            with scratch(build.path, build.new / DATABASE, memory_limit, threads) as database:
                staged, report = _prepare(database, catalogue, sources, steps)
                _write(database, catalogue, build, steps)
            steps.begin("verify")
            verify(build.new / DATABASE, catalogue, _published_rows(staged, report))
            facts = {s.data_set.id: _facts(build, s) for s in staged}
            files = _for_spark(build, catalogue, memory_limit, threads, steps) if engine == "spark" else ()
            steps.begin("publish")
            manifest = _describe(build, catalogue, facts, report, files)
            build.add(CATALOGUE, catalogue_text)
            build.add(MANIFEST, manifest.text())
            build.publish(manifest.version)
    except OSError as error:
        raise IngestFailed(f"a file could not be read or written: {error.strerror}") from None
    steps.begin("published")
    return open_version(cuts, catalogue.cut, manifest.version)


def _prepare(
    database: Database, catalogue: Catalogue, sources: Mapping[str, Sequence[Path]], steps: _Steps
) -> tuple[list[Staged], Report]:
    """Staged and coded data sets without problems, or IngestRefused."""
    staged = []
    for data_set in catalogue.data_sets:
        steps.begin(f"read {data_set.id}")
        staged.append(stage(database, data_set, sources.get(data_set.id, ())))
    steps.begin("number units")
    unit_type = number_units(database, staged)
    create_types(database, catalogue)
    for one in staged:
        steps.begin(f"code {one.data_set.id}")
        if one.tables:
            code(database, one, unit_type)
    steps.begin("check")
    report = Report.of([*_unknown(catalogue, sources), *_found(database, staged)])
    if report.problems:
        raise IngestRefused(report)
    return staged, report


def _unknown(catalogue: Catalogue, sources: Mapping[str, Sequence[Path]]) -> list[Problem]:
    return [Problem(UNKNOWN_DATA_SET, key) for key in sources if catalogue.data_set(key) is None]


def _found(database: Database, staged: Sequence[Staged]) -> list[Problem]:
    return [*(p for s in staged for p in s.problems), *check(database, {s.data_set.id: s for s in staged})]


def _write(database: Database, catalogue: Catalogue, build: Build, steps: _Steps) -> None:
    secret = build.secret() if any(d.key.bounded or d.record_keys for d in catalogue.data_sets) else ""
    sets = {data_set.id: data_set for data_set in catalogue.data_sets}
    problems: list[Problem] = []
    for data_set in in_order(catalogue.data_sets):
        steps.begin(f"write {data_set.id}")
        write(database, data_set, sets, secret)
        problems += made_problems(database, data_set, published(data_set.id))
    if problems:
        raise IngestRefused(Report.of(problems))
    finish(database)


def _published_rows(staged: Sequence[Staged], report: Report) -> dict[str, int]:
    beyond = {note.data_set: note.count for note in report.notes if note.rule == BEYOND_BOUND}
    return {s.data_set.id: s.rows - beyond.get(s.data_set.id, 0) for s in staged}


def _for_spark(
    build: Build, catalogue: Catalogue, memory_limit: str, threads: int, steps: _Steps
) -> tuple[SourceFile, ...]:
    files: list[SourceFile] = []
    for data_set in catalogue.data_sets:
        steps.begin(f"write {data_set.id} for Spark")
        files += write_parquet(build.new / DATABASE, data_set, build.new, memory_limit, threads)
    (build.new / DATABASE).unlink()
    return tuple(files)


def _describe(
    build: Build,
    catalogue: Catalogue,
    data_sets: Mapping[str, DataSetFacts],
    report: Report,
    files: tuple[SourceFile, ...],
) -> Manifest:
    """files: of Spark, where it is to read the data."""
    database = build.new / DATABASE
    return Manifest(
        cut=catalogue.cut,
        title=catalogue.title,
        synthetic=catalogue.synthetic,
        version=build.next_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        catalogue_sha256=catalogue.digest,
        database=None if files else SourceFile(DATABASE, database.stat().st_size, sha256(database)),
        data_sets=data_sets,
        notes=tuple(Note(n.rule.name, n.data_set, n.about, n.count) for n in report.notes),
        tool={PACKAGE: _own_version(), "duckdb": duckdb.__version__},
        engine="spark" if files else "duckdb",
        files=files,
    )


def _facts(build: Build, staged: Staged) -> DataSetFacts:
    return DataSetFacts(staged.rows, staged.files, write_cubes(build.new / DATABASE, staged.data_set, build.new))


def _own_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        # Run from a source tree that is not installed.
        return "unknown"
