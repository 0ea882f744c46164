"""The client: one service, one key."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2

from privacy_api_client.catalogue import DataSet, Meta, read_data_set, read_data_sets, read_meta
from privacy_api_client.connection import Connection
from privacy_api_client.costs import Budget, Preview, read_budget, read_preview
from privacy_api_client.errors import InvalidQuery, ServerError
from privacy_api_client.problems import problems_of
from privacy_api_client.query import Criteria, Measure, question
from privacy_api_client.results import Result, read_result
from privacy_api_client.synthetic import SyntheticRelease, read_one, read_synthetic
from privacy_api_client.tables import RegisteredTable, read_tables

T = TypeVar("T")


class Client:
    """Asks one service with one key; usable from several threads, and as a context manager.

    timeout: seconds to wait for an answer. The service itself may have a question wait for a minute before it starts.
    retries: how often more a busy service is asked, at the pace that it wants; never where that could be charged twice.
    insecure: allow plain http to another machine, which shows the key to the network in between.
    tls: an ``ssl.SSLContext`` where the service's certificate comes from an authority of your own.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float | None = 120.0,
        retries: int = 3,
        insecure: bool = False,
        tls: ssl.SSLContext | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            url, key, timeout=timeout, retries=retries, insecure=insecure, tls=tls, transport=transport
        )

    def data_sets(self) -> list[DataSet]:
        return _read(read_data_sets, self._connection.get("/v1/data-sets"))

    def data_set(self, data_set: str) -> DataSet:
        return _read(read_data_set, self._connection.get(_path("data-sets", data_set)))

    def meta(self, data_set: str) -> Meta:
        """Every name and code that a query can use, with labels, and the policy that protects the answers."""
        return _read(read_meta, self._connection.get(_path("data-sets", data_set, "meta")))

    def preview(
        self,
        data_set: str,
        query: Mapping[str, Any] | None = None,
        *,
        measures: Measure | str | Sequence[Measure | str] | None = None,
        group_by: str | Iterable[str] | None = None,
        totals: Iterable[str | Iterable[str]] | None = None,
        criteria: Criteria | Mapping[str, Any] | None = None,
        rho: float | Decimal | None = None,
        display: str | None = None,
        groups: str | None = None,
    ) -> Preview:
        """Price and precision of a question, for nothing. Raises InvalidQuery where `query` would."""
        body = question(query, measures, group_by, criteria, rho, totals, display, groups)
        found = self._connection.post(_path("data-sets", data_set, "query", "preview"), body, charged=False)
        if isinstance(found, dict) and found.get("valid") is False:
            problems = problems_of(found.get("problems"))
            raise InvalidQuery("The query is not valid.", problems=problems, code="invalid-query")
        return _read(read_preview, found)

    def query(
        self,
        data_set: str,
        query: Mapping[str, Any] | None = None,
        *,
        measures: Measure | str | Sequence[Measure | str] | None = None,
        group_by: str | Iterable[str] | None = None,
        totals: Iterable[str | Iterable[str]] | None = None,
        criteria: Criteria | Mapping[str, Any] | None = None,
        rho: float | Decimal | None = None,
        display: str | None = None,
        groups: str | None = None,
    ) -> Result:
        """The answer, charged to the project's budget the first time that anybody asks.

        query: a dict as the HTTP API takes it; or give its parts. measures: what `count()`, `mean()` and their like
        make, or the bare name of a statistic. totals: coarser groupings to have too, which add up: `totals=[[], "REG"]`
        has the grand total and one per region. rho: the whole price to pay; without it the policy's for each measure.
        display: "unbiased" for numbers to do arithmetic on, neither hidden nor rounded. groups: "listed" for a count by
        groups of which there are too many to show: only those whose noisy count is large enough are in the answer.
        """
        body = question(query, measures, group_by, criteria, rho, totals, display, groups)
        return _read(read_result, self._connection.post(_path("data-sets", data_set, "query"), body, charged=True))

    def release(self, release: str) -> Result:
        """A stored answer by its id, free."""
        return _read(read_result, self._connection.get(_path("releases", release)))

    def tables(self) -> list[RegisteredTable]:
        """Tables that officers have had released, free to read."""
        return _read(read_tables, self._connection.get("/v1/tables"))

    def table(self, table: str) -> Result:
        """A registered table by its id, as it was released for the present version of its data set."""
        return _read(read_result, self._connection.get(_path("tables", table)))

    def synthetic_releases(self) -> list[SyntheticRelease]:
        """Files with nobody in them, newest first."""
        return _read(read_synthetic, self._connection.get("/v1/synthetic/releases"))

    def download(self, release: str, table: str, out: str | Path, *, format: str = "parquet") -> Path:
        """A table of a synthetic release as a file, Parquet or "csv". Parquet is held against the release's sha256."""
        known = _read(read_one, self._connection.get(_path("synthetic", "releases", release)))
        path = _path("synthetic", "releases", release, "download", table) + f"?format={quote(format, safe='')}"
        sha256 = known.tables[table].sha256 if table in known.tables else ""  # which no file has
        self._connection.save(path, Path(out), sha256 if format == "parquet" else None)
        return Path(out)

    def budget(self, project: str) -> Budget:
        """What the key's own project has left; another's is NotFound."""
        return _read(read_budget, self._connection.get(_path("projects", project, "budget")))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._connection.url}>"


def _path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _read(reader: Callable[[Any], T], document: Any) -> T:
    try:
        return reader(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ServerError(
            "The answer has a form that this client does not know; a newer privacy-api-client may."
        ) from None
