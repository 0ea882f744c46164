"""A release: the files of a plan, the catalogue that reads them, and the manifest that says what they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import CUT, bundle
from synthetic import manifest
from synthetic.npd.claims import CLAIMS, ROLLS
from synthetic.npd.fit import coded
from synthetic.npd.layout import Layout
from synthetic.npd.make import LINES_PER_CHUNK, Progress, Written, chunks_of, silent, write_chunks, write_schools_of
from synthetic.npd.parquet import Column, Ticks, Writer
from synthetic.npd.schools import write_schools
from synthetic.npd.subset import subset
from synthetic.npd.twin import as_twin
from synthetic.npd.world import World
from synthetic.plan import Plan


def make(
    plan: Plan,
    folder: Path,
    catalogue: Path,
    progress: Progress = silent,
    workers: int = 1,
    as_csv: bool = False,
) -> dict[str, Any]:
    """Write a release into `folder`, which is new or empty, and return its manifest.

    catalogue: the folder of NPD's, or of one made from it. A plan for some tables gets a catalogue of those alone. The
    same plan and catalogue give the same files. Raises ValueError where the catalogue lacks what the plan names.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: is not empty")
    _catalogue(plan, folder / "catalogue", catalogue)
    text = bundle(folder / "catalogue")
    loaded = load_catalogue(text)
    marks = manifest.provenance(plan, loaded.digest)
    world = World(
        loaded,
        folder / "catalogue",
        plan.years,
        plan.seed,
        plan.terms,
        plan.tier == "T0",
        marks,
        plan.coverage,
        plan.messiness,
    )
    progress("schools", 0, 1)
    chunks = chunks_of(world, plan.pupils, LINES_PER_CHUNK)
    files = [write_schools_of(world, folder, as_csv), *write_chunks(chunks, folder, progress, workers, None, as_csv)]
    written = [(path, rows) for _, path, rows in files]
    written.append(_write_rolls(world, chunks[0].targets.layout, folder))
    claims = [ROLLS, *(c.name for c in CLAIMS if loaded.data_set(c.table))] if plan.keeps_claims else []
    spoilt: dict[str, int] = {}
    for kind, n in world.spoilt:
        spoilt[kind] = spoilt.get(kind, 0) + n
    if plan.messiness:
        spoilt |= {
            "late joiners": chunks[0].targets.layout.changes.sum().item(),
            "second registrations": _second(files),
        }
    content = manifest.manifest(plan, loaded.digest, folder, written, claims, spoilt if plan.messiness else {})
    manifest.write(folder, content)
    return content


def _second(files: Written) -> int:
    rows = {name: sum(n for other, _, n in files if other == name) for name in ("census", "registrations")}
    return max(0, rows["registrations"] - rows["census"])


def _catalogue(plan: Plan, to: Path, given: Path) -> None:
    shutil.copytree(given, to, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    head = to / CUT
    head.write_text(as_twin(head.read_text(encoding="utf-8")), encoding="utf-8")
    if plan.schools:
        write_schools(to, plan.schools)
    if plan.tables:
        text = subset(bundle(to), {"schools": (), **plan.tables})
        for path in to.glob("*.toml"):
            path.unlink()
        (to / CUT).write_text(text, encoding="utf-8")


def _write_rolls(world: World, layout: Layout, folder: Path) -> tuple[Path, int]:
    """Pupils of the plan by school, year and year group: the same in every term."""
    rows = [(school, year, group, n) for year in world.years for (school, group), n in layout.roll(year).items()]
    school, year, group, number = (list(column) for column in zip(*rows, strict=True))
    with Writer(world.marks) as writer:
        columns: dict[str, Column] = {
            "school": coded(world.schools.rows["code"], school),
            "year": Ticks.whole(year),
            "year_group": Ticks.whole(group),
            "pupils": Ticks.whole(number),
        }
        return writer.write(folder / "rolls.parquet", columns), len(rows)
