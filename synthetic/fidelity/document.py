"""The report as JSON: everything that the page shows, unrounded, with null for what is not known."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from synthetic.fidelity.margins import Variable
from synthetic.fidelity.report import Report
from synthetic.tiers import Tier

FORMAT = "privacy-api/fidelity-report/1"


@cache
def uses() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("synthetic.fidelity").joinpath("uses.toml").read_text(encoding="utf-8"))


def uses_of(tier: Tier) -> dict[str, Any]:
    return uses()[tier.value]


def to_json(report: Report) -> str:
    derived = {"format": FORMAT, "synthetic": True, "uses": uses_of(report.about.tier)}
    scores = [{"ways": v.ways, "kMarginalScore": v.score} for v in report.variations]
    return json.dumps(derived | {"scores": scores} | _plain(report), ensure_ascii=False, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """Dataclasses as objects with names as JSON has them, a variable as its name, arrays as lists, NaN as null."""
    if isinstance(value, Variable):
        return value.name
    if is_dataclass(value):
        return {_camel(f.name): _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
