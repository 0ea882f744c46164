"""One hierarchy per variable: the groups of its atoms that an `official` answer can speak of.

Tables that are protected by hiding are safe together only if their cells nest: a number of some other union of codes,
less numbers of codes that are shown, is a number that was hidden. So each variable has one chain of levels for all
questions: its atoms (its finest banding, where single values are not given), then each banding into which the level
before nests, the finer first, then everything. A banding outside the chain is not given in `official` mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datasets.plan import Axis
from datasets.predicate import Predicate
from datasets.variables import Banding, Variable
from disclosure.cube import Dimension
from disclosure.margins import Chain
from disclosure.tables import Flags


class NotInHierarchy(ValueError):
    """A set of codes that is no element of its variable's hierarchy."""


@dataclass(frozen=True, slots=True)
class Level:
    """Disjoint sets of atoms that together are all atoms, as bit masks. axis: the codes that stand for them, in their
    order; it has none for sets of atoms outside of all bands. scan: finer or the same, for
    counts of every set.
    """

    masks: tuple[int, ...]
    axis: Axis
    scan: Axis


@dataclass(frozen=True)
class Tree:
    """A variable's hierarchy from some level on. Elements: those of each level in turn, then everything."""

    variable: Variable
    levels: tuple[Level, ...]

    @property
    def scan(self) -> Axis:
        """What the engine groups by for counts of the finest level."""
        return self.levels[0].scan

    @property
    def reference(self) -> str:
        """Of the finest level."""
        return self.levels[0].axis.reference

    @cached_property
    def scanned(self) -> tuple[int, ...]:
        """The element that each code of the scan is part of."""
        masks = self.levels[0].masks
        return tuple(next(i for i, m in enumerate(masks) if m >> group[0] & 1) for group in self.scan.groups)

    @cached_property
    def chain(self) -> Chain:
        parents = [
            _parents(fine.masks, coarse.masks) for fine, coarse in zip(self.levels, self.levels[1:], strict=False)
        ]
        last = self.levels[-1].masks
        everything = [(0,) * len(last)] if len(last) > 1 else []
        return Chain(len(self.levels[0].masks), (*parents, *everything))

    @cached_property
    def dimension(self) -> Dimension:
        return Dimension.of(self.chain)

    @cached_property
    def masks(self) -> tuple[int, ...]:
        """Of every element of the dimension."""
        own = tuple(mask for level in self.levels for mask in level.masks)
        return own if own[-1] == everything(self.variable) else (*own, everything(self.variable))

    def element(self, mask: int) -> int:
        """The first with these atoms: the finest, where a total has a single part."""
        if mask not in self.masks:
            raise NotInHierarchy
        return self.masks.index(mask)

    def cover(self, mask: int) -> list[int]:
        """The fewest elements that make up these atoms."""
        found: list[int] = []
        for place in reversed(range(len(self.masks))):
            if self.masks[place] & ~mask == 0 and self.masks[place]:
                found.append(place)
                mask &= ~self.masks[place]
        if mask:
            raise NotInHierarchy
        return found


def possible(population: Predicate, trees: Sequence[Tree], domain: Sequence[Variable]) -> Flags:
    """Cells of all elements of the trees that someone of the population could be in."""
    levels = [domain.index(tree.variable) for tree in trees]
    every = {tuple(dict(path).get(level, -1) for level in levels) for path in population.paths()}
    found = np.zeros(tuple(tree.dimension.size for tree in trees), np.bool_)
    for admitted in every:
        meets = [[bool(own & mask) for own in tree.masks] for tree, mask in zip(trees, admitted, strict=True)]
        found[np.ix_(*(np.flatnonzero(each) for each in meets))] = True
    return found


def everything(variable: Variable) -> int:
    return (1 << len(variable.atoms)) - 1


def mask_of(atoms: Iterable[int]) -> int:
    return sum(1 << atom for atom in atoms)


def tree_of(variable: Variable, wanted: Sequence[int]) -> Tree:
    """The hierarchy from the coarsest level on of which all these sets of atoms are unions."""
    levels = hierarchy(variable)
    for start in reversed(range(len(levels))):
        if all(_is_union(mask, levels[start].masks) for mask in wanted):
            return Tree(variable, levels[start:])
    raise NotInHierarchy


def hierarchy(variable: Variable) -> tuple[Level, ...]:
    bands = sorted((_banded(variable, b) for b in variable.bandings), key=lambda level: -len(level.masks))
    levels = bands if variable.needs_banding else [_atoms(variable), *bands]
    chain: list[Level] = []
    for level in levels:
        if not chain or (len(level.masks) < len(chain[-1].masks) and _nested(chain[-1].masks, level.masks)):
            chain.append(level)
    return tuple(chain)


def _atoms(variable: Variable) -> Level:
    places = tuple(range(len(variable.atoms)))
    groups = tuple((place,) for place in places)
    axis = Axis(variable.name, variable, variable.stored_atoms, variable.atoms, places, groups)
    return Level(tuple(1 << place for place in places), axis, axis)


def _banded(variable: Variable, banding: Banding) -> Level:
    """Its bands, and the atoms outside all of them as one more."""
    masks = tuple(mask_of(group) for group in banding.groups)
    places = tuple(range(len(banding.codes)))
    reference, column = f"{variable.name}.{banding.name}", variable.stored_banding(banding)
    axis = Axis(reference, variable, column, banding.codes, places, banding.groups)
    rest = everything(variable) & ~sum(masks)
    return Level((*masks, rest), axis, _atoms(variable).axis) if rest else Level(masks, axis, axis)


def _is_union(mask: int, parts: Iterable[int]) -> bool:
    return all(part & mask in (0, part) for part in parts)


def _nested(fine: Iterable[int], coarse: Iterable[int]) -> bool:
    return all(_is_union(mask, fine) for mask in coarse)


def _parents(fine: Sequence[int], coarse: Sequence[int]) -> tuple[int, ...]:
    return tuple(next(i for i, holder in enumerate(coarse) if mask & holder) for mask in fine)
