"""What the engine must compute."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.catalogue import DataSet
from datasets.predicate import Predicate
from datasets.variables import Code, Variable
from disclosure.aggregates import Aggregate
from disclosure.sensitivity import Contribution


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of the table. reference: as people write it, "la", "la.region". column: the stored ENUM column;
    ``positions[i]`` is the place of shown code i within that ENUM; ``groups[i]`` the atoms that it stands for.
    """

    reference: str
    variable: Variable
    column: str
    codes: tuple[Code, ...]
    positions: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Dense aggregates over ``axes`` (row-major, first axis slowest) of the rows that ``predicate`` admits."""

    data_set: DataSet
    predicate: Predicate
    axes: tuple[Axis, ...]
    aggregates: tuple[Aggregate, ...]
    contribution: Contribution

    @property
    def cells(self) -> int:
        total = 1
        for axis in self.axes:
            total *= len(axis.codes)
        return total


class EngineFailed(Exception):
    """The engine gave up: time, memory or a fault. It says nothing more, since its reasons may quote data."""
