"""Registered tables, as the service lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RegisteredTable:
    """registered: the day, as the service says it."""

    id: str
    title: str
    data_set: str
    registered: str


def read_tables(document: Any) -> list[RegisteredTable]:
    return [
        RegisteredTable(table["id"], table["title"], table["dataSet"], table["registered"])
        for table in document["results"]
    ]
