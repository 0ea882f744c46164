"""The catalogue of drawn pupils: one data set, a row each, and the columns of the model with their codes and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synthetic.drawn.file import ModelFile
from synthetic.fidelity.margins import Variable
from synthetic.npd.subset import dump


def catalogue_of(file: ModelFile) -> str:
    """Of the synthetic twin of the cut that was fitted."""
    return catalogue_of_rows(
        file.origin.cut.partition("@")[0], file.origin.data_set, file.origin.title, file.columns, file.empty
    )


def catalogue_of_rows(
    cut: str, data_set: str, title: str, columns: Iterable[Variable], empty: Mapping[str, str | None]
) -> str:
    """Nobody is in it, so that nothing in it is sensitive. cut: of the real one. empty: codes of missing values."""
    twin = cut if cut.endswith("-synthetic") else f"{cut}-synthetic"
    head = {"id": twin, "title": f"{title}, synthetic", "privacy_unit": "pupil", "synthetic": True}
    variables = {v.name: _variable(v, empty.get(v.name)) for v in columns}
    described = {"title": title, "key": "each row is one pupil", "variables": variables}
    return dump({"cut": head, "data_sets": {data_set: described}})


def _variable(v: Variable, missing: str | None) -> dict[str, Any]:
    return {
        "type": "category",
        "label": v.label,
        "identifiability": 5,
        "sensitivity": "E",
        "codes": [[code, v.shown(code)] for code in v.codes],
        **({"missing": missing} if missing is not None else {}),
    }
