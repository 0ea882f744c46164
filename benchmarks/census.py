"""A census of ten million rows: 20 years of 500,000 pupils, 152 areas, 15 year groups. Deterministic."""

from __future__ import annotations

from pathlib import Path

import duckdb

YEARS, PUPILS, AREAS, GROUPS = 20, 500_000, 152, 15


def catalogue() -> str:
    areas = ", ".join(f'["L{i:03d}", "Area {i}"]' for i in range(AREAS))
    groups = ", ".join(f'["{i}", "Year {i}"]' for i in range(GROUPS))
    years = ", ".join(f'["{2000 + i}", "{2000 + i}", "CY"]' for i in range(YEARS))
    head = """
[cut]
id = "bench"
title = "Benchmark census (synthetic)"
privacy_unit = "pupil"
synthetic = true
[data_sets.census]
title = "Census"
sort_by = ["la"]
key = { unit = "pupil_id", time = "year", rows_per_period = 1 }
"""
    return head + "".join(
        f"""
[data_sets.census.variables.{name}]
type = "{kind}"
label = "{name}"
identifiability = 5
sensitivity = "E"
{rest}
"""
        for name, kind, rest in (
            ("year", "time", f"codes = [{years}]"),
            ("la", "category", f'level = "LA"\ncodes = [{areas}]'),
            ("year_group", "category", f"codes = [{groups}]"),
            ("sex", "category", 'codes = ["F", "M"]'),
            ("sessions", "number", 'range = ["0", "380"]\nstep = "1"'),
        )
    )


def write(path: Path) -> None:
    """As Parquet; every value is a hash, so columns are nearly independent."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (select (i % {PUPILS})::varchar pupil_id, (2000 + i // {PUPILS})::varchar "year",
                printf('L%03d', hash(i, 1) % {AREAS}) la, (hash(i, 2) % {GROUPS})::varchar year_group,
                case when hash(i, 3) % 2 = 0 then 'F' else 'M' end sex, (hash(i, 4) % 381)::integer sessions
                from range({YEARS * PUPILS}) t(i)) to '{path}' (format parquet)"""
        )
