"""A folder of rows made from released tables: Parquet files, the tables themselves, and the manifest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue_toml import load_catalogue
from synthetic import manifest
from synthetic.coarse.answers import Answers, CoarseRefused, Released
from synthetic.coarse.join import join
from synthetic.drawn.catalogue import catalogue_of_rows
from synthetic.drawn.file import column_name
from synthetic.drawn.release import MOST_ROWS, PART, Progress
from synthetic.fidelity.document import uses_of
from synthetic.fidelity.margins import Variable
from synthetic.folder import unlike
from synthetic.model.sample import CHUNK, Sampler
from synthetic.npd.parquet import Coded, Writer
from synthetic.tiers import Tier

MARGINS, TABLE = "margins.json", "records"


def write(
    answers: Answers, folder: Path, seed: int, progress: Progress, rows: int = 0, workers: int = 1
) -> dict[str, Any]:
    """Write a release into `folder`, which is new or empty, and return its manifest. rows: 0 for as many as the tables
    are of. Raises CoarseRefused, and ValueError where the folder is not empty or the rows are too many."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: is not empty")
    if not 0 <= rows <= MOST_ROWS:
        raise ValueError(f"rows: wants at most {MOST_ROWS:,}")
    progress("joining the tables", 0, 1)
    joined = join(answers)
    catalogue = _catalogue(answers)
    (folder / "catalogue").mkdir(parents=True)
    (folder / "catalogue" / "cut.toml").write_text(catalogue, encoding="utf-8")
    rows, sampler, written = rows or joined.rows, Sampler(joined.fitted), []
    with Writer(_marks(answers, seed)) as writer:
        for number, start in enumerate(range(0, rows, PART)):
            length = min(PART, rows - start)
            codes = sampler.rows(length, seed, workers, number * (PART // CHUNK))
            columns = {column_name(n): Coded(answers.codes[n], codes[:, i]) for i, n in enumerate(joined.domain.names)}
            written.append((writer.write(folder / TABLE / f"{number:03d}.parquet", columns), length))
            progress("rows", start + length, rows)
    (folder / MARGINS).write_text(margins(answers), encoding="utf-8")
    written.append((folder / MARGINS, len(answers.tables)))
    digest, uses = load_catalogue(catalogue).digest, uses_of(Tier.COARSENED)
    content = manifest.of_coarse(answers.about, answers.releases, digest, folder, written, rows, seed, uses)
    manifest.write(folder, content)
    return content


def strange(folder: Path, plan: Mapping[str, Any]) -> list[str]:
    """Files of a T2 release that do not follow from its released tables: what could hold something else.

    plan: rows and seed, as the manifest has them. All is made again, and must be the same byte for byte."""
    try:
        answers, rows, seed = read_margins(folder), int(plan["rows"]), int(plan["seed"])
        if not 0 < rows <= MOST_ROWS:
            return [MARGINS]
        return unlike(folder, lambda again: write(answers, again, seed, lambda *_: None, rows))
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        return [MARGINS]


def _marks(answers: Answers, seed: int) -> dict[str, str]:
    told = {"provenance": "synthetic", "tier": Tier.COARSENED.value, "seed": str(seed)}
    return told | {"generator": manifest.generator(), "releases": " ".join(answers.releases)}


def margins(answers: Answers) -> str:
    """What was released, as it was: null where it was hidden."""
    content = {
        "of": dict(answers.about),
        "releases": dict(answers.releases),
        "columns": {name: list(codes) for name, codes in answers.codes.items()},
        "tables": [_plain(table) for table in answers.tables],
    }
    return json.dumps(content, separators=(",", ":")) + "\n"


def read_margins(folder: Path) -> Answers:
    """Raises OSError, KeyError, TypeError or ValueError where the file is not as `margins` writes it."""
    found = json.loads((folder / MARGINS).read_text(encoding="utf-8"))
    codes = {name: tuple(each) for name, each in found["columns"].items()}
    return Answers(codes, tuple(_read(t, codes) for t in found["tables"]), found["releases"], found["of"])


def _read(table: Mapping[str, Any], codes: Mapping[str, tuple[str, ...]]) -> Released:
    shape = [len(codes[c]) for c in table["columns"]]
    values, sigma = (np.array(table[n], np.float64).reshape(shape) for n in ("values", "sigma"))
    return Released(table["release"], tuple(table["columns"]), values, sigma, table["small"])


def _plain(table: Released) -> dict[str, Any]:
    return {
        "release": table.release,
        "columns": list(table.columns),
        "values": [None if math.isnan(value) else value for value in table.values.ravel().tolist()],
        "sigma": table.sigma.ravel().tolist(),
        "small": table.small,
    }


def _catalogue(answers: Answers) -> str:
    cut, _, data_set = answers.about["dataSet"].partition(".")
    columns = [Variable(column_name(name), name, codes) for name, codes in answers.codes.items()]
    if double := next((v.name for i, v in enumerate(columns) if v.name in {c.name for c in columns[:i]}), None):
        raise CoarseRefused(f"{double}: two groupings would have this one name in a file; leave one out")
    return catalogue_of_rows(cut, data_set, f"{answers.about['dataSet']} from released tables", columns, {})
