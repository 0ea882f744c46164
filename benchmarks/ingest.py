"""Ingest at scale: makes Parquet files of 20 years × 3 terms and 25 columns, and takes them in. Deterministic.

    python -m benchmarks.ingest 100000000 [--folder DIR] [--memory 4GB] [--threads 2] [--keep]

Prints seconds of wall and CPU for each kind of step, and the most memory that was resident. Then one file is amended
and all are ingested again: only that one is read. At last the server is started on what was made, six times, the first
three with nothing in the system's cache where it may be emptied (as root on Linux). Wants some 80 bytes a row of disk:
source, parts and two versions. Files that an earlier run made in DIR are used again, and a run that was killed goes on
(--keep leaves them). --years 1 makes the files of one year as large as they are among so many rows, so that a twentieth
of the time tells of the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import duckdb

from benchmarks.million import Home
from benchmarks.server import serving
from disclosure.accounting import NANO
from privacy_api.bootstrap import open_stores
from privacy_api.cli.cuts import bind
from privacy_api.ports import Project
from privacy_api.settings import load_settings

YEARS, TERMS, STAY, FIRST = 20, ("AUT", "SPR", "SUM"), 13, 2005
CATEGORIES = {
    "la": 152, "school": 22_000, "year_group": 15, "sex": 2, "fsm": 2, "sen": 3, "eal": 3, "ethnicity": 20, "idaci": 10,
    "phase": 4, "enrolment": 3, "need": 14, "mode": 4, "birth_month": 12, "sector": 9, "boarder": 2, "travel": 8,
    "language": 60,
}  # fmt: skip
NUMBERS = {"attended": 400, "possible": 400, "hours": 40, "class_size": 60}
QUESTION = {
    "measures": [{"statistic": "count"}],
    "groupBy": ["la", "sex"],
    "criteria": {"timePeriods": {"eq": {"period": "2020/2021", "code": "AY"}}},
    "rho": "0.0001",
}
RARE = 6
"""One pupil in so many is eligible for free school meals."""
HEAD = """
[cut]
id = "scale"
title = "Benchmark census (synthetic)"
privacy_unit = "pupil"
synthetic = true
[data_sets.census]
title = "Census"
sort_by = ["term", "la"]
key = { unit = "pupil", time = "year", also = ["term"], rows_per_period = 3 }
cubes = [["la", "year_group", "sex"]]
"""
TEXT = 'label = "{name}"\nidentifiability = 5\nsensitivity = "E"\n'


def code(name: str, place: int) -> str:
    return f"{name[0].upper()}{place:05d}"


def year(place: int) -> str:
    return f"{FIRST + place}{(FIRST + place + 1) % 100:02d}"


def variable(name: str, rest: str) -> str:
    return f"[data_sets.census.variables.{name}]\n{TEXT.replace('{name}', name)}{rest}\n"


def catalogue() -> str:
    years = ", ".join(f'["{year(i)}", "{FIRST + i}/{FIRST + i + 1}", "AY"]' for i in range(YEARS))
    found = [HEAD, variable("year", f'type = "time"\ncodes = [{years}]')]
    found.append(variable("term", f'type = "category"\ncodes = {json.dumps(TERMS)}'))
    for name, size in CATEGORIES.items():
        codes = json.dumps([code(name, i) for i in range(size)])
        found.append(variable(name, f'type = "category"\ncodes = {codes}'))
    for name, size in NUMBERS.items():
        found.append(variable(name, f'type = "number"\nunit = "x"\nrange = ["0", "{size}"]\nstep = "1"'))
    ever = f"case when ever(fsm = '{code('fsm', 1)}', 6) then 'Y' else 'N' end"
    found.append(variable("fsm6", f'type = "category"\ncodes = ["N", "Y"]\nderived = "{ever}"'))
    return "\n".join(found)


def make(rows: int, folder: Path, years: int) -> list[Path]:
    """A file for each year and term; pupils stay for 13 years."""
    each, paths = rows // (YEARS * len(TERMS)), []
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        for place in range(years):
            for term, called in enumerate(TERMS):
                path = folder / f"census_{year(place)}_{called}.parquet"
                if not path.exists():
                    made = path.with_suffix(".making")
                    query = select(each, place, term)
                    con.execute(f"COPY ({query}) TO '{made}' (FORMAT parquet, COMPRESSION zstd)")
                    made.rename(path)
                paths.append(path)
    return paths


def select(each: int, place: int, term: int) -> str:
    pupil, shown = f"(i + {place} * {each // STAY})", [f"'{year(place)}' AS year", f"'{TERMS[term]}' AS term"]
    shown.append(f"upper(md5('pupil' || {pupil})) AS pupil")
    for k, (name, size) in enumerate(CATEGORIES.items()):
        drawn = f"hash({pupil}, {k}) % {size}"
        if name == "fsm":
            drawn = f"(hash({pupil}, {k}, {place}) % {RARE} = 0)::INTEGER"
        shown.append(f"'{name[0].upper()}' || lpad(({drawn})::VARCHAR, 5, '0') AS {name}")
    for k, (name, size) in enumerate(NUMBERS.items()):
        shown.append(f"(hash({pupil}, {place}, {term}, {100 + k}) % {size})::SMALLINT AS {name}")
    return f"SELECT {', '.join(shown)} FROM range({each}) r(i)"


class Clock:
    """Wall and CPU of each kind of step."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
        self._kind, self._at = "", self._now()

    def step(self, name: str, done: int, total: int) -> None:
        now = self._now()
        if self._kind:
            of = self.spent[self._kind]
            self.spent[self._kind] = [of[0] + now[0] - self._at[0], of[1] + now[1] - self._at[1], of[2] + 1]
        self._kind, self._at = name.split()[0], now
        print(f"\r{done}/{total} {name:<50}", end="", file=sys.stderr, flush=True)

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def ingest_here(folder: Path, memory: str, threads: int) -> None:
    """In a process of its own, so that its memory is its own."""
    from datasets.catalogue_toml import load_catalogue
    from datasets.ingest import ingest

    text, clock, start = catalogue(), Clock(), (time.perf_counter(), time.process_time())
    files = sorted(folder.glob("census_*.parquet"))
    published = ingest(load_catalogue(text), text, {"census": files}, folder / "cuts", clock, memory, threads)
    rows, (wall, cpu) = published.manifest.data_sets["census"].rows, (time.perf_counter(), time.process_time())
    print(f"\n\nversion {published.version}: {rows:,} rows of {len(files)} files\n", file=sys.stderr, flush=True)
    print("| step | times | wall, s | CPU, s |\n|---|---|---|---|")
    for kind, (of_wall, of_cpu, times) in clock.spent.items():
        print(f"| {kind} | {times:.0f} | {of_wall:.1f} | {of_cpu:.1f} |")
    print(f"| all | | {wall - start[0]:.1f} | {cpu - start[1]:.1f} |")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"\nmost resident: {most / 2**30:.2f} GiB (of which the engine may take {memory}); "
          f"database: {sum(p.stat().st_size for p in published.databases.values()) / 1e9:.2f} GB\n")  # fmt: skip


