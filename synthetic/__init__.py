"""Data with nobody in it, made from the same catalogue that describes the real cut.

    from synthetic import Plan, make
    make(Plan(pupils=20_000, years=range(2022, 2025)), folder, catalogue=Path("datasets/npd"))

`make`, `sample` and `check` are loaded when they are first asked for, so that importing this costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthetic.plan import Plan

if TYPE_CHECKING:
    from synthetic.checking import Finding, check
    from synthetic.npd.release import make
    from synthetic.npd.sample import sample

__all__ = ["Finding", "Plan", "check", "make", "sample"]
_WHERE = {
    "make": "synthetic.npd.release",
    "sample": "synthetic.npd.sample",
    "check": "synthetic.checking",
    "Finding": "synthetic.checking",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
