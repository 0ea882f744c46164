"""Measurements → what is known over every table of the answer: rearranged as asked, and made to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from datasets.plan import Axis, Quantity
from datasets.statistics.recipe import Need, aggregate_of, by_of
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.aggregates import is_additive
from disclosure.consistency import consistent
from disclosure.margins import Margin, shape
from disclosure.tables import Floats, Known, Measurement, Noise

Kind = TypeVar("Kind", bound=np.generic)
Measured = Mapping[Quantity, Measurement]


def known_tables(valid: ValidQuery, measured: Measured) -> list[dict[Need, Known]]:
    """For each table of the answer, everything that its measures need; cells in the order asked for."""
    tables: list[dict[Need, Known]] = [{} for _ in valid.tables]
    for measure in valid.measures:
        for need in measure.needs:
            if need not in tables[0]:
                for table, known in zip(tables, _over_all(valid, measure, need, measured), strict=True):
                    table[need] = known
    return tables


def _over_all(valid: ValidQuery, measure: ValidMeasure, need: Need, measured: Measured) -> list[Known]:
    own = [_arranged(valid, measure, table, need, measured) for table in range(len(valid.tables))]
    several = len({table.levels for table in valid.tables}) > 1 and own[0].noise is not Noise.NONE
    return _adding_up(valid, own) if several and is_additive(valid.measured[aggregate_of(need)]) else own


def _arranged(valid: ValidQuery, measure: ValidMeasure, table: int, need: Need, measured: Measured) -> Known:
    """(cells of the table, combinations × bins), from cells in canonical order."""
    m = measured[valid.quantity(table, need)]
    axes = [*valid.tables[table].axes, *(measure.subject.axis(reference) for reference in by_of(need))]
    order = canonical(valid, axes)
    lengths = [len(axes[i].codes) for i in order]
    cells = np.prod([len(axis.codes) for axis in valid.tables[table].axes], dtype=int)

    def rearranged(array: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
        back = [order.index(i) for i in range(len(axes))]
        return array.reshape(*lengths, array.shape[-1]).transpose(*back, len(axes)).reshape(cells, -1)

    values = rearranged(m.values).astype(np.float64)
    return Known(values, np.full((cells, 1), m.sigma), rearranged(m.masked), m.noise)


def canonical(valid: ValidQuery, axes: Sequence[Axis]) -> list[int]:
    """Places of the axes in the order in which cells are measured."""
    domain = valid.data_set.domain
    return sorted(range(len(axes)), key=lambda i: (domain.index(axes[i].variable), axes[i].groups))


def _adding_up(valid: ValidQuery, own: Sequence[Known]) -> list[Known]:
    """Weighted least squares over all tables: each total is the sum of its parts, and no number is known less well."""
    measured: dict[Margin, tuple[Floats, float]] = {}
    for table, known in zip(valid.tables, own, strict=True):
        kept = [axis for _, axis in sorted(zip(table.places, range(len(table.places)), strict=True))]
        sizes = [len(table.axes[i].codes) for i in range(len(table.axes))]
        values = known.values.reshape(*sizes, -1).transpose(*kept, len(sizes))
        measured[table.levels] = (
            values.reshape(*shape(valid.chains, table.levels), -1),
            float(known.sd[0, 0]) ** 2,
        )
    found = consistent(valid.chains, {levels: measured[levels] for levels in sorted(measured)})
    return [
        _shown(found[table.levels].values, found[table.levels].variance, table.places, known)
        for table, known in zip(valid.tables, own, strict=True)
    ]


def _shown(values: Floats, variance: Floats, places: Sequence[int], own: Known) -> Known:
    """Back in the order of the table's own groupings."""
    lengths = [values.shape[place] for place in sorted(places)]
    order = [sorted(places).index(place) for place in places]
    cells = own.values.shape[0]
    arranged = values.reshape(*lengths, -1).transpose(*order, len(lengths)).reshape(cells, -1)
    spread = variance.reshape(lengths).transpose(order).reshape(cells, 1)
    return Known(np.ascontiguousarray(arranged), np.sqrt(spread), own.masked, own.noise)
