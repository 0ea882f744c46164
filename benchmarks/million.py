"""A million pupils in a home to serve: sex × ethnicity has 36 cells, area × ethnicity 2,736. Deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.census import AREAS, GROUPS
from disclosure.accounting import NANO
from privacy_api.bootstrap import open_stores
from privacy_api.cli.cuts import bind, preset
from privacy_api.ports import Project
from privacy_api.settings import load_settings

PUPILS, ETHNICITIES = 1_000_000, 18
DATA_SET = "million.pupils"
SEXES = ("F", "M")
FILE = "million.parquet"


def areas() -> list[str]:
    return [f"L{i:03d}" for i in range(AREAS)]


def ethnicities() -> list[str]:
    return [f"E{i:02d}" for i in range(ETHNICITIES)]


def year_groups() -> list[str]:
    return [str(i) for i in range(GROUPS)]


def catalogue() -> str:
    head = """
[cut]
id = "million"
title = "A million pupils (synthetic)"
privacy_unit = "pupil"
synthetic = true
[data_sets.pupils]
title = "Pupils"
key = { unit = "pupil_id", rows_per_period = 1 }
sort_by = ["la"]
"""
    lists = {"la": areas(), "ethnicity": ethnicities(), "year_group": year_groups(), "sex": list(SEXES)}
    categories = "".join(
        f"""
[data_sets.pupils.variables.{name}]
type = "category"
label = "{name}"
{'level = "LA"' if name == "la" else ""}
identifiability = 5
sensitivity = "E"
codes = {codes}
"""
        for name, codes in lists.items()
    )
    number = """
[data_sets.pupils.variables.sessions]
type = "number"
label = "sessions"
identifiability = 5
sensitivity = "E"
range = ["0", "380"]
step = "1"
"""
    return head + categories + number


def write(path: Path) -> None:
    """As Parquet; values are hashes of texts, so that columns are nearly independent (hashes of pairs of numbers share
    their parity: half of the cells would be empty)."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (select i::varchar pupil_id, printf('L%03d', hash(i || 'la') % {AREAS}) la,
                (hash(i || 'year_group') % {GROUPS})::varchar year_group,
                if(hash(i || 'sex') % 2 = 0, 'F', 'M') sex, (hash(i || 'sessions') % 381)::integer sessions,
                printf('E%02d', hash(i || 'ethnicity') % {ETHNICITIES}) ethnicity
                from range({PUPILS}) t(i)) to '{path}' (format parquet)"""
        )


@dataclass(frozen=True, slots=True)
class Home:
    """Where the service lives, a key to it, and the file that was ingested."""

    path: Path
    key: str
    file: Path


def build(home: Path) -> Home:
    """Ingest, a policy whose budget no benchmark exhausts, a project and its key."""
    from datasets.catalogue_toml import load_catalogue
    from datasets.ingest import ingest
    from privacy_api.cli.progress import Bar

    settings = load_settings({}, home=home, mode="demo")
    text, file = catalogue(), home / FILE
    write(file)
    with Bar() as bar:
        ingest(load_catalogue(text), text, {"pupils": [file]}, settings.cuts, bar)
    bind(settings.policies, "million", preset("dp-default").replace("cut_rho = 0.5", "cut_rho = 100"))
    stores = open_stores(settings)
    stores.projects.create_project(Project("bench", "Bench", 100 * NANO, frozenset()))
    key = stores.projects.create_key("bench", "", settings.environment)[1]
    stores.close()
    return Home(home, key, file)