def amend(folder: Path) -> None:
    """The last file, without its last record."""
    path = sorted(folder.glob("census_*.parquet"))[-1]
    made = path.with_suffix(".making")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * FROM '{path}' WHERE file_row_number > 0) TO '{made}' (FORMAT parquet)")
    made.rename(path)


def start(folder: Path) -> None:
    """Seconds until the server answers, and the first question after it."""
    bind(folder / "policies", "scale", None)
    home = Home(folder, _key(folder), folder)
    print("| start of the server | wall, s | CPU, s | first count, one year, LA × sex, s |\n|---|---|---|---|")
    for place in range(6):
        cold = place < 3 and _empty_cache()
        with serving(home, {}, 1) as server:
            asked = server.drive([("/v1/data-sets/scale.census/query", QUESTION)], 1)
        wall, cpu = server.started
        print(f"| {'files not cached' if cold else 'files cached'} | {wall:.2f} | {cpu:.2f} | {asked[0]:.2f} |")


def _key(folder: Path) -> str:
    stores = open_stores(load_settings({}, home=folder, mode="demo"))
    if stores.projects.project("bench") is None:
        stores.projects.create_project(Project("bench", "Benchmark", NANO, frozenset()))
    key = stores.projects.create_key("bench", "bench", "test")[1]
    stores.close()
    return key


def _empty_cache() -> bool:
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("rows", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--start-only", action="store_true", help="start the server on what an earlier run left")
    parser.add_argument("--ingest-only", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ingest_only:
        ingest_here(asked.folder, asked.memory, asked.threads)
        return
    if asked.start_only:
        start(asked.folder)
        return
    folder = asked.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        make(asked.rows, folder, asked.years)
        again = [sys.executable, "-m", "benchmarks.ingest", *sys.argv[1:], "--ingest-only", "--folder", str(folder)]
        subprocess.run(again, check=True)
        amend(folder)
        subprocess.run(again, check=True)
        start(folder)
    finally:
        if not asked.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
