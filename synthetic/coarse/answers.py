"""Answers of the API, as it gave them, as tables: shown numbers with how far they may be off, hidden ones unknown."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthetic.model.domain import Floats

HALF, CHANCE = 0.29, 1.96
"""Standard deviations: of a whole number as it is; and in half an interval of 95 per cent."""
IMPOSSIBLE, HIDDEN = "z", ("c", "x")
"""Statuses of numbers, as the API writes them: nobody can be there; it is not told how many are."""
REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
"""Of a variable, banding or geographic level."""
Columns = tuple[str, ...]


class CoarseRefused(ValueError):
    """The answers make no synthetic rows. The message says which, why and what would help; it has no number."""


@dataclass(frozen=True, eq=False, slots=True)
class Released:
    """A table of an answer. columns: ascending by name, as the axes. values: NaN where hidden, 0 where nobody can be;
    sigma: of each; 0 where nobody can be. small: whether all that is hidden is a small number, as where there is noise;
    without noise, large ones are hidden too, for the sake of small ones."""

    release: str
    columns: Columns
    values: Floats
    sigma: Floats
    small: bool = False

    @property
    def hidden(self) -> Any:
        return np.isnan(self.values)

    @property
    def shown(self) -> Floats:
        """With 0 for hidden small numbers."""
        return np.nan_to_num(self.values) if self.small else self.values


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """codes: of each column, from the public lists. releases: the digest of each answer's file, by the release's id.
    about: data set, version and population that all answers have."""

    codes: Mapping[str, tuple[str, ...]]
    tables: tuple[Released, ...]
    releases: Mapping[str, str]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        if wrong := [name for name in self.codes if not REFERENCE.fullmatch(name)]:
            raise CoarseRefused(f"{wrong[0]}: is no name of a grouping")


def read_answers(texts: Sequence[bytes]) -> Answers:
    """In whatever order. Raises CoarseRefused."""
    several = sorted(((_document(text), text) for text in texts), key=lambda each: str(each[0]["id"]))
    if not several:
        raise CoarseRefused("no answers: wants one or more, each a file as the API gave it")
    documents = [document for document, _ in several]
    about = _about(documents[0])
    codes: dict[str, tuple[str, ...]] = {}
    for document in documents:
        if _about(document) != about:
            raise CoarseRefused(f"{document['id']}: is of another data set, version or population than the first")
        codes |= {d["reference"]: tuple(c["code"] for c in d["codes"]) for d in document["dimensions"]}
    _refuse_doubles(codes)
    tables = [table for document in documents for table in _tables(document, codes)]
    digests = {d["id"]: hashlib.sha256(t).hexdigest() for d, t in several}
    if len(digests) < len(documents):
        raise CoarseRefused("one release is there twice: leave one file out")
    return Answers({name: codes[name] for name in sorted(codes)}, tuple(tables), digests, about)


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
        counts = [m for m in found["measures"] if m["statistic"] == "count"]
        _about(found), found["id"], found["dimensions"], found["results"], found["protection"]["mode"]
    except (ValueError, KeyError, TypeError):
        raise CoarseRefused("a file is no answer of this API: wants its JSON, as it was given") from None
    if len(counts) != 1 or len(found["measures"]) != 1:
        raise CoarseRefused(f"{found['id']}: wants one measure, a count")
    if "listing" in found:
        raise CoarseRefused(f"{found['id']}: lists some groups only; wants an answer of all")
    return dict(found)


def _about(document: Mapping[str, Any]) -> dict[str, Any]:
    of = document["dataSet"]
    return {"dataSet": of["id"], "version": of["version"], "population": document["population"]}


def _refuse_doubles(codes: Mapping[str, Any]) -> None:
    """A variable and a banding of it would be drawn apart, and contradict each other."""
    first: dict[str, str] = {}
    for name in codes:
        other = first.setdefault(name.partition(".")[0], name)
        if other != name:
            raise CoarseRefused(f"{name} and {other} are of one variable: ask by one of them in all answers")


def _tables(document: Mapping[str, Any], codes: Mapping[str, tuple[str, ...]]) -> Iterator[Released]:
    """One for each combination of groupings that are not summed over, the answer's totals among them."""
    references = {d["name"]: d["reference"] for d in document["dimensions"]}
    several: dict[Columns, list[tuple[list[str], Mapping[str, Any]]]] = {}
    for row in document["results"]:
        there = sorted((references[name], row[name]) for name in references if row[name] is not None)
        several.setdefault(tuple(c for c, _ in there), []).append(([code for _, code in there], row))
    for columns, rows in several.items():
        noisy = document["protection"]["mode"] == "dp"
        yield _table(document["id"], columns, rows, codes, noisy)


def _table(
    release: str, columns: Columns, rows: Sequence[tuple[list[str], Mapping[str, Any]]], codes: Any, small: bool
) -> Released:
    shape = tuple(len(codes[c]) for c in columns)
    if len(rows) != math.prod(shape):
        raise CoarseRefused(f"{release}: wants each cell once")
    values, sigma = np.full(shape, np.nan), np.full(shape, HALF)
    for key, row in rows:
        at = tuple(codes[c].index(code) for c, code in zip(columns, key, strict=True))
        if row["status"] == IMPOSSIBLE:
            values[at] = sigma[at] = 0.0
        elif row["status"] not in HIDDEN and row["value"] is not None:
            values[at], sigma[at] = row["value"], _sigma(row)
    return Released(release, columns, values, sigma, small)


def _sigma(row: Mapping[str, Any]) -> float:
    if row["lower"] is None or row["upper"] is None:
        return max(HALF, math.sqrt(abs(row["value"])))
    return float(max(HALF, (row["upper"] - row["lower"]) / 2 / CHANCE))
