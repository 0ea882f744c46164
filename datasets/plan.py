"""What is measured: aggregates over layouts of cells; and what the engine must compute for them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from datasets.catalogue import DataSet
from datasets.predicate import Predicate
from datasets.variables import Code, Variable
from disclosure.aggregates import Aggregate
from disclosure.evidence import Evidence, RecordKeys
from disclosure.sensitivity import Contribution


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of a table. reference: as people write it, "la", "la.region". column: the stored ENUM column;
    ``positions[i]`` is the place of shown code i within that ENUM; ``groups[i]`` the atoms that it stands for.
    """

    reference: str
    variable: Variable
    column: str
    codes: tuple[Code, ...]
    positions: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Cells (row-major over ``axes``, which stand in canonical order) and what one pupil can do to them."""

    axes: tuple[Axis, ...]
    contribution: Contribution

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.codes) for axis in self.axes)

    @property
    def cells(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is priced, charged and stored: one aggregate over one layout, by its place in the query's layouts."""

    layout: int
    aggregate: Aggregate


class NoRecordKeys(ValueError):
    """Record keys are wanted of a cut whose catalogue does not ask for them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Dense aggregates over ``axes`` (row-major, first axis slowest) of the rows that ``predicate`` admits.

    evidence: what is gathered of the same cells beside them. Raises NoRecordKeys.
    """

    data_set: DataSet
    predicate: Predicate
    axes: tuple[Axis, ...]
    aggregates: tuple[Aggregate, ...]
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        if not self.data_set.record_keys and any(isinstance(wanted, RecordKeys) for wanted in self.evidence):
            raise NoRecordKeys(
                f"data set {self.data_set.id} has no record keys: "
                "wants record_keys = true in [cut] of its catalogue, and to be published again"
            )

    @property
    def cells(self) -> int:
        return prod(len(axis.codes) for axis in self.axes)


class EngineFailed(Exception):
    """The engine gave up: time, memory or a fault. It says nothing more, since its reasons may quote data."""


class EngineRefused(Exception):
    """The cut cannot be opened. The message says why, of what is public, and what to do."""
