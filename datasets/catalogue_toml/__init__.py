"""Reads a catalogue from TOML. Validates it whole: `CatalogueRefused` carries every problem, each with its path."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from decimal import Decimal

from datasets.catalogue import Catalogue
from datasets.catalogue_toml.bundle import NotBundled, bundle
from datasets.catalogue_toml.cut import read_catalogue
from datasets.catalogue_toml.table import Table


class CatalogueRefused(ValueError):
    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the catalogue is refused:\n" + "\n".join(f"  - {p}" for p in self.problems))


def load_catalogue(text: str) -> Catalogue:
    """Read and check a catalogue; raises `CatalogueRefused` with all problems."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueRefused([f"not TOML: {error}"]) from None
    problems: list[str] = []
    catalogue = read_catalogue(Table(raw, "", problems), hashlib.sha256(text.encode()).hexdigest())
    if problems or catalogue is None:
        raise CatalogueRefused(problems)
    return catalogue


__all__ = ["CatalogueRefused", "NotBundled", "bundle", "load_catalogue"]
