"""The files of a version to be: what is new is read, what changed is coded, checked and written, the rest is linked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datasets.catalogue import Catalogue, DataSet
from datasets.ingest.checks import check
from datasets.ingest.coding import code
from datasets.ingest.columns import create_types
from datasets.ingest.cubes import keep_cubes, still_chosen, write_cubes
from datasets.ingest.database import Database
from datasets.ingest.essence import made_of
from datasets.ingest.folder import UNITS, Build, database_name
from datasets.ingest.manifest import DataSetFacts, Note, SourceFile
from datasets.ingest.parquet import write_parquet
from datasets.ingest.progress import Steps
from datasets.ingest.published import Published, is_file, sha256
from datasets.ingest.report import IngestRefused, Problem, Report
from datasets.ingest.rules import BEYOND_BOUND, UNKNOWN_DATA_SET
from datasets.ingest.slices import periods
from datasets.ingest.staged import Staged, stage
from datasets.ingest.units import unit_map
from datasets.ingest.write import in_order, verify, write


@dataclass(frozen=True, slots=True)
class ForSpark:
    """How databases in `folder` become Parquet files there."""

    folder: Path
    memory_limit: str
    threads: int

    def convert(self, data_set: DataSet, facts: DataSetFacts) -> DataSetFacts:
        database = self.folder / database_name(data_set.id)
        parquet = write_parquet(database, data_set, self.folder, self.memory_limit, self.threads)
        database.unlink()
        return replace(facts, database=None, parquet=parquet)


class Making:
    """before: the current version, if one is whole; for_spark: where that is wanted."""

    def __init__(
        self,
        build: Build,
        catalogue: Catalogue,
        before: Published | None,
        steps: Steps,
        releases: Mapping[str, str],
        for_spark: ForSpark | None,
    ) -> None:
        self._build, self._catalogue, self._before, self._steps = build, catalogue, before, steps
        self._releases, self._for_spark = releases, for_spark
        self._secret = build.secret()

    def build(
        self, database: Database, sources: Mapping[str, Sequence[Path]]
    ) -> tuple[dict[str, DataSetFacts], tuple[Note, ...]]:
        """The databases of the version to be, and what is to be said of them; or IngestRefused."""
        with unit_map(database, self._build.cut / UNITS, self._secret):
            staged = {d.id: self._stage(database, d, sources.get(d.id, ())) for d in self._catalogue.data_sets}
            hashes = made_of(staged, self._secret)
            same = self._kept(hashes)
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

    def _kept(self, hashes: Mapping[str, str]) -> dict[str, DataSetFacts]:
        """What the current version says of data sets whose tables would be the same."""
        same = {key: kept for key, made in hashes.items() if (kept := self._same(key, made))}
        # What links to a data set reads its database, which is no longer there where it became Parquet files.
        return {} if self._for_spark and len(same) < len(hashes) else same

    def _same(self, key: str, made: str) -> DataSetFacts | None:
        facts = self._before.manifest.data_sets.get(key) if self._before else None
        if facts is None or self._before is None or facts.made_of != made:
            return None
        if (facts.database is None) != (self._for_spark is not None):
            return None
        data_set = self._catalogue.data_set(key)
        if self._for_spark and not (data_set and still_chosen(self._before.path, facts, data_set)):
            return None  # further cubes are counted in a database
        whole = all(is_file(self._before.path, file, check=True) for file in facts.written)
        return facts if whole else None

    def _check(
        self,
        database: Database,
        staged: Mapping[str, Staged],
        same: Mapping[str, DataSetFacts],
        sources: Mapping[str, Sequence[Path]],
    ) -> Report:
        """A table that is the same has passed all checks of it already."""
        for key, one in staged.items():
            self._steps.begin(f"code {key}")
            if one.parts:
                create_types(database, one.data_set)
                code(database, one)
        found = [Problem(UNKNOWN_DATA_SET, key) for key in sources if key not in staged]
        for key, one in staged.items():
            self._steps.begin(f"check {key}")
            found += one.problems
            if key not in same:
                found += check(database, one, staged)
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
        facts = DataSetFacts(
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
        if self._for_spark is None:
            return facts
        self._steps.begin(f"write {data_set.id} for Spark")
        return self._for_spark.convert(data_set, facts)

    def _linked(self, facts: DataSetFacts, staged: Staged) -> DataSetFacts:
        """The same file under another name: it takes no room, and stays when the other version is removed."""
        if self._before is None:
            raise ValueError("nothing to link to")
        self._steps.begin(f"keep {staged.data_set.id}")
        before, new = self._before.path, self._build.new
        for file in facts.stored:
            (new / file.name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(before / file.name, new / file.name)
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
