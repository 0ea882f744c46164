"""Ingest, stage by stage: read what is new, code, check, write what changed, verify, publish."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from datasets.catalogue import Catalogue
from datasets.ingest.database import IngestFailed, scratch
from datasets.ingest.folder import CATALOGUE, MANIFEST, Build, building
from datasets.ingest.making import ForSpark, Making
from datasets.ingest.manifest import DataSetFacts, Manifest, Note
from datasets.ingest.progress import Progress, Silent, Steps
from datasets.ingest.published import CutDamaged, CutNotFound, Published, open_current, open_version

PACKAGE = "privacy-controlling-api"


def ingest(
    catalogue: Catalogue,
    catalogue_text: str,
    sources: Mapping[str, Sequence[Path]],
    cuts: Path,
    progress: Progress | None = None,
    memory_limit: str = "1500MB",
    threads: int = 2,
    engine: str = "duckdb",
    releases: Mapping[str, str] | None = None,
) -> Published:
    """Check the files of every data set against the catalogue and publish them as the cut's next version.

    engine: "duckdb" or "spark"; for Spark the databases become Parquet files, and are not kept.
    A file that an earlier run has read is not read again, and a table that would be the same is not written again.
    releases: data set → stage of the release of its files, e.g. "amended", one of its `releases`; where none is given,
    files that are the same are of the same release.
    Raises IngestRefused with all problems of the files, or IngestFailed; either way no version is left behind.
    """
    if hashlib.sha256(catalogue_text.encode()).hexdigest() != catalogue.digest:
        raise ValueError("catalogue_text is not the text that the catalogue was read from")
    _check_releases(catalogue, releases or {})
    files = sum(len(sources.get(d.id, ())) for d in catalogue.data_sets)
    steps = Steps(progress or Silent(), files + (4 + (engine == "spark")) * len(catalogue.data_sets) + 1)
    try:
        with building(cuts, catalogue.cut) as build:
            for_spark = ForSpark(build.new, memory_limit, threads) if engine == "spark" else None
            run = Making(build, catalogue, _before(cuts, catalogue.cut), steps, releases or {}, for_spark)
            with scratch(build.path, memory_limit, threads) as database:
                data_sets, notes = run.build(database, sources)
            steps.begin("publish")
            manifest = _describe(build, catalogue, engine, data_sets, notes)
            build.add(CATALOGUE, catalogue_text)
            build.add(MANIFEST, manifest.text())
            build.publish(manifest.version)
    except OSError as error:
        raise IngestFailed(f"a file could not be read or written: {error.strerror}") from None
    steps.begin("published")
    return open_version(cuts, catalogue.cut, manifest.version)


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
    build: Build,
    catalogue: Catalogue,
    engine: str,
    data_sets: Mapping[str, DataSetFacts],
    notes: tuple[Note, ...],
) -> Manifest:
    return Manifest(
        cut=catalogue.cut,
        title=catalogue.title,
        synthetic=catalogue.synthetic,
        version=build.next_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        catalogue_sha256=catalogue.digest,
        engine=engine,
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
