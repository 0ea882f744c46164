"""The real files as the peers get them: the columns of the questions, coded as in the examples' catalogues.

They are written to a scratch folder that the run removes. No cell of them is printed or kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True, slots=True)
class Source:
    """A file of ../shared/data, the example that describes it, its columns as SQL, and what the catalogue calls them.

    most: public bound on the number of rows, as in the catalogue.
    """

    file: str
    catalogue: str
    data_set: str
    most: int
    columns: Mapping[str, str]
    references: Mapping[str, str]


SOURCES = {
    "absence": Source(
        "absence_person_level_202223.parquet",
        "absence.toml",
        "absence",
        10_000_000,
        {
            "la": "new_la_code",
            "region": "region_code",
            "year_group": "nc_year_actual",
            "fsm": "replace(lower(fsm_eligible), ' ', '_')",
            "persistent": "if(absence_band in ('pct5_OARate', 'pct10_OARate'), 'no', 'yes')",
        },
        {"la": "la", "region": "la.region", "year_group": "year_group", "fsm": "fsm"},
    ),
    "chem97": Source(
        "Chem97.csv",
        "chem97.toml",
        "candidates",
        100_000,
        {
            "lea": "lea::varchar",
            "sex": "gender",
            "grade": "score::int::varchar",
            "quarter": """case when age < -3 then '(-6) to <(-3)' when age < 0 then '(-3) to <0'
                when age < 3 then '0 to <3' else '3 to 6' end""",
            "band": """case when gcsescore < 4 then '0 to <4' when gcsescore < 5 then '4 to <5'
                when gcsescore < 6 then '5 to <6' when gcsescore < 7 then '6 to <7' else '7 to 8' end""",
            "score": "score::bigint",
            "gcse": "gcsescore::double",
            "gcse_squared": "gcsescore::double ** 2",
            "grade_a": "if(score = 10, 'yes', 'no')",
        },
        {"lea": "lea", "sex": "sex", "grade": "grade", "quarter": "age.quarter", "band": "gcse.band"},
    ),
}


def prepare(source: Source, shared: Path, target: Path) -> Path:
    read = "read_csv" if source.file.endswith(".csv") else "read_parquet"
    columns = ", ".join(f"{sql} as {name}" for name, sql in source.columns.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns} from {read}('{shared / source.file}')) to '{target}' (format parquet)"
        )
    return target
