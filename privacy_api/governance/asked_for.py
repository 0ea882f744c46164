"""What an application asks for, in terms of the catalogue: sensitive variables, grants, and the scope of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from datasets.catalogue import DataSet
from datasets.scope import DataSetScope
from datasets.variables import Banding, Variable
from privacy_api.ports.applications import Content, WantedData

DataSets: TypeAlias = Mapping[str, DataSet]
"""By the id that people ask them by."""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """One variable, or one banding of it, of one data set."""

    data_set: str
    reference: str
    variable: Variable
    banding: Banding | None

    @property
    def label(self) -> str:
        """ "Local authority: Region"."""
        return f"{self.variable.label}: {self.banding.label}" if self.banding else self.variable.label

    @property
    def needs_justification(self) -> bool:
        """By the catalogue's word, its class, or because it tells whose row it is."""
        variable = self.variable
        return variable.needs_justification or variable.sensitivity.needs_grant or variable.identifiability <= 2

    @property
    def needs_grant(self) -> bool:
        return self.variable.sensitivity.needs_grant

    @property
    def coarser(self) -> tuple[Banding, ...]:
        """Bandings that would tell less, the coarsest first: they are offered before the variable itself."""
        finest = len(self.banding.groups) if self.banding else len(self.variable.atoms) + 1
        return tuple(
            sorted((b for b in self.variable.bandings if len(b.groups) < finest), key=lambda b: (len(b.groups), b.name))
        )

    @property
    def why_sensitive(self) -> str:
        variable, found = self.variable, []
        if variable.sensitivity.needs_grant:
            found.append(f"class {variable.sensitivity}")
        if variable.identifiability <= 2:
            found.append("it can tell who a pupil is")
        if variable.needs_justification:
            found.append("the catalogue wants a reason")
        return "; ".join(found)


def asked_for(content: Content, data_sets: DataSets) -> Iterator[AskedFor]:
    """What exists of it; each once."""
    for wanted in content.data.wanted:
        data_set = data_sets.get(wanted.data_set)
        for reference in dict.fromkeys(wanted.references):
            if data_set is not None and (found := find(data_set, reference)) is not None:
                yield AskedFor(wanted.data_set, reference, *found)


def find(data_set: DataSet, reference: str) -> tuple[Variable, Banding | None] | None:
    name, dot, banding = reference.partition(".")
    variable = data_set.by_name.get(name)
    if variable is None or not dot:
        return None if variable is None else (variable, None)
    found = variable.banding(banding)
    return None if found is None else (variable, found)


def sensitive(content: Content, data_sets: DataSets) -> tuple[AskedFor, ...]:
    return tuple(each for each in asked_for(content, data_sets) if each.needs_justification)


def grants_of(content: Content, data_sets: DataSets) -> frozenset[str]:
    """Class B and D variables, by the names that grants have."""
    found = (each.variable for each in asked_for(content, data_sets) if each.needs_grant)
    return frozenset(variable.granted_as or variable.name for variable in found)


def scope_of(content: Content, data_sets: DataSets) -> dict[str, DataSetScope]:
    """What the project may ask about once this is approved; of content that was found complete."""
    return {wanted.data_set: _scope(wanted, data_sets[wanted.data_set]) for wanted in content.data.wanted}


def _scope(wanted: WantedData, data_set: DataSet) -> DataSetScope:
    within = {each.variable: frozenset(each.codes) for each in wanted.keeps_to}
    if data_set.time is not None:
        within[data_set.time.name] = frozenset(wanted.periods)
    return DataSetScope(frozenset(wanted.references), within)
