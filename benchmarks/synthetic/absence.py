"""The absence microdata as codes (see SOURCES.md beside the file): places in the official lists, not in the rows' own.

Columns that are constant or other names of the authority are left out: they would tell nothing of any method.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from benchmarks.synthetic.table import Column, Table

FILE = "absence_person_level_202223.parquet"
SEED = 1
UNCLASSIFIED = "Unclassified"
REGIONS = [f"E1200000{i}" for i in (1, 2, 3, 4, 5, 6, 8, 9)] + ["E13000001", "E13000002"]
DOMAINS = {
    "region_code": REGIONS,
    "school_type": ["State-funded primary", "State-funded secondary", "Special"],
    "fsm_eligible": ["Eligible", "Not Eligible", UNCLASSIFIED],
    "sen_status": ["Any special educational need", "No identified special educational need", UNCLASSIFIED],
    "gender": ["Female", "Male", UNCLASSIFIED],
    "nc_year_actual": [str(i) for i in range(1, 12)],
    "absence_band": [f"pct{i}_OARate" for i in range(5, 55, 5)] + ["pct50plus_OARate"],
}


def read(shared: Path, authorities: list[str]) -> Table:
    """authorities: old codes of all that there ever were, from the official list."""
    domains = {"old_la_code": authorities, **DOMAINS}
    places = ", ".join(f"list_position({list(codes)!r}, {name}) - 1 as {name}" for name, codes in domains.items())
    with duckdb.connect() as connection:
        found = connection.execute(f"select {places} from '{shared / FILE}'").fetchnumpy()
    if any(np.ma.is_masked(found[name]) or (found[name] < 0).any() for name in domains):
        raise ValueError("absence: a code that is not in the official lists")
    codes = np.column_stack([found[name].astype(np.uint8) for name in domains])
    return Table([Column(name, len(values)) for name, values in domains.items()], codes)
