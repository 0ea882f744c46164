"""The catalogue of drawn pupils: one data set, a row each, and the columns of the model with their codes and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthetic.drawn.file import ModelFile, column_name
from synthetic.fidelity.margins import Variable
from synthetic.model import Zero
from synthetic.npd.subset import dump


def catalogue_of(file: ModelFile) -> str:
    """Of the synthetic twin of the cut that was fitted, with what follows from the columns and what none of them can be
    together."""
    origin = file.origin
    derived = {d.variable.name: _variable(d.variable, d.missing) | {"derived": d.follows} for d in file.derived}
    impossible = [_impossible(zero, file) for zero in file.model.zeros.all]
    return catalogue_of_rows(
        origin.cut.partition("@")[0], origin.data_set, origin.title, file.columns, file.empty, derived, impossible
    )


def catalogue_of_rows(
    cut: str,
    data_set: str,
    title: str,
    columns: Iterable[Variable],
    empty: Mapping[str, str | None],
    derived: Mapping[str, Any] | None = None,
    impossible: Sequence[Mapping[str, Sequence[str]]] = (),
) -> str:
    """Nobody is in it, so that nothing in it is sensitive. cut: of the real one. empty: codes of missing values."""
    twin = cut if cut.endswith("-synthetic") else f"{cut}-synthetic"
    head = {"id": twin, "title": f"{title}, synthetic", "privacy_unit": "pupil", "synthetic": True}
    variables = {v.name: _variable(v, empty.get(v.name)) for v in columns} | dict(derived or {})
    never = {"impossible": list(impossible)} if impossible else {}
    described = {"title": title, "key": "each row is one pupil", **never, "variables": variables}
    return dump({"cut": head, "data_sets": {data_set: described}})


def _impossible(zero: Zero, file: ModelFile) -> Mapping[str, Sequence[str]]:
    codes = {v.name: v.codes for v in file.columns}
    return {column_name(name): [codes[column_name(name)][c] for c in of] for name, of in zero.of}


def _variable(v: Variable, missing: str | None) -> dict[str, Any]:
    return {
        "type": "category",
        "label": v.label,
        "identifiability": 5,
        "sensitivity": "E",
        "codes": [[code, v.shown(code)] for code in v.codes],
        **({"missing": missing} if missing is not None else {}),
    }
