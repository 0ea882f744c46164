"""Ingest, stage by stage: read what is new, code, check, write what changed, verify, publish."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

import duckdb

from datasets.catalogue import Catalogue, DataSet
from datasets.ingest.checks import check, too_many
from datasets.ingest.coding import code
from datasets.ingest.columns import create_types
from datasets.ingest.cubes import keep_cubes, write_cubes
from datasets.ingest.database import Database, IngestFailed, scratch
from datasets.ingest.essence import made_of
from datasets.ingest.folder import CATALOGUE, MANIFEST, UNITS, Build, building, database_name
from datasets.ingest.manifest import DataSetFacts, Manifest, Note, SourceFile
from datasets.ingest.published import CutDamaged, CutNotFound, Published, is_file, open_current, open_version, sha256
from datasets.ingest.report import IngestRefused, Problem, Report
from datasets.ingest.rules import BEYOND_BOUND, UNKNOWN_DATA_SET
from datasets.ingest.slices import periods
from datasets.ingest.staged import Staged, stage
from datasets.ingest.units import unit_map
from datasets.ingest.write import in_order, verify, write

PACKAGE = "privacy-controlling-api"
ENGINE = "duckdb"


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
    releases: Mapping[str, str] | None = None,
) -> Published:
    """Check the files of every data set against the catalogue and publish them as the cut's next version.

    A file that an earlier run has read is not read again, and a table that would be the same is not written again.
    releases: data set → stage of the release of its files, e.g. "amended", one of its `releases`; where none is given,
    files that are the same are of the same release.
    Raises IngestRefused with all problems of the files, or IngestFailed; either way no version is left behind.
    """
    if hashlib.sha256(catalogue_text.encode()).hexdigest() != catalogue.digest:
        raise ValueError("catalogue_text is not the text that the catalogue was read from")
    _check_releases(catalogue, releases or {})
    files = sum(len(sources.get(d.id, ())) for d in catalogue.data_sets)
    steps = _Steps(progress or Silent(), files + 4 * len(catalogue.data_sets) + 1)
    try:
        with building(cuts, catalogue.cut) as build:
            run = _Run(build, catalogue, _before(cuts, catalogue.cut), steps, releases or {})
            with scratch(build.path, memory_limit, threads) as database:
                data_sets, notes = run.build(database, sources)
            steps.begin("publish")
            manifest = _describe(build, catalogue, data_sets, notes)
            build.add(CATALOGUE, catalogue_text)
            build.add(MANIFEST, manifest.text())
            build.publish(manifest.version)
    except OSError as error:
        raise IngestFailed(f"a file could not be read or written: {error.strerror}") from None
    steps.begin("published")
    return open_version(cuts, catalogue.cut, manifest.version)


class _Run:
    """One run of ingest. before: the current version, if there is one that is whole."""

    def __init__(
        self, build: Build, catalogue: Catalogue, before: Published | None, steps: _Steps, releases: Mapping[str, str]
    ) -> None:
        self._build, self._catalogue, self._before, self._steps = build, catalogue, before, steps
        self._releases = releases
        self._secret = build.secret()

    def build(
        self, database: Database, sources: Mapping[str, Sequence[Path]]
    ) -> tuple[dict[str, DataSetFacts], tuple[Note, ...]]:
        """The databases of the version to be, and what is to be said of them; or IngestRefused."""
        with unit_map(database, self._build.cut / UNITS, self._secret):
            staged = {d.id: self._stage(database, d, sources.get(d.id, ())) for d in self._catalogue.data_sets}
            hashes = made_of(staged, self._secret)
            same = {key: kept for key in staged if (kept := self._same(key, hashes[key]))}
            report = self._check(database, staged, same, sources)
            if report.problems:
                raise IngestRefused(report)
            notes = self._notes(report, same)
            beyond = {note.data_set: note.count for note in notes if note.rule == BEYOND_BOUND.name}
            facts = {key: self._linked(same[key], staged[key]) for key in same}
            new = [d.id for d in in_order(self._catalogue.data_sets) if d.id not in same]
            problems = [problem for key in new for problem in self._write(database, staged, key)]
            if problems:
                raise IngestRefused(Report.of(problems))
            facts |= {key: self._closed(database, staged[key], hashes[key], beyond.get(key, 0)) for key in new}
        return {key: facts[key] for key in staged}, notes

    def _stage(self, database: Database, data_set: DataSet, paths: Sequence[Path]) -> Staged:
        def tell(file: str, kept: bool) -> None:
            self._steps.begin(f"{'know' if kept else 'read'} {data_set.id} {file}")

        return stage(database, self._build, data_set, paths, self._secret, tell)

    def _same(self, key: str, made: str) -> DataSetFacts | None:
        """What the current version says of a data set whose table would be the same."""
        facts = self._before.manifest.data_sets.get(key) if self._before else None
        if facts is None or self._before is None or facts.made_of != made:
            return None
        whole = all(is_file(self._before.path, file, check=True) for file in facts.written)
        return facts if whole else None

    def _check(
        self,
        database: Database,
        staged: Mapping[str, Staged],
        same: Mapping[str, DataSetFacts],
        sources: Mapping[str, Sequence[Path]],
    ) -> Report:
        """A table that is the same has passed all checks already, but for `max_rows`, which it is not made of."""
        for key, one in staged.items():
            self._steps.begin(f"code {key}")
            if one.parts:
                create_types(database, one.data_set)
                code(database, one)
        found = [Problem(UNKNOWN_DATA_SET, key) for key in sources if key not in staged]
        for key, one in staged.items():
            self._steps.begin(f"check {key}")
            found += one.problems
            found += too_many(one) if key in same else check(database, one, staged)
        return Report.of(found)

    def _notes(self, report: Report, same: Mapping[str, DataSetFacts]) -> tuple[Note, ...]:
        before = [note for note in (self._before.manifest.notes if self._before else ()) if note.data_set in same]
        every = [*before, *(Note(n.rule.name, n.data_set, n.about, n.count) for n in report.notes)]
        return tuple(note for d in self._catalogue.data_sets for note in every if note.data_set == d.id)

    def _write(self, database: Database, staged: Mapping[str, Staged], key: str) -> list[Problem]:
        self._steps.begin(f"write {key}")
        sets = {name: one.data_set for name, one in staged.items()}
        return write(database, staged[key], sets, self._build.new, self._secret)

    def _closed(self, database: Database, staged: Staged, made: str, beyond: int) -> DataSetFacts:
        """What is to be said of a file that was written."""
        data_set, folder, file = staged.data_set, self._build.new, database_name(staged.data_set.id)
        self._steps.begin(f"verify {data_set.id}")
        verify(folder / file, data_set, staged.rows - beyond)
        counted = {period: one.rows for one in periods(database, staged) for period in one.periods}
        return DataSetFacts(
            rows=staged.rows,
            files=staged.files,
            database=SourceFile(file, (folder / file).stat().st_size, sha256(folder / file)),
            periods=counted,
            parts=staged.part_keys,
            made_of=made,
            release=self._release(data_set.id, staged.files),
            releases=data_set.releases,
            cubes=write_cubes(folder / file, data_set, folder),
        )

    def _linked(self, facts: DataSetFacts, staged: Staged) -> DataSetFacts:
        """The same file under another name: it takes no room, and stays when the other version is removed."""
        if self._before is None:
            raise ValueError("nothing to link to")
        self._steps.begin(f"keep {staged.data_set.id}")
        before, new = self._before.path, self._build.new
        os.link(before / facts.database.name, new / facts.database.name)
        cubes = keep_cubes(before, facts, staged.data_set, new)
        self._steps.begin(f"kept {staged.data_set.id}")
        return replace(
            facts,
            files=staged.files,
            parts=staged.part_keys,
            release=self._release(staged.data_set.id, staged.files),
            releases=staged.data_set.releases,
            cubes=cubes,
        )

    def _release(self, key: str, files: Sequence[SourceFile]) -> str | None:
        before = self._before.manifest.data_sets.get(key) if self._before else None
        same = before is not None and {f.sha256 for f in before.files} == {f.sha256 for f in files}
        return self._releases.get(key, before.release if before and same else None)


def _check_releases(catalogue: Catalogue, releases: Mapping[str, str]) -> None:
    for key, given in releases.items():
        data_set = catalogue.data_set(key)
        stages = [known for known, _ in data_set.releases] if data_set else []
        if given not in stages:
            accepted = f"it has {', '.join(stages)}" if stages else "the catalogue names none of it"
            raise IngestFailed(f"release of {key}: there is no stage {given!r}; {accepted}")


def _before(cuts: Path, cut: str) -> Published | None:
    try:
        return open_current(cuts, cut)
    except (CutNotFound, CutDamaged):
        # A damaged version is no reason not to publish the next one.
        return None


def _describe(
    build: Build, catalogue: Catalogue, data_sets: Mapping[str, DataSetFacts], notes: tuple[Note, ...]
) -> Manifest:
    return Manifest(
        cut=catalogue.cut,
        title=catalogue.title,
        synthetic=catalogue.synthetic,
        version=build.next_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        catalogue_sha256=catalogue.digest,
        engine=ENGINE,
        data_sets=data_sets,
        notes=notes,
        tool={PACKAGE: _own_version(), "duckdb": duckdb.__version__},
    )


def _own_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        # Run from a source tree that is not installed.
        return "unknown"
