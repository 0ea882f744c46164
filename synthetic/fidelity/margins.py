"""Margins of coded rows, and margins that somebody measured or published: what two sources are compared by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, prod
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """codes: all that the public code list has, whether or not they occur. meanings: of each code, or none."""

    name: str
    label: str
    codes: tuple[str, ...]
    meanings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.codes or len(set(self.codes)) != len(self.codes):
            raise ValueError(f"{self.name}: a variable has different codes, at least one")
        if self.meanings and len(self.meanings) != len(self.codes):
            raise ValueError(f"{self.name}: wants a meaning for each code, or none")

    def shown(self, code: str) -> str:
        return self.meanings[self.codes.index(code)] if self.meanings else code


@dataclass(frozen=True, eq=False, slots=True)
class Margin:
    """Pupils by the codes of some variables, one axis for each. sigma: of the noise in each cell; 0 is exact."""

    names: Names
    counts: Floats
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if self.counts.ndim != len(self.names):
            raise ValueError(f"{' × '.join(self.names)}: wants an axis for each variable")
        if self.sigma < 0:
            raise ValueError("sigma: wants a number from 0")

    @property
    def shares(self) -> Floats:
        """Adding up to 1; noise may have made some cells negative, which count as none."""
        kept = np.maximum(self.counts, 0.0)
        total = kept.sum()
        return kept / total if total > 0 else np.full(kept.shape, 1 / kept.size)

    def onto(self, names: Names) -> Margin:
        """Summed onto fewer variables, in the order given."""
        kept = [self.names.index(name) for name in names]
        others = tuple(i for i in range(len(self.names)) if i not in kept)
        order = np.argsort(np.argsort(kept))
        counts = np.transpose(self.counts.sum(axis=others), order) if len(kept) > 1 else self.counts.sum(axis=others)
        summed = prod(self.counts.shape[i] for i in others)
        return Margin(names, np.asarray(counts), self.sigma * summed**0.5)


class Source(Protocol):
    @property
    def variables(self) -> Sequence[Variable]: ...

    def margin(self, names: Names) -> Margin | None:
        """None where the source does not tell."""
        ...


class Rows:
    """Every margin of rows of codes: `codes` has a row for each pupil and a column for each variable."""

    def __init__(self, variables: Sequence[Variable], codes: Codes) -> None:
        if codes.ndim != 2 or codes.shape[1] != len(variables):
            raise ValueError("codes: want a row for each pupil and a column for each variable")
        self.variables = tuple(variables)
        self._place = {v.name: i for i, v in enumerate(self.variables)}
        self._columns = [_checked(v, codes[:, i]) for i, v in enumerate(self.variables)]

    def __len__(self) -> int:
        return len(self._columns[0])

    def column(self, name: str) -> Codes:
        return self._columns[self._place[name]]

    def margin(self, names: Names) -> Margin:
        shape = tuple(len(self.variables[self._place[name]].codes) for name in names)
        cell = np.zeros(len(self), np.int64)
        for name, size in zip(names, shape, strict=True):
            cell = cell * size + self.column(name)
        counts = np.bincount(cell, minlength=prod(shape)).reshape(shape)
        return Margin(names, counts.astype(np.float64))


def _checked(variable: Variable, column: Codes) -> Codes:
    if len(column) and not 0 <= int(column.min()) <= int(column.max()) < len(variable.codes):
        raise ValueError(f"{variable.name}: a value is outside the public code list")
    return np.ascontiguousarray(column, np.int32)


class Measured:
    """Margins that were measured or published, and what can be summed from them; of two, the less noisy one.

    of: variables of which one must be in a table for it to be told. Published shares are often of one variable in
    groups that are as large as they happen to be in the source: of the groups alone such a table tells nothing.
    """

    def __init__(self, variables: Sequence[Variable], margins: Iterable[Margin], of: Collection[str] = ()) -> None:
        self.variables = tuple(variables)
        self.margins, self._of = tuple(margins), frozenset(of)

    def margin(self, names: Names) -> Margin | None:
        if self._of and not self._of & set(names):
            return None
        found = [m.onto(names) for m in self.margins if set(names) <= set(m.names)]
        return min(found, key=lambda m: m.sigma, default=None)


def sets_of(variables: Sequence[Variable], ways: int, limit: int, seed: int = 0) -> list[Names]:
    """All sets of so many variables in order; above the limit a sample of that size, the same for the same seed."""
    names = [v.name for v in variables]
    every = comb(len(names), ways)
    if every <= limit:
        return list(combinations(names, ways))
    rng = np.random.Generator(np.random.Philox(key=[seed, ways]))
    kept = np.sort(rng.choice(every, limit, replace=False))
    return list(_at(combinations(names, ways), kept.tolist()))


def _at(found: Iterator[Names], places: Sequence[int]) -> Iterator[Names]:
    wanted = set(places)
    return (names for i, names in enumerate(found) if i in wanted)
