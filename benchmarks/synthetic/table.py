"""A table of codes over a public domain, and its two files. Runs in the peers' environments too: numpy only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Column:
    """Codes are 0 … size - 1, whether or not they occur."""

    name: str
    size: int


@dataclass(frozen=True)
class Table:
    """codes: rows × columns, of one byte each."""

    columns: Sequence[Column]
    codes: Any

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def sizes(self) -> list[int]:
        return [column.size for column in self.columns]

    def only(self, names: Sequence[str]) -> Table:
        places = [self.names.index(name) for name in names]
        return Table([self.columns[p] for p in places], np.ascontiguousarray(self.codes[:, places]))

    def with_codes(self, codes: Any) -> Table:
        return Table(self.columns, codes)

    def digest(self) -> str:
        return hashlib.sha256(repr((self.names, self.sizes)).encode() + self.codes.tobytes()).hexdigest()[:16]

    def save(self, stem: Path) -> None:
        stem.parent.mkdir(parents=True, exist_ok=True)
        np.save(stem.with_suffix(".npy"), self.codes)
        domain = [{"name": c.name, "size": c.size} for c in self.columns]
        stem.with_suffix(".json").write_text(json.dumps({"columns": domain, "digest": self.digest()}), encoding="utf-8")


def load(stem: Path) -> Table:
    about = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    return Table([Column(**c) for c in about["columns"]], np.load(stem.with_suffix(".npy")))
