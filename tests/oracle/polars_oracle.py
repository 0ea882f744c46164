"""OpenDP Polars as an oracle: what noise it gives to counts and sums for a price. JSON in on stdin, JSON out on stdout.

It runs in an environment of its own, since OpenDP's extra pins an old Polars: `make oracle`, and
`tests/oracle/test_oracle.py`. It imports nothing of this project.

In: {"rho", "rows": {column: values}, "public": [[columns whose keys are public] …],
     "cases": [{"name", "by": [columns], "bounds": [{"by", "per_group", "num_groups"} …],
                "sum": null or [lower, upper]}]}
Out: {name: scale of the noise}.

bounds: what one privacy unit may contribute, as rows in each group and as groups, to the table as a whole.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import opendp.prelude as dp
import polars as pl

MOST_ROWS = 1_000
"""Declared to OpenDP, so that it can rule out overflow of sums."""


def context(asked: dict[str, Any], case: dict[str, Any]) -> Any:
    bounds = [dp.polars.Bound(**bound) for bound in case["bounds"]]
    public = [dp.polars.Margin(by=by, invariant="keys") for by in asked["public"]]
    return dp.Context.compositor(
        data=pl.LazyFrame(asked["rows"]),
        privacy_unit=dp.unit_of(contributions=bounds),
        privacy_loss=dp.loss_of(rho=asked["rho"]),
        split_evenly_over=1,
        margins=[dp.polars.Margin(max_length=MOST_ROWS), *public],
    )


def scale(asked: dict[str, Any], case: dict[str, Any]) -> float:
    wanted = dp.len(signed=True)
    if case["sum"] is not None:
        wanted = pl.col("value").fill_null(0).dp.sum(tuple(case["sum"]))
    query = context(asked, case).query()
    query = query.group_by(case["by"]).agg(wanted) if case["by"] else query.select(wanted)
    (found,) = query.summarize()["scale"].to_list()
    return float(found)


def main() -> None:
    dp.enable_features("contrib")
    asked = json.load(sys.stdin)
    json.dump({case["name"]: scale(asked, case) for case in asked["cases"]}, sys.stdout)


if __name__ == "__main__":
    main()
