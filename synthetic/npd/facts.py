"""The published figures of `facts.toml`, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def facts() -> dict[str, Any]:
    return tomllib.loads(files("synthetic.npd").joinpath("facts.toml").read_text(encoding="utf-8"))
