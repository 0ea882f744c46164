"""The published figures of the files beside this one, read once: `facts.toml` of England, `facts_areas.toml` of
areas."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("synthetic.npd").joinpath(name).read_text(encoding="utf-8"))


@cache
def facts() -> dict[str, Any]:
    return _read("facts.toml")


@cache
def areas() -> dict[str, Any]:
    return _read("facts_areas.toml")


def of_area(table: str, figure: str, region: str) -> float:
    """A figure of a region, England's where there is none of it."""
    found = areas()[table][figure]
    return float(found.get(region, found["ENG"]))


TUNED = "tuned.toml"


@cache
def tuning() -> dict[str, Any]:
    return _read(TUNED)


def tuned(table: str, figure: str, of: str, otherwise: float = 0.0) -> float:
    """What `synthetic.npd.tune` found for a region or group."""
    return float(tuning().get(table, {}).get(figure, {}).get(of, otherwise))
