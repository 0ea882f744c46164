"""The folder of a T3 release: rows, catalogue, model and manifest. All of it follows from the model and a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue_toml import load_catalogue
from synthetic import manifest
from synthetic.drawn.catalogue import catalogue_of
from synthetic.drawn.file import ModelFile, read
from synthetic.fidelity.margins import Variable
from synthetic.folder import MANIFEST, MODEL, unlike
from synthetic.model.domain import Codes
from synthetic.model.sample import CHUNK
from synthetic.npd.parquet import Coded, Writer

PART = 4 * CHUNK
"""Rows of one file."""
MOST_ROWS = 100_000_000
Progress = Callable[[str, int, int], None]


def draw(
    text: str, folder: Path, rows: int, seed: int, progress: Progress, workers: int = 1, as_csv: bool = False
) -> Mapping[str, Any]:
    """text: the model's file. folder: new or empty. The manifest that was written. The same text, number of rows and
    seed give the same files. Raises ModelRefused, and ValueError where the folder is not empty or the rows too many."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: is not empty")
    if not 0 < rows <= MOST_ROWS:
        raise ValueError(f"rows: wants 1 to {MOST_ROWS:,}")
    file = read(text)
    catalogue = catalogue_of(file)
    digest = load_catalogue(catalogue).digest
    (folder / "catalogue").mkdir(parents=True)
    (folder / "catalogue" / "cut.toml").write_text(catalogue, encoding="utf-8")
    (folder / MODEL).write_text(text, encoding="utf-8")
    files = dict(_tables(file, folder, rows, seed, progress, workers, as_csv)) | {folder / MODEL: 0}
    content = manifest.of_drawn(file.origin, digest, folder, files, rows, seed)
    manifest.write(folder, content)
    return content


def _tables(
    file: ModelFile, folder: Path, rows: int, seed: int, progress: Progress, workers: int, as_csv: bool
) -> Iterator[tuple[Path, int]]:
    progress("working out the model", 0, rows)
    with Writer(_marks(file, seed), as_csv) as writer:
        for number, start in enumerate(range(0, rows, PART)):
            length = min(PART, rows - start)
            codes = file.model.sampler.rows(length, seed, workers, number * (PART // CHUNK))
            columns = {v.name: _column(v, file.empty.get(v.name), codes[:, i]) for i, v in enumerate(file.columns)}
            yield writer.write(folder / file.origin.data_set / f"pupils-{number + 1:03}.parquet", columns), length
            progress("writing", start + length, rows)


def _column(v: Variable, missing: str | None, codes: Codes) -> Coded:
    """As the files of the cut have it: a code that stands for an empty value is one."""
    if missing is None:
        return Coded(v.codes, codes)
    return Coded(v.codes, np.where(codes == v.codes.index(missing), len(v.codes), codes))


def _marks(file: ModelFile, seed: int) -> dict[str, str]:
    return {
        "provenance": "synthetic",
        "tier": "T3",
        "seed": str(seed),
        "model": file.origin.release,
        "generator": manifest.generator(),
        "notice": "Made-up pupils: nobody in this file exists.",
    }


def strange(folder: Path, plan: Mapping[str, Any]) -> list[str]:
    """Files of a T3 release that its model does not draw: what could hold something that nobody paid for.

    plan: pupils and seed, as the manifest has them. They are drawn again, and must be the same byte for byte.
    """
    try:
        text, rows, seed = (folder / MODEL).read_text(encoding="utf-8"), int(plan["pupils"]), int(plan["seed"])
        if not 0 < rows <= MOST_ROWS:
            return [MODEL]
        found = unlike(folder, lambda again: draw(text, again, rows, seed, lambda *_: None))
        return [name for name in found if name != MANIFEST]
    except (OSError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return [MODEL]
