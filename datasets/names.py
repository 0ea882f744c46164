"""Looking up what a request names, collecting problems as it goes. Everything it says is in the public catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasets.catalogue import DataSet
from datasets.query import Measure, Problem
from datasets.statistics import Subject


class Names:
    """One request's view of a data set. problems: found so far. used: variable → path where it was first named; named:
    the same of each (variable, banding or None).
    """

    def __init__(self, data_set: DataSet) -> None:
        self.data_set = data_set
        self.problems: list[Problem] = []
        self.used: dict[str, str] = {}
        self.named: dict[tuple[str, str | None], str] = {}
        self._atoms_of: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {}

    def refuse(self, code: str, message: str, path: str) -> None:
        self.problems.append(Problem(code, message, path))

    def variable(self, reference: str, path: str) -> Subject | None:
        """A variable ("la"), one of its bandings ("la.region") or a geographic level ("REG")."""
        name, dot, banding = self.data_set.levels.get(reference, reference).partition(".")
        variable = self.data_set.by_name.get(name)
        if variable is None or (dot and not banding):
            self.refuse("VariableNotFound", f"No such variable. Accepted: {some(self.data_set.by_name)}.", path)
            return None
        self.used.setdefault(name, path)
        if not banding or (banding == "bin" and variable.numbers):
            self.named.setdefault((name, None), path)
            return Subject(Measure("", ""), variable)
        found = variable.banding(banding)
        if found is None:
            accepted = [f"{name}.{b.name}" for b in variable.bandings] or ["none declared"]
            self.refuse("BandingNotFound", f"No such banding of {name}. Accepted: {some(accepted)}.", path)
            return None
        self.named.setdefault((name, banding), path)
        return Subject(Measure("", ""), variable, found)

    def domain(self, reference: str, path: str) -> Subject | None:
        """As `variable`, for criteria and groups: it needs a finite domain, and bands where it is class 4."""
        found = self.variable(reference, path)
        if found is None:
            return None
        named = found.named
        if not named.atoms:
            self.refuse("NotBanded", f"{named.name} is a number without declared bins: it can only be measured.", path)
            return None
        if named.needs_banding and found.banding is None:
            accepted = [f"{named.name}.{b.name}" for b in named.bandings] or ["none declared"]
            self.refuse("BandingRequired", f"{named.name} is used only in bands. Accepted: {some(accepted)}.", path)
            return None
        return found

    def atoms(self, wanted: Sequence[str], subject: Subject, path: str) -> list[int]:
        """The atoms that these codes stand for."""
        place = self._places(subject)
        for i, code in enumerate(wanted):
            if code not in place:
                where = f"{path}[{i}]" if len(wanted) > 1 else path
                self.refuse("CodesNotFound", f"No such code. Accepted: {some(place)}.", where)
        return [atom for code in wanted for atom in place.get(code, ())]

    def _places(self, subject: Subject) -> dict[str, tuple[int, ...]]:
        """Code → atoms; made once for each variable or banding of a request, however often it is named."""
        key = (subject.named.name, subject.banding.name if subject.banding else "")
        if key not in self._atoms_of:
            self._atoms_of[key] = dict(zip((c.code for c in subject.codes), subject.groups, strict=True))
        return self._atoms_of[key]

    def check_grants(self, grants: frozenset[str]) -> None:
        for name, path in self.used.items():
            variable = self.data_set.by_name[name]
            sensitivity = variable.sensitivity
            if sensitivity.needs_grant and not grants & {name, variable.granted_as or name}:
                message = f"{name} is sensitive (class {sensitivity}) and this project has no grant for it."
                self.refuse("VariableNotGranted", message, path)


def some(names: Iterable[str], most: int = 12) -> str:
    """A few accepted names; all of them stand in the data set's meta."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
