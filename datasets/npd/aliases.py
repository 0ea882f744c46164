"""Names that files of NPD have: which variable, year and term a name such as FSMeligible_SPR23 stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datasets.catalogue import Catalogue, DataSet
from datasets.variables import Alias, Variable

TERMS = {"AUT": "autumn", "SPR": "spring", "SUM": "summer"}
MOST_REPEATS = 40
CENTURY = 90
"""Two digits from here on are of the 1900s."""
BLANKS = {"[term]": "(?P<term>AUT|SPR|SUM)", "[yy]": r"(?P<yy>\d\d)", "[n]": r"(?P<n>[1-9]|[1-3]\d|40)"}


@dataclass(frozen=True, slots=True)
class Named:
    """A name read: the variable, and what the name says of year (in which the academic year ends), term and repeat.

    linked: (data set, variable) where it can be asked for beside its own data set. in_use: whether files have the name
    in that year.
    """

    data_set: str
    variable: Variable
    alias: Alias
    year: int | None
    term: str | None
    repeat: int | None
    linked: tuple[tuple[str, str], ...]

    @property
    def in_use(self) -> bool:
        return self.year is None or self.alias.first <= self.year <= (self.alias.last or self.year)


def expand(alias: Alias, until: int) -> Iterator[str]:
    """Every name that the pattern stands for, up to the academic year that ends in `until`."""
    years = range(alias.first, min(alias.last or until, until) + 1)
    for yy in [f"{year % 100:02d}" for year in years] if "[yy]" in alias.pattern else [""]:
        for term in TERMS if "[term]" in alias.pattern else [""]:
            for n in range(1, MOST_REPEATS + 1) if "[n]" in alias.pattern else [0]:
                yield alias.pattern.replace("[yy]", yy).replace("[term]", term).replace("[n]", str(n))


def look_up(catalogue: Catalogue, name: str) -> tuple[Named, ...]:
    """The variables that a file may call so, whatever the case of the letters; () where there is none."""
    found = []
    for data_set, variable in _own(catalogue):
        for alias in variable.aliases:
            read = _pattern(alias.pattern).fullmatch(name.strip())
            if read:
                found.append(_named(data_set, variable, alias, read.groupdict(), catalogue))
    return tuple(sorted(found, key=lambda one: not one.in_use))


def search(catalogue: Catalogue, words: str) -> tuple[tuple[DataSet, Variable], ...]:
    """Variables of files, or derived ones, whose name, label, concept, description or aliases hold all the words."""
    wanted = words.lower().split()
    return tuple((d, v) for d, v in _own(catalogue) if all(word in _text(v) for word in wanted))


def _own(catalogue: Catalogue) -> Iterable[tuple[DataSet, Variable]]:
    return ((d, v) for d in catalogue.data_sets for v in d.variables if v.linked is None)


def _pattern(text: str) -> re.Pattern[str]:
    pieces = re.split(r"(\[term\]|\[yy\]|\[n\])", text)
    return re.compile("".join(BLANKS.get(piece, re.escape(piece)) for piece in pieces), re.IGNORECASE)


def _named(
    data_set: DataSet, variable: Variable, alias: Alias, read: dict[str, str | None], catalogue: Catalogue
) -> Named:
    yy, term, n = (read.get(blank) for blank in ("yy", "term", "n"))
    year = None if yy is None else int(yy) + (1900 if int(yy) >= CENTURY else 2000)
    linked = tuple(_linked(data_set, variable, catalogue))
    return Named(data_set.id, variable, alias, year, term.upper() if term else None, int(n) if n else None, linked)


def _linked(data_set: DataSet, variable: Variable, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for other in catalogue.data_sets:
        for one in other.variables:
            if one.linked and (one.linked.data_set, one.linked.variable) == (data_set.id, variable.name):
                yield other.id, one.name


def _text(variable: Variable) -> str:
    aliases = (alias.pattern for alias in variable.aliases)
    return " ".join([variable.name, variable.label, variable.concept, variable.description, *aliases]).lower()
