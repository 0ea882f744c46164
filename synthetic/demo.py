"""The demonstration's cut: six data sets of made-up pupils and some thirty of their variables, made in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthetic.npd.make import Progress, silent
from synthetic.npd.release import make
from synthetic.plan import Plan

YEARS = range(2024, 2025)
TABLES: Mapping[str, tuple[str, ...]] = {
    "schools": ("school", "la", "phase", "type", "phase_type", "intake", "sixth_form"),
    "census": (
        *("year", "term", "school", "sex", "year_group", "age", "month_of_birth", "ethnicity", "language_group"),
        *("fsm_eligible", "sen_provision", "primary_need", "sen_need_group", "idaci_rank", "idaci_decile"),
    ),
    "ks2": (
        *("year", "school", "reading_score", "maths_score", "writing", "rwm_expected", "average_score", "prior_band"),
    ),
    "ks4": (
        *("year", "school", "attainment8", "attainment8_expected", "progress8", "english_maths_95", "english_maths_94"),
    ),
    "absence_year": (
        *("year", "school", "sessions_possible", "authorised", "unauthorised", "missed", "persistent", "absence_band"),
    ),
    "exclusions": ("year", "order", "school", "term", "category", "reason"),
}


@dataclass(frozen=True, slots=True)
class Demo:
    """catalogue: its folder. sources: of each data set its files, as ingest takes them."""

    catalogue: Path
    sources: Mapping[str, list[Path]]


def make_demo(
    folder: Path, catalogue: Path, pupils: int = 50_000, seed: int = 2026, years: range = YEARS,
    progress: Progress = silent, workers: int = 2,
) -> Demo:  # fmt: skip
    """Write the cut into `folder`, which is new or empty. catalogue: the folder of NPD's."""
    plan = Plan(pupils, years, seed, tables=TABLES, terms=("SPR",))
    made = make(plan, folder, catalogue, progress, workers)
    sources: dict[str, list[Path]] = {name: [] for name in TABLES}
    for name in made["files"]:
        data_set, _, file = name.rpartition("/")
        if data_set in sources and file:
            sources[data_set].append(folder / name)
    return Demo(folder / "catalogue", sources)
