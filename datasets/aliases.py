"""Names that files of NPD have for variables: patterns such as "FSMeligible_[term][yy]", and what a name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from datasets.catalogue import Catalogue
from datasets.variables import Alias, Variable

TERMS = {"AUT": "autumn", "SPR": "spring", "SUM": "summer"}
PARTS = {"[term]": "(?P<term>AUT|SPR|SUM)", "[yy]": r"(?P<yy>\d\d)", "[n]": r"(?P<n>[1-9]\d?)"}
PIVOT = 90
"""Two figures from this on are of the last century."""
MOST_REPEATS = 40


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for. year: in which the academic year ends; term: AUT, SPR, SUM; repeat: the n-th."""

    data_set: str
    variable: Variable
    year: int | None
    term: str | None
    repeat: int | None

    @property
    def reference(self) -> str:
        return f"{self.data_set}.{self.variable.name}"

    @property
    def plain(self) -> str:
        """ "spring 2022/23", or "" where the name says neither."""
        when = f"{self.year - 1}/{self.year % 100:02d}" if self.year else ""
        return " ".join(filter(None, [TERMS.get(self.term or "", ""), when]))


def look_up(name: str, catalogue: Catalogue) -> list[Found]:
    """Own variables whose files have this name in a year in which they had it; capitals make no difference."""
    return [
        found
        for data_set in catalogue.data_sets
        for variable in data_set.own
        for found in _matches(name, data_set.id, variable)
    ]


def _matches(name: str, data_set: str, variable: Variable) -> Iterator[Found]:
    for alias in variable.aliases:
        if match := _expression(alias.pattern).fullmatch(name):
            parts = match.groupdict()
            year = _year(parts["yy"]) if parts.get("yy") else None
            repeat = int(parts["n"]) if parts.get("n") else None
            if _in_use(alias, year) and (repeat or 1) <= MOST_REPEATS:
                yield Found(data_set, variable, year, (parts.get("term") or "").upper() or None, repeat)
                return


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern)
    for part, expression in PARTS.items():
        text = text.replace(re.escape(part), expression)
    return re.compile(text, re.IGNORECASE)


def _year(figures: str) -> int:
    return int(figures) + (1900 if int(figures) >= PIVOT else 2000)


def _in_use(alias: Alias, year: int | None) -> bool:
    return year is None or alias.first <= year <= (alias.last or year)


def expand(alias: Alias, year: int, term: str = "SPR", repeat: int = 1) -> str:
    """The name that files of a year have."""
    parts = {"[term]": term, "[yy]": f"{year % 100:02d}", "[n]": str(repeat)}
    name = alias.pattern
    for part, text in parts.items():
        name = name.replace(part, text)
    return name
