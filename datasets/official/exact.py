"""What one release's rules look at, gathered by the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from datasets.contribution import contribution
from datasets.official.gather import Aggregates, Gathered, gather
from datasets.official.table import OfficialTable
from datasets.official.trees import mask_of, possible
from datasets.predicate import Algebra
from disclosure.aggregates import Count, DistinctCount, Sum, SumOfProducts
from disclosure.cube import Cube
from disclosure.evidence import Evidence, Largest
from disclosure.official import Exact, Summed
from disclosure.policy import Policy
from disclosure.rounding import RoundingMethod
from disclosure.rules import MinimumSchools
from disclosure.tables import Flags, Integers


def exact_of(table: OfficialTable, policy: Policy, aggregate: Aggregates) -> Exact:
    """One pass over the data for counts and sums, and one for each total of what does not add up."""
    schools = _schools(table, policy)
    evidence: list[DistinctCount | Evidence] = [schools] if schools else []
    evidence += [largest for a in table.sums if (largest := _largest(a, policy))]
    found = gather(table, aggregate, evidence, needs_keys(policy))
    return Exact(
        counts=Cube(table.dimensions, found.counts),
        rows_each=rows_each(table),
        structural=_structural(table),
        present={a: found.sums[a] for a in table.present},
        sums={a: _summed(a, found, policy) for a in table.sums},
        distinct={a: found.evidence[a][..., 0] for a in table.distinct},
        positions=found.positions,
        schools=found.evidence[schools][..., 0] if schools else None,
        by_school=_by_school(table, schools.variable) if schools and schools.variable else None,
        keys=found.keys,
    )


def needs_keys(policy: Policy) -> bool:
    return policy.rounding_method is RoundingMethod.RANDOM or policy.cell_key is not None


def _schools(table: OfficialTable, policy: Policy) -> DistinctCount | None:
    rule = policy.rule(MinimumSchools)
    known = {variable.name for variable in table.data_set.domain}
    return DistinctCount(rule.variable) if rule and rule.variable in known else None


def _largest(aggregate: Sum | SumOfProducts, policy: Policy) -> Largest | None:
    """As many of the largest contributions as any rule looks at; the minimum count wants so many contributors."""
    return Largest(aggregate, max(policy.largest, policy.minimum_count)) if isinstance(aggregate, Sum) else None


def rows_each(table: OfficialTable) -> Integers:
    """The most rows of one pupil in a cell: as many as in one period, for every period that the cell is of."""
    time = table.data_set.time
    found = np.ones((1,) * len(table.shape), np.int64)
    if time is None or table.data_set.key.time is None:
        return found * max(contribution(table.data_set, table.population, ()).blocks)
    level = table.data_set.domain.index(time)
    one = Algebra(table.population.sizes)
    each = max(contribution(table.data_set, one.predicate(one.member(level, 1)), ()).blocks)
    tree = next((tree for tree in table.trees if tree.variable.name == time.name), None)
    if tree is None:
        return found * each * table.population.admitted(level).bit_count()
    along = [1] * len(table.shape)
    along[table.trees.index(tree)] = -1
    return np.array([each * mask.bit_count() for mask in tree.masks], np.int64).reshape(along)


def _structural(table: OfficialTable) -> Flags:
    """Cells that nobody of the population could be in, or that the catalogue says nobody can be in."""
    domain, found = table.data_set.domain, np.zeros(table.shape, np.bool_)
    found[..., -1] = ~possible(table.population, table.trees, domain)
    for place, split in enumerate(table.splits):
        start, end = table.start(place), table.start(place + 1)
        found[..., start:end] = ~possible(table.population, [*table.trees, split], domain)[..., :-1]
    found |= _impossible(table)
    return found


def _impossible(table: OfficialTable) -> Flags:
    """A split's codes are dimensions of their own here: a cell of one split says nothing of another."""
    found = np.zeros(table.shape, np.bool_)
    for one in table.data_set.impossible:
        atoms = {name: mask_of(each) for name, each in one.atoms}
        inside = [[_within(m, atoms, tree.variable.name) for m in tree.masks] for tree in table.trees]
        for place, split in enumerate(table.splits):
            elements = np.zeros(table.shape[-1], np.bool_)
            own = [_within(mask, atoms, split.variable.name) for mask in split.masks[:-1]]
            elements[table.start(place) : table.start(place) + len(own)] = own
            named = {*(tree.variable.name for tree in table.trees), split.variable.name}
            if atoms.keys() <= named and split.variable.name in atoms:
                found |= _product([*inside, elements.tolist()])
        if atoms.keys() <= {tree.variable.name for tree in table.trees}:
            found |= _product([*inside, [True] * table.shape[-1]])
    return found


def _within(mask: int, atoms: Mapping[str, int], variable: str) -> bool:
    """Whether all of these atoms are among those of the combination, or its variable is none of it."""
    return variable not in atoms or mask & ~atoms[variable] == 0


def _product(flags: Sequence[Sequence[bool]]) -> Flags:
    found = np.ones((1,) * len(flags), np.bool_)
    for axis, each in enumerate(flags):
        shape = [1] * len(flags)
        shape[axis] = len(each)
        found = found & np.array(each, np.bool_).reshape(shape)
    return found


def _by_school(table: OfficialTable, variable: str) -> Flags:
    found = np.zeros(table.shape[:-1], np.bool_)
    for axis, tree in enumerate(table.trees):
        if tree.variable.name == variable:
            np.moveaxis(found, axis, 0)[[mask.bit_count() == 1 for mask in tree.masks]] = True
    return found


def _summed(aggregate: Sum | SumOfProducts, found: Gathered, policy: Policy) -> Summed:
    values, origin = found.sums[aggregate], aggregate.origin
    rows = found.sums[Count(aggregate.present)] if aggregate.present else found.counts[..., -1]
    largest = _largest(aggregate, policy)
    low, high = (aggregate.lower, aggregate.upper) if isinstance(aggregate, Sum) else aggregate.bounds
    return Summed(
        values=values,
        total=values + origin * rows,
        rows=rows,
        least=low - origin,
        most=high - origin,
        largest=found.evidence[largest] if largest else None,
    )
