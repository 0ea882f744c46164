"""Names that files of NPD have for variables: patterns such as "FSMeligible_[term][yy]", and what a name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from datasets.catalogue import Catalogue, DataSet
from datasets.variables import Alias, Variable

TERMS = {"AUT": "autumn", "SPR": "spring", "SUM": "summer"}
PARTS = {"[term]": "(?P<term>AUT|SPR|SUM)", "[yy]": r"(?P<yy>\d\d)", "[n]": r"(?P<n>[1-9]|[1-3]\d|40)"}
"""NPD repeats an item 40 times at most."""
PIVOT = 90
"""Two figures from this on are of the last century."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for. year: in which the academic year ends; term: AUT, SPR, SUM; repeat: the n-th."""

    data_set: str
    variable: Variable
    alias: Alias
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

    @property
    def in_use(self) -> bool:
        """Whether files of that year have the name."""
        return self.year is None or self.alias.first <= self.year <= (self.alias.last or self.year)


def look_up(name: str, catalogue: Catalogue) -> list[Found]:
    """Variables whose files have this name in some year, those that have it in the name's own year first; capitals make
    no difference."""
    found = [
        Found(d.id, variable, alias, *_said(match))
        for d, variable in _named(catalogue)
        for alias in variable.aliases
        if (match := _expression(alias.pattern).fullmatch(name.strip()))
    ]
    return sorted(found, key=lambda one: not one.in_use)


def linked_as(found: Found, catalogue: Catalogue) -> list[str]:
    """Where else the variable can be asked for: "ks4.census_fsm_eligible"."""
    origin = (found.data_set, found.variable.name)
    return [
        f"{d.id}.{v.name}"
        for d in catalogue.data_sets
        for v in d.variables
        if v.linked and (v.linked.data_set, v.linked.variable) == origin
    ]


def search(words: str, catalogue: Catalogue) -> list[tuple[DataSet, Variable]]:
    """Variables, linked ones apart, whose name, label, concept, description or NPD names hold all the words."""
    wanted = words.lower().split()
    return [(d, v) for d, v in _named(catalogue) if all(word in _text(v) for word in wanted)]


def expand(alias: Alias, year: int, term: str = "SPR", repeat: int = 1) -> str:
    """The name that files of a year have."""
    parts = {"[term]": term, "[yy]": f"{year % 100:02d}", "[n]": str(repeat)}
    name = alias.pattern
    for part, text in parts.items():
        name = name.replace(part, text)
    return name


def _named(catalogue: Catalogue) -> Iterator[tuple[DataSet, Variable]]:
    return ((d, v) for d in catalogue.data_sets for v in d.variables if v.linked is None)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern)
    for part, expression in PARTS.items():
        text = text.replace(re.escape(part), expression)
    return re.compile(text, re.IGNORECASE)


def _said(match: re.Match[str]) -> tuple[int | None, str | None, int | None]:
    """Year, term and repeat."""
    parts = match.groupdict()
    figures, term, repeat = (parts.get(part) for part in ("yy", "term", "n"))
    year = None if figures is None else int(figures) + (1900 if int(figures) >= PIVOT else 2000)
    return year, term.upper() if term else None, int(repeat) if repeat else None


def _text(variable: Variable) -> str:
    names = (alias.pattern for alias in variable.aliases)
    return " ".join([variable.name, variable.label, variable.concept, variable.description, *names]).lower()
