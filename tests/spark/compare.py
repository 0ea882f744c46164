"""Whether Spark and DuckDB give the same exact numbers for all that some queries measure, cell for cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.ingest import Published
from datasets.ingest.parquet import write_parquet
from datasets.plan import Plan
from datasets.query import Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.aggregates import Count
from privacy_api.ports import Engine
from privacy_api.wire.query_in import read_query
from tests.lib.plans import plans

LIMITS = Limits(cells=1_000_000, group_by=8)


def for_spark(published: Published, folder: Path, memory: str = "1GB", threads: int = 2) -> Path:
    """A cut that was published for DuckDB, written for Spark beside it."""
    for data_set in load_catalogue(published.catalogue_text).data_sets:
        write_parquet(published.databases[data_set.id], data_set, folder, memory, threads)
    return folder / "parquet"


def question(analysis: Mapping[str, Any]) -> Query:
    """Of an analysis as it is written in `examples/analyses`: "dataSet", after its cut, and "query"."""
    return read_query(analysis["query"], analysis["dataSet"].partition(".")[2])


def differences(catalogue: Catalogue, queries: Iterable[Query], ours: Engine, theirs: Engine) -> Iterator[str]:
    """What is not the same, and where; nothing if all is."""
    for query in queries:
        data_set = catalogue.data_set(query.data_set)
        assert data_set is not None, query.data_set
        valid = validate(query, data_set, everything(data_set), LIMITS)
        for plan in plans(valid):
            yield from (f"{query}: {different}" for different in compare(plan, ours, theirs))
        yield from (f"{query}: {different}" for different in compare_groups(valid, ours, theirs))


def compare(plan: Plan, ours: Engine, theirs: Engine) -> Iterator[str]:
    one, other = ours.aggregate(plan), theirs.aggregate(plan)
    for aggregate in plan.aggregates:
        yield from _cells(str(aggregate), one[aggregate], other[aggregate])
    for wanted in plan.evidence:
        yield from _cells(str(wanted), one.evidence(wanted), other.evidence(wanted))


def compare_groups(valid: ValidQuery, ours: Engine, theirs: Engine) -> Iterator[str]:
    """The groups that have rows, where there is something to group by."""
    plan = valid.plan(0, (Count(),))
    if plan.axes:
        one, other = ours.listed(plan), theirs.listed(plan)
        if not (np.array_equal(one.cells, other.cells) and np.array_equal(one.counts, other.counts)):
            yield "the groups that are listed"


def everything(data_set: DataSet) -> frozenset[str]:
    return frozenset(data_set.by_name)


def _cells(what: str, one: np.ndarray, other: np.ndarray) -> Iterator[str]:
    if not np.array_equal(one, other):
        yield f"{what}: {np.count_nonzero(one != other)} of {one.size} numbers"
