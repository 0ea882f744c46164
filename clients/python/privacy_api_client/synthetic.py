"""Synthetic releases, as the service lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SyntheticTable:
    """bytes, sha256: of the Parquet file."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SyntheticRelease:
    """tier: T0 to T3, how much of the real data is in it; keeps: the same in words. released: an instant, as text."""

    id: str
    title: str
    tier: str
    keeps: str
    pupils: int
    released: str
    tables: dict[str, SyntheticTable]


def read_synthetic(document: Any) -> list[SyntheticRelease]:
    return [_release(each) for each in document["results"]]


def read_one(document: Any) -> SyntheticRelease:
    return _release(document)


def _release(told: Any) -> SyntheticRelease:
    tables = {t["name"]: SyntheticTable(t["name"], t["rows"], t["bytes"], t["sha256"]) for t in told["tables"]}
    named = ("id", "title", "tier", "keeps", "pupils", "released")
    return SyntheticRelease(*(told[name] for name in named), tables)
