"""The report of drawn pupils: their margins beside the noisy ones that the model was fitted to, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from disclosure.accounting import epsilon, rho
from synthetic.checking.run import Progress, check
from synthetic.drawn.file import ModelFile, column_name, read
from synthetic.fidelity.files import constraints
from synthetic.fidelity.margins import Margin, Measured, Names, Variable
from synthetic.fidelity.report import About, Asked, Kept, Price, Reference, Report, build
from synthetic.folder import MODEL, digest_of, manifest_of, tables_of
from synthetic.tables import counted
from synthetic.tiers import Tier

NOTHING = Asked()


class Counted:
    """Every margin of rows in Parquet files, each counted when it is first wanted. empty: of columns that may have no
    value, the code that stands for it."""

    def __init__(self, variables: Sequence[Variable], parts: Sequence[Path], empty: Mapping[str, str]) -> None:
        self.variables = tuple(variables)
        self._places = {v.name: _places(v, empty.get(v.name)) for v in variables}
        self.margin = cache(lambda names: self._margin(parts, names))

    def _margin(self, parts: Sequence[Path], names: Names) -> Margin:
        places = [self._places[n] for n in names]
        counts = np.zeros([max(place.values()) + 1 for place in places])
        for *codes, number in counted(parts, names):
            if strange := [n for n, place, code in zip(names, places, codes, strict=True) if code not in place]:
                raise ValueError(f"{strange[0]}: the files have a value that is none of its codes")
            counts[tuple(place[code] for place, code in zip(places, codes, strict=True))] = number
        return Margin(names, counts)


def _places(v: Variable, empty: str | None) -> dict[str | None, int]:
    places: dict[str | None, int] = {code: i for i, code in enumerate(v.codes)}
    return places if empty is None else places | {None: places[empty]}


def report_of(folder: Path, release_id: str | None = None, progress: Progress | None = None) -> Report:
    """Raises ValueError where the folder is not one that `synthetic draw` wrote."""
    manifest = manifest_of(folder)
    try:
        file = read((folder / MODEL).read_text(encoding="utf-8"))
    except OSError:
        raise ValueError(f"{folder}: wants a folder that `synthetic draw` wrote, with its model") from None
    parts = [folder / name for names in tables_of(manifest).values() for name in names]
    reference = Measured(file.columns, _measured(file))
    about = _about(file, manifest, folder, release_id, progress)
    return build(about, Counted(file.columns, parts, file.empty), reference, Reference.MEASURED, NOTHING)


def _measured(file: ModelFile) -> Iterator[Margin]:
    for m in file.model.measured:
        yield Margin(tuple(map(column_name, m.clique)), np.asarray(m.counts, np.float64), m.sigma)


def _about(
    file: ModelFile, manifest: dict[str, Any], folder: Path, release_id: str | None, progress: Progress | None
) -> About:
    origin, digest = file.origin, digest_of(manifest)
    return About(
        title=f"{origin.title}, synthetic",
        tier=Tier.PRIVATE,
        release=release_id or f"{origin.release}@{digest[:12]}",
        pupils=manifest["plan"]["pupils"],
        digest=digest,
        provenance={
            "Model": origin.release,
            "Cut and data set": f"{origin.cut}, {origin.data_set}",
            "Pupils": origin.population,
            "Fitted": origin.fitted,
            "Generator": manifest["generator"],
            "Seed": str(manifest["plan"]["seed"]),
            "Catalogue": manifest["catalogue"],
        },
        kept=tuple(Kept(m.names, m.sigma, "measured with noise") for m in _measured(file)),
        constraints=tuple(constraints(check(folder, progress))),
        price=Price(float(rho(origin.nano_rho)), epsilon(origin.nano_rho, origin.delta), origin.delta),
    )
