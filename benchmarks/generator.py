"""What generated pupils cost: `python -m benchmarks.generator [ROWS]` prints a table; each line runs in a process of
its own."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

NPD = Path("datasets/npd")
CENSUS = (
    *("year", "term", "school", "enrol_status", "on_roll", "sex", "year_group", "age", "month_of_birth", "ethnicity"),
    *("language_group", "fsm_eligible", "sen_provision", "primary_need", "secondary_need", "boarder", "service_child"),
    "idaci_rank",
)
"""With the pupil's identifier and the mark: 20 columns."""
ROLL = 0.856
"""Rows of a census for each pupil of the plan, nearly."""


def census(folder: Path, rows: int) -> str:
    from synthetic import Plan, make

    plan = Plan(
        min(10_000_000, round(rows / ROLL)), range(2025, 2026), 1, "T1", {"census": CENSUS}, ("SPR",), schools=20_000
    )
    made = make(plan, folder, NPD)
    files = [f for name, f in made["files"].items() if name.startswith("census/")]
    total = sum(f["rows"] for f in files)
    return f"{total:,} rows of 20 columns, {sum(f['bytes'] for f in files) / total:.1f} bytes a row"


def demo(folder: Path, _: int) -> str:
    from synthetic.demo import make_demo

    made = make_demo(folder, NPD)
    return f"50,000 pupils, {len(made.sources)} data sets"


def whole(folder: Path, _: int) -> str:
    from synthetic import Plan, make

    made = make(Plan(50_000, range(2020, 2025)), folder, NPD)
    return f"50,000 pupils, 5 years, all data sets: {sum(f['rows'] for f in made['files'].values()):,} rows"


def rare(folder: Path, _: int) -> str:
    from synthetic import Plan, sample

    where = "ethnicity = 'WIRT' and (sex = 'F' or year_group in ('1', '2', '3', '4', '5', '6', '7', '8'))"
    sample(1_000, where, folder / "rows.parquet", NPD, Plan(5_000_000, range(2025, 2026), terms=("SPR",)))
    return "1,000 rows of a kind that one pupil in 2,000 is of"


def nothing(_: Path, __: int) -> str:
    import synthetic

    return f"import {synthetic.__name__}"


PARTS: Mapping[str, Callable[[Path, int], str]] = {
    "census": census, "demo": demo, "whole": whole, "sample": rare, "import": nothing,
}  # fmt: skip


def main(rows: int) -> None:
    print("| | what | CPU, s | wall, s | most memory, MB |\n|---|---|---:|---:|---:|")
    for name in PARTS:
        command = [sys.executable, "-m", "benchmarks.generator", name, str(rows)]
        print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="", flush=True)


def part(name: str, rows: int) -> None:
    wall = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        what = PARTS[name](Path(scratch), rows)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu, memory = spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1000
    print(f"| {name} | {what} | {cpu:.2f} | {time.perf_counter() - wall:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        part(sys.argv[1], int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000_000)
