"""What of a data set a project may ask about: which variables, in which bandings, and whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datasets.names import Names, some
from datasets.predicate import Predicate


@dataclass(frozen=True, slots=True)
class DataSetScope:
    """references: a variable ("la"), which takes its bandings in, or one banding of it ("la.region") and nothing finer.
    within: variable → its codes that questions keep to: time periods, terms, a cohort. These may be named too.
    """

    references: frozenset[str]
    within: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        if not all(self.within.values()):
            raise ValueError("a variable that questions keep to has codes")

    def has(self, variable: str, banding: str | None) -> bool:
        wanted = {variable} if banding is None else {variable, f"{variable}.{banding}"}
        return bool(wanted & (self.references | self.within.keys()))


def check_scope(scope: DataSetScope, names: Names, predicate: Predicate) -> None:
    """Problems go to names. Judged on who is meant, however it is said: a question without criteria means everybody."""
    for (variable, banding), path in names.named.items():
        if not scope.has(variable, banding):
            names.refuse("VariableNotInScope", _variable_told(scope, variable), path)
    domain = names.data_set.domain
    for level, each in enumerate(domain):
        if (codes := scope.within.get(each.name)) is not None:
            admitted = predicate.admitted(level)
            outside = [c.code for i, c in enumerate(each.atoms) if admitted >> i & 1 and c.code not in codes]
            if outside:
                code = "PeriodNotInScope" if each.is_time else "CodesNotInScope"
                names.refuse(code, _codes_told(each.name, outside, codes), names.used.get(each.name, "criteria"))


def _variable_told(scope: DataSetScope, variable: str) -> str:
    every = sorted(scope.references | scope.within.keys())
    bands = [each for each in every if each.startswith(f"{variable}.")]
    if bands:
        return f"This project may use {variable} in bands only. Accepted: {some(bands)}."
    return f"{variable} is not in the scope of this project. Accepted: {some(every)}."


def _codes_told(variable: str, outside: list[str], codes: frozenset[str]) -> str:
    return (
        f"The question takes in {variable} {some(outside)}, which this project may not ask about. "
        f"Say in the criteria which you mean. Accepted: {some(sorted(codes))}."
    )
