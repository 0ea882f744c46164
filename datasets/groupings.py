"""What an answer is grouped by: its axes, and the coarser tables (totals) that are shown with it and add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from datasets.names import Names
from datasets.plan import Axis
from datasets.predicate import Predicate
from datasets.statistics import Subject
from disclosure.margins import Chain

MOST_TOTALS = 16


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the answer. levels: of each axis of the whole, 0 its own codes, the last summed over.

    places[i] is the axis of the whole that axes[i] is, or is coarser than; axes of the whole are counted in canonical
    order. names: as they were asked for.
    """

    names: tuple[str, ...]
    axes: tuple[Axis, ...]
    places: tuple[int, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The tables of an answer, the first of them the finest, and how codes of each axis add up to coarser ones."""

    tables: tuple[Table, ...]
    chains: tuple[Chain, ...]


def grouping_of(
    group_by: Sequence[str], totals: Sequence[Sequence[str]], predicate: Predicate, names: Names, most: int
) -> Grouping:
    """Problems go to `names`; where there are any, the grouping means nothing."""
    axes = axes_of(group_by, predicate, names, most, "groupBy")
    if names.problems:
        return Grouping((Table((), (), (), ()),), ())
    reader = _Totals(group_by, axes, predicate, names)
    coarser = [reader.coarser(total, f"totals[{i}]") for i, total in enumerate(totals)]
    if len(totals) > MOST_TOTALS:
        names.refuse("TooManyGroups", f"Wants at most {MOST_TOTALS} totals.", "totals")
    if names.problems:
        return Grouping((Table((), (), (), ()),), ())
    return reader.grouping([found for found in coarser if found is not None])


def axes_of(references: Sequence[str], predicate: Predicate, names: Names, most: int, path: str) -> list[Axis]:
    if len(references) > most:
        names.refuse("TooManyGroups", f"Wants at most {most} groupings.", path)
        return []
    subjects = [names.domain(reference, f"{path}[{i}]") for i, reference in enumerate(references)]
    axes = [axis_of(s, predicate, names) for s in subjects if s is not None]
    for axis in axes:
        if not axis.codes:
            names.refuse("CriteriaSelectNobody", f"No group of {axis.reference} could meet the criteria.", path)
    if len({(a.variable.name, a.groups) for a in axes}) < len(axes):
        names.refuse("RepeatedGroup", "Two groupings are the same.", path)
    return axes


def axis_of(subject: Subject, predicate: Predicate, names: Names) -> Axis:
    """Only codes that the criteria can admit are keys: that is public, and no noise is spent on the impossible."""
    variable, banding = subject.named, subject.banding
    admitted = predicate.admitted(names.data_set.domain.index(variable))
    codes, groups = subject.codes, subject.groups
    shown = [i for i, group in enumerate(groups) if any(admitted >> atom & 1 for atom in group)]
    return Axis(
        reference=f"{variable.name}.{banding.name}" if banding else variable.name,
        variable=variable,
        column=variable.stored_banding(banding) if banding else variable.stored_atoms,
        codes=tuple(codes[i] for i in shown),
        positions=tuple(shown),
        groups=tuple(groups[i] for i in shown),
    )


def left_out(axis: Axis, predicate: Predicate, names: Names) -> set[int]:
    """Atoms that the criteria admit and that have no code on the axis."""
    admitted = predicate.admitted(names.data_set.domain.index(axis.variable))
    held = {atom for group in axis.groups for atom in group}
    return {atom for atom in range(len(axis.variable.atoms)) if admitted >> atom & 1} - held


@dataclass(frozen=True, slots=True)
class _Coarser:
    """A total: for each axis of the whole its own or a coarser axis and the name it was asked by, or None."""

    axes: tuple[tuple[str, Axis] | None, ...]


class _Totals:
    """Reads totals against the axes of the whole."""

    def __init__(self, group_by: Sequence[str], axes: Sequence[Axis], predicate: Predicate, names: Names) -> None:
        self._whole, self._names, self._predicate = list(zip(group_by, axes, strict=True)), names, predicate

    def coarser(self, references: Sequence[str], path: str) -> _Coarser | None:
        wanted = axes_of(references, self._predicate, self._names, len(self._whole), path)
        found: list[tuple[str, Axis] | None] = [None] * len(self._whole)
        for reference, axis in zip(references, wanted, strict=False):
            place = self._place(axis, path)
            if place is None:
                return None
            if found[place] is not None:
                self._names.refuse("RepeatedGroup", "A total names one grouping twice.", path)
            found[place] = (reference, axis)
        for place, kept in enumerate(found):
            if kept is None and not self._covers(self._whole[place][1]):
                self._leaves_out(self._whole[place][1], path)
        return _Coarser(tuple(found))

    def _place(self, axis: Axis, path: str) -> int | None:
        """The axis of the whole that this is, or that it is coarser than."""
        for place, (_, own) in enumerate(self._whole):
            if own.reference == axis.reference:
                return place
        for place, (_, own) in enumerate(self._whole):
            if own.variable.name == axis.variable.name:
                if self._parents(own, axis) is None or not self._covers(own):
                    self._leaves_out(own, path)
                    return None
                return place
        accepted = ", ".join(name for name, _ in self._whole) or "nothing, since groupBy is empty"
        self._names.refuse(
            "TotalsNotFound",
            f"A total is of groupings in groupBy, or coarser ones. Accepted: {accepted}.",
            path,
        )
        return None

    def _covers(self, axis: Axis) -> bool:
        return not left_out(axis, self._predicate, self._names)

    def _leaves_out(self, axis: Axis, path: str) -> None:
        message = f"Codes of {axis.reference} do not make up this total: rows are left out, or in several."
        self._names.refuse("TotalsDoNotCover", message, path)

    def grouping(self, totals: Sequence[_Coarser]) -> Grouping:
        between = [self._levels(place, totals) for place in range(len(self._whole))]
        if self._names.problems:
            return Grouping((Table((), (), (), ()),), ())
        steps = [_Steps(self._aligned((own, *coarser))) for (_, own), coarser in zip(self._whole, between, strict=True)]
        chains = tuple(self._chain(each) for each in steps)
        if sum(len(chain.sizes) > 2 for chain in chains) > 1:
            message = "Only one grouping may have totals by coarser codes; ask for those of others by themselves."
            self._names.refuse("TotalsNotNested", message, "totals")
        whole = _Coarser(tuple(self._whole))
        tables = tuple(dict.fromkeys(_table(each, steps) for each in (whole, *totals)))
        return _in_canonical_order(Grouping(tables, chains), self._order())

    def _order(self) -> list[int]:
        """Places of the axes of the whole as they would stand however they were asked for."""
        domain = self._names.data_set.domain
        axes = [axis for _, axis in self._whole]
        return sorted(range(len(axes)), key=lambda i: (domain.index(axes[i].variable), axes[i].groups))

    def _levels(self, place: int, totals: Sequence[_Coarser]) -> list[Axis]:
        """Coarser axes of one axis of the whole, finest first; each must nest in the next."""
        own = self._whole[place][1]
        named = {kept[1].reference: kept[1] for total in totals if (kept := total.axes[place]) is not None}
        between = sorted((a for r, a in named.items() if r != own.reference), key=lambda a: -len(a.codes))
        if any(self._parents(fine, coarse) is None for fine, coarse in pairwise(between)):
            message = f"Totals of {own.reference} must be levels, each within the next."
            self._names.refuse("TotalsNotNested", message, "totals")
        return between

    def _aligned(self, axes: Sequence[Axis]) -> list[Axis]:
        """Those with as many codes as the one before in its order, whatever the order of their own code lists."""
        found = [axes[0]]
        for axis in axes[1:]:
            order = self._parents(found[-1], axis)
            same = order is not None and len(axis.codes) == len(found[-1].codes)
            found.append(_reordered(axis, order) if same and order is not None else axis)
        return found

    def _chain(self, steps: _Steps) -> Chain:
        own = steps.distinct[0]
        parents = [self._parents(fine, coarse) or () for fine, coarse in pairwise(steps.distinct)]
        last = steps.distinct[-1]
        everything = ((0,) * len(last.codes),) if len(last.codes) > 1 else ()
        return Chain(len(own.codes), (*parents, *everything))

    def _parents(self, fine: Axis, coarse: Axis) -> tuple[int, ...] | None:
        """For each code of the one the code of the other that holds it; None where one is not within another."""
        admitted = self._predicate.admitted(self._names.data_set.domain.index(fine.variable))
        holder = {atom: place for place, group in enumerate(coarse.groups) for atom in group}
        found = [{holder.get(atom, -1) for atom in group if admitted >> atom & 1} for group in fine.groups]
        parents = tuple(min(places) for places in found)
        nested = all(len(places) == 1 for places in found) and set(parents) == set(range(len(coarse.codes)))
        return parents if nested else None


def _reordered(axis: Axis, order: Sequence[int]) -> Axis:
    return replace(
        axis,
        codes=tuple(axis.codes[i] for i in order),
        positions=tuple(axis.positions[i] for i in order),
        groups=tuple(axis.groups[i] for i in order),
    )


class _Steps:
    """An axis and its coarser ones, finest first. Those with as many codes as one before are the same level: the same
    cells in the same order, so that no measurement is counted twice."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.by_reference = {axis.reference: axis for axis in axes}
        self.distinct = [axes[0]]
        self._level = {axes[0].reference: 0}
        for axis in axes[1:]:
            if len(axis.codes) < len(self.distinct[-1].codes):
                self.distinct.append(axis)
            self._level[axis.reference] = len(self.distinct) - 1

    def level(self, axis: Axis | None) -> int:
        """None is summed over."""
        if axis is not None:
            return self._level[axis.reference]
        return len(self.distinct) - (len(self.distinct[-1].codes) == 1)


def _in_canonical_order(grouping: Grouping, order: Sequence[int]) -> Grouping:
    """Arithmetic of floats must not depend on the order of asking; what is shown keeps it."""
    tables = tuple(
        replace(
            table,
            places=tuple(order.index(place) for place in table.places),
            levels=tuple(table.levels[i] for i in order),
        )
        for table in grouping.tables
    )
    return Grouping(tables, tuple(grouping.chains[i] for i in order))


def _table(total: _Coarser, steps: Sequence[_Steps]) -> Table:
    kept = [(place, *pair) for place, pair in enumerate(total.axes) if pair is not None]
    return Table(
        names=tuple(name for _, name, _ in kept),
        axes=tuple(steps[place].by_reference[axis.reference] for place, _, axis in kept),
        places=tuple(place for place, _, _ in kept),
        levels=tuple(
            each.level(None if pair is None else pair[1]) for each, pair in zip(steps, total.axes, strict=True)
        ),
    )
