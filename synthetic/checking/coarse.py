"""What must hold of rows made from released tables (T2), and the report of them: beside those tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from synthetic.checking.finding import Finding
from synthetic.coarse.answers import Answers, CoarseRefused, Released
from synthetic.coarse.join import total_of
from synthetic.coarse.release import MARGINS, TABLE, read_margins
from synthetic.drawn.file import column_name
from synthetic.fidelity.margins import Margin, Measured, Rows, Variable
from synthetic.folder import MANIFEST, digest_of, sha256
from synthetic.tiers import Tier

if TYPE_CHECKING:
    from synthetic.fidelity.report import Report

APART, CHUNK_ROWS = 4.0, 8
"""A number is kept within so many of its standard deviations, and so many rows of each file's chunks."""
WANTED = f"wants a folder that `synthetic coarse` wrote, with {MARGINS} and {TABLE}"


def is_coarse(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["tier"] == Tier.COARSENED)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check(folder: Path) -> list[Finding]:
    """Raises ValueError where the folder is not one that `synthetic coarse` wrote."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    changed = sum(
        not (folder / name).is_file() or sha256(folder / name) != facts["sha256"]
        for name, facts in manifest["files"].items()
    )
    answers = _answers(folder)
    rows = _rows(folder, answers.codes)
    outside = sum(len(rows[name]) - int((rows[name] >= 0).sum()) for name in rows)
    found = [
        Finding("files", "files are those of the manifest", changed),
        Finding("codes", "values are codes of the columns that were released", outside),
    ]
    return found if outside else [*found, *_kept(rows, answers)]


def _kept(rows: dict[str, Any], answers: Answers) -> Iterator[Finding]:
    """Of each table, numbers that the rows do not have within what is not known of them."""
    source = _source(rows, answers)
    scale = round(total_of(answers.tables)) / max(1, len(source))
    for table in answers.tables:
        if table.columns:
            got = source.margin(table.columns).counts * scale
            allowed = APART * table.sigma + CHUNK_ROWS * max(1.0, scale)
            held = ~table.hidden | table.small
            allowed[table.hidden] = 0
            broken = int((np.abs(got - np.nan_to_num(table.values)) > allowed)[held].sum())
            name = " × ".join(table.columns)
            yield Finding(f"margin: {table.release}: {name}", "the table is kept but for rounding and noise", broken)


def report_of(folder: Path, findings: Sequence[Finding], release: str | None) -> Report:
    from synthetic.fidelity.report import About, Asked, Constraint, Kept, Reference, build

    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    answers, digest = _answers(folder), digest_of(manifest)
    source, tables = _source(_rows(folder, answers.codes), answers), answers.tables
    told = [t for t in tables if t.columns and (t.small or not t.hidden.any())]
    shown = [Margin(t.columns, t.shown, float(t.sigma.mean())) for t in told]
    about = About(
        title=f"{manifest['of']['dataSet']}, synthetic, from released tables",
        tier=Tier.COARSENED,
        release=release or f"coarse@{digest[:12]}",
        pupils=manifest["plan"]["rows"],
        digest=digest,
        provenance={"Data set": f"{manifest['of']['dataSet']}, version {manifest['of']['version']}"}
        | {"Generator": manifest["generator"], "Seed": str(manifest["plan"]["seed"])},
        kept=tuple(Kept(t.columns or ("all",), float(t.sigma.mean()), _told(t)) for t in tables),
        constraints=tuple(Constraint(f"{f.rule}: {f.says}", 1, f.broken) for f in findings),
    )
    return build(about, source, Measured(source.variables, shown), Reference.RELEASED, Asked())


def _answers(folder: Path) -> Answers:
    try:
        found = read_margins(folder)
    except CoarseRefused:
        raise
    except (OSError, KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"{folder}: {WANTED}") from wrong
    if not any((folder / TABLE).glob("*.parquet")):
        raise ValueError(f"{folder}: {WANTED}")
    return found


def _told(table: Released) -> str:
    hidden = int(table.hidden.sum())
    what = "nobody is drawn in the cells of" if table.small else "nothing is kept of"
    return f"release {table.release}" + (f"; {what} {hidden} hidden numbers" if hidden else "")


def _source(rows: Mapping[str, Any], answers: Answers) -> Rows:
    variables = [Variable(name, name, codes) for name, codes in answers.codes.items()]
    return Rows(variables, np.column_stack([rows[name] for name in answers.codes]))


def _rows(folder: Path, codes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Places of codes by column, -1 for what is none."""
    places = ", ".join(
        f'coalesce(list_position($c{i}, "{column_name(name)}"), 0) - 1 AS c{i}' for i, name in enumerate(codes)
    )
    query = f"SELECT {places} FROM read_parquet($files)"  # noqa: S608 - names of columns in the file beside it
    given = {f"c{i}": list(of) for i, of in enumerate(codes.values())}
    with duckdb.connect() as connection:
        files = [str(p) for p in sorted((folder / TABLE).glob("*.parquet"))]
        found = connection.execute(query, {"files": files, **given}).fetchnumpy()
    return {name: np.asarray(found[f"c{i}"], np.int64) for i, name in enumerate(codes)}
