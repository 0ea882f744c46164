"""An answer: numbers with their intervals and statuses, what protects them, how to cite them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privacy_api_client.catalogue import Meta, marked
from privacy_api_client.costs import FREE, Charge, read_charge

if TYPE_CHECKING:
    import pandas

NUMBERS = ("output", "value", "lower", "upper", "status")
"""What a row says beside its groupings and its measure."""

COLUMNS = ("measure", "statistic", "variable", "output", "value", "lower", "upper", "confidence", "unit", "status")
"""Columns of a table of the answer, after its groupings; the service's own CSV has the same."""


MARK = "is_synthetic"
"""The last column of every file: whether the pupils exist."""


@dataclass(frozen=True)
class ResultMeasure:
    """confidence: how often the interval from lower to upper holds the true number."""

    id: str
    statistic: str
    variable: str | None
    unit: str
    confidence: float


@dataclass(frozen=True, repr=False)
class Result:
    """A release: stored for good under its id, the same for everybody who asks.

    rows: one per group and number. value, lower and upper are numbers or None; status is "" or a symbol that
    ``statuses`` explains ("c": hidden, since too few). dimensions: the groupings, as columns of the rows. protection:
    the guarantee in words and numbers. document: all of it as it came, to keep beside what is made of it.
    """

    id: str
    created: str
    citation: str
    data_set: str
    version: str
    synthetic: bool
    charge: Charge
    protection: Mapping[str, Any]
    measures: tuple[ResultMeasure, ...]
    statuses: Mapping[str, str]
    dimensions: tuple[str, ...]
    rows: list[dict[str, Any]]
    document: Mapping[str, Any]

    def to_pandas(self, labels: Meta | None = None) -> pandas.DataFrame:
        """A data frame. labels: the data set's meta, for a column ``<grouping>_label`` beside each grouping.

        Groupings, measure and output are categories in the order of their code lists; value, lower, upper and
        confidence are float64, even where all are hidden; statistic, variable, unit and status are string.
        """
        from privacy_api_client.frames import frame_of

        return frame_of(self, labels)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """UTF-8, one header line, empty where a number is hidden.

        A text that a spreadsheet would take for a formula gets a quotation mark in front.
        """
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            names = (*self.dimensions, *COLUMNS)
            made_up = str(self.synthetic).lower()
            writer.writerow((*names, MARK))
            writer.writerows([*(_inert(row[name]) for name in names), made_up] for row in self.full_rows())

    def full_rows(self) -> Iterator[dict[str, Any]]:
        """Rows together with what is said of their measure."""
        measures = {m.id: vars(m) for m in self.measures}
        return ({**measures[row["measure"]], **row} for row in self.rows)

    def __repr__(self) -> str:
        paid = f"charged rho {self.charge.rho:g}" if self.charge.nano_rho else "nothing charged"
        return f"<Result {self.id} of {self.data_set}: {len(self.rows)} rows, {paid}{marked(self.synthetic)}>"


def _inert(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


def _dimensions(rows: list[dict[str, Any]], document: Mapping[str, Any]) -> tuple[str, ...]:
    """As the rows name them; an answer of listed groups may have no row."""
    if not rows:
        return tuple(each["name"] for each in document.get("dimensions", ()))
    return tuple(name for name in rows[0] if name not in ("measure", *NUMBERS))


def read_result(document: Mapping[str, Any]) -> Result:
    rows = list(document["results"])
    measures = tuple(
        ResultMeasure(m["id"], m["statistic"], m["variable"], m["unit"], m["confidence"]) for m in document["measures"]
    )
    return Result(
        id=document["id"],
        created=document["created"],
        citation=document["citation"],
        data_set=document["dataSet"]["id"],
        version=document["dataSet"]["version"],
        synthetic=document["dataSet"]["synthetic"],
        charge=read_charge(document["charge"]) if "charge" in document else FREE,
        protection=document["protection"],
        measures=measures,
        statuses=document["statuses"],
        dimensions=_dimensions(rows, document),
        rows=rows,
        document=document,
    )
