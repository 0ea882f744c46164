"""Exact tables, which never leave the server's memory, and protected ones, which may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from disclosure.aggregates import Aggregate
from disclosure.evidence import Evidence, numbers_of

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Noise(StrEnum):
    """The law of the noise in a measurement."""

    GAUSSIAN = "gaussian"
    LAPLACE = "laplace"
    NONE = "none"


class Secret:
    """Exact numbers, which stay in the server's memory: nothing of it is shown, pickled or copied."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is never serialised")

    def __copy__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is never copied")

    def __deepcopy__(self, memo: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is never copied")


class ExactTable(Secret):
    """Exact aggregates over the whole key space: int64 of shape (cells, bins), in the order of the plan's keys.

    Beside them, the evidence that was gathered: int64 of shape (cells, `numbers_of`). It shows its shape and nothing
    else, and cannot be copied out: no pickle, no JSON, no dataclass fields.
    """

    __slots__ = ("_cells", "_evidence", "_values")

    def __init__(
        self, values: Mapping[Aggregate, Integers], cells: int, evidence: Mapping[Evidence, Integers] | None = None
    ) -> None:
        self._values, self._cells, self._evidence = dict(values), cells, dict(evidence or {})
        for held, array in (*self._values.items(), *self._evidence.items()):
            if array.dtype != np.int64 or array.shape != (cells, numbers_of(held)):
                raise ValueError(f"{type(held).__name__}: want int64 of {(cells, numbers_of(held))}")

    def __getitem__(self, aggregate: Aggregate) -> Integers:
        return self._values[aggregate]

    def evidence(self, wanted: Evidence) -> Integers:
        return self._evidence[wanted]

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return tuple(self._values)

    def only(self, aggregates: Iterable[Aggregate]) -> ExactTable:
        """Some of the aggregates, over the same cells, and no evidence."""
        return ExactTable({a: self._values[a] for a in aggregates}, self._cells)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{type(a).__name__}{v.shape}" for a, v in (self._values | self._evidence).items())
        return f"<ExactTable {shapes}>"


class ExactGroups(Secret):
    """Exact counts of the groups that have rows, and of no others: int64 cells, ascending, and int64 counts from 1.

    Cells are row-major places in a plan's key space. Which groups there are is as secret as the counts: the list shows
    nothing, not even its length, and cannot be copied out.
    """

    __slots__ = ("_cells", "_counts")

    def __init__(self, cells: Integers, counts: Integers) -> None:
        if cells.dtype != np.int64 or counts.dtype != np.int64 or cells.ndim != 1 or cells.shape != counts.shape:
            raise ValueError("want int64 cells and as many int64 counts")
        if (np.diff(cells, prepend=-1) <= 0).any() or (counts < 1).any():
            raise ValueError("each cell is there once, in ascending order, and has rows")
        self._cells, self._counts = cells, counts

    @property
    def cells(self) -> Integers:
        return self._cells

    @property
    def counts(self) -> Integers:
        return self._counts


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One protected aggregate, safe to store and to publish.

    values: int64 (cells, bins), in ticks. sigma: standard deviation of the noise, 0 in `official` mode.
    masked: bool, same shape; cells that an `official` policy hides (their value is stored as 0).
    noise: its law; NONE exactly where sigma is 0, whatever is given.
    """

    values: Integers
    sigma: float
    masked: npt.NDArray[np.bool_]
    noise: Noise = Noise.GAUSSIAN

    def __post_init__(self) -> None:
        if self.values.shape != self.masked.shape or self.values.dtype != np.int64:
            raise ValueError("values and masked must have one shape, values int64")
        if not 0 <= self.sigma < float("inf"):
            raise ValueError("sigma must be finite and not negative")
        if self.sigma and self.noise is Noise.NONE:
            raise ValueError("noise that has a spread has a law")
        if not self.sigma:
            object.__setattr__(self, "noise", Noise.NONE)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of a quantity once everything measured of it is put together.

    values: float64 (cells, numbers), in ticks. sd: of their noise, (cells, 1), 0 in `official` mode. masked: bool, as
    values. noise: its law; where several measurements are put together, that of each, whose tails are no lighter.
    """

    values: Floats
    sd: Floats
    masked: Flags
    noise: Noise = Noise.GAUSSIAN

    def __post_init__(self) -> None:
        if self.sd.shape != (self.values.shape[0], 1) or self.masked.shape != self.values.shape:
            raise ValueError("values and masked must have one shape, sd one number per cell")


ProtectedTable = Mapping[Aggregate, Measurement]
