"""How far the values of a row depend on earlier rows of the same pupil."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.catalogue import DataSet
from datasets.derive.expression import Ever, Expression, Name, looks_back, parts
from datasets.ingest.slices import Slice, together


def seen_from(data_set: DataSet, of: Slice, every: Sequence[Slice]) -> Slice | None:
    """The slice of all periods that its derived values depend on, its own among them; None where each row is made of
    itself alone."""
    if data_set.time is None or not any(v.derived and looks_back(v.derived) for v in data_set.variables):
        return None
    place = {atom.code: i for i, atom in enumerate(data_set.time.atoms)}
    (last,), back = (place[period] for period in of.periods), _back(data_set)
    return together([one for one in every if one.periods and last - back <= place[one.periods[0]] <= last])


def _back(data_set: DataSet) -> int:
    return max(_years(data_set, v.derived) for v in data_set.variables if v.derived)


def _years(data_set: DataSet, of: Expression) -> int:
    """What is asked of earlier rows may itself ask for earlier ones."""
    if isinstance(of, Name):
        derived = data_set.by_name[of.name].derived
        return _years(data_set, derived) if derived else 0
    below = max((_years(data_set, part) for part in parts(of)), default=0)
    return below + of.years - 1 if isinstance(of, Ever) else below
