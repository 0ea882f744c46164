"""SmartNoise SQL as its documentation has it: a pandas frame in memory, and `execute` on SQL.

The easiest case for it: one row per pupil by declaration (row privacy), keys that need not be hidden.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from benchmarks.peers.timing import Count, report


def main() -> None:
    parameters = json.load(sys.stdin)

    def connect() -> Count:
        import duckdb
        from snsql import Privacy, from_df

        columns = ", ".join(parameters["domains"])
        with duckdb.connect() as connection:
            frame = connection.execute(f"select {columns} from read_parquet('{parameters['file']}')").df()
        table = {"row_privacy": True, "censor_dims": False, "rows": len(frame)}
        text = {name: {"type": "string"} for name in parameters["domains"]}
        metadata = {"": {"Data": {"Data": table | text}}}
        reader = from_df(frame, privacy=Privacy(epsilon=parameters["epsilon"], delta=1e-10), metadata=metadata)

        def count(by: Sequence[str]) -> int:
            names = ", ".join(by)
            return len(reader.execute(f"SELECT {names}, COUNT(*) AS n FROM Data.Data GROUP BY {names}")) - 1

        return count

    report(connect, parameters, ("smartnoise-sql", "opendp", "pandas"))


if __name__ == "__main__":
    main()
