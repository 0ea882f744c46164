"""What the query builder offers: names and codes that the project may ask by, in words. From public things alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from datasets.catalogue import DataSet
from datasets.scope import DataSetScope
from datasets.statistics import STATISTICS, Statistic, Takes
from datasets.variables import Code, Variable

MOST_SHOWN = 200
"""Check boxes in one page; of a longer code list those that are looked for."""
BY_JSON = frozenset({Takes.TWO_MEASURES})
"""Measures of measures of their own: written as the API takes them."""


@dataclass(frozen=True, slots=True)
class Offered:
    """reference: as a query names it."""

    reference: str
    label: str
    codes: tuple[Code, ...]
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A data set as one project may ask about it. scope: None for all of it."""

    data_set: DataSet
    grants: Collection[str]
    official: bool
    scope: DataSetScope | None = None

    def groupings(self) -> list[Offered]:
        """Variables and bandings that conditions, rows and columns can have; time first."""
        found = [each for v in self.data_set.variables if v.atoms and self._granted(v) for each in self._of(v)]
        return sorted(found, key=lambda each: not each.is_time)

    def by_reference(self) -> dict[str, Offered]:
        """Geographic levels too."""
        found = {each.reference: each for each in self.groupings()}
        levels = {level: found[name] for level, name in self.data_set.levels.items() if name in found}
        return found | levels

    def numbers(self, binned: bool = False) -> list[Offered]:
        """Variables that can be summed; binned: that have quantiles."""
        return [
            Offered(v.name, v.label, v.atoms)
            for v in self.data_set.variables
            if v.numbers and self._granted(v) and self._in_scope(v.name, None)
            if not (binned and (not v.atoms or v.needs_banding))
        ]

    def statistics(self) -> list[Statistic]:
        return [s for s in STATISTICS.values() if (s.in_official or not self.official) and s.takes not in BY_JSON]

    def subjects(self, statistic: Statistic) -> list[Offered]:
        """What a measure of this statistic can be of."""
        match statistic.takes:
            case Takes.NUMBER | Takes.TWO_NUMBERS | Takes.NUMBER_AND_TERMS:
                return self.numbers()
            case Takes.BINNED_NUMBER | Takes.BINNED_NUMBER_AND_PROBABILITIES:
                return self.numbers(binned=True)
            case Takes.ROWS:
                return []
            case _:
                found = self.groupings()
                return [o for o in found if "." not in o.reference] if statistic.name == "distinct" else found

    def _granted(self, variable: Variable) -> bool:
        named = {variable.name, variable.granted_as or variable.name}
        return not variable.sensitivity.needs_grant or bool(named & set(self.grants))

    def _in_scope(self, variable: str, banding: str | None) -> bool:
        return self.scope is None or self.scope.has(variable, banding)

    def _of(self, variable: Variable) -> list[Offered]:
        within = self.scope.within.get(variable.name) if self.scope else None
        codes = tuple(atom for atom in variable.atoms if within is None or atom.code in within)
        itself = Offered(variable.name, variable.label, codes, variable.is_time)
        banded = [
            Offered(f"{variable.name}.{b.name}", f"{variable.label}: {b.label}", b.codes)
            for b in variable.bandings
            if self._in_scope(variable.name, b.name)
        ]
        alone = variable.needs_banding or not self._in_scope(variable.name, None)
        return banded if alone else [itself, *banded]


def coarser(reference: str, data_set: DataSet) -> list[str]:
    """References of the bandings of a variable that stands in rows or columns by its own codes."""
    variable = data_set.by_name.get(data_set.levels.get(reference, reference))
    return [f"{variable.name}.{b.name}" for b in variable.bandings] if variable else []
