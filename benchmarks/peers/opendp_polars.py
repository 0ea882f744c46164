"""OpenDP Polars: a frame in memory, a compositor under zCDP, public keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import product

from benchmarks.peers.timing import QUESTIONS, Count, report


def main() -> None:
    parameters = json.load(sys.stdin)

    def connect() -> Count:
        import opendp.prelude as dp
        import polars as pl

        dp.enable_features("contrib")
        domains = parameters["domains"]
        data = pl.read_parquet(parameters["file"], columns=list(domains))
        margins = [dp.polars.Margin(by=list(by), max_length=data.height) for by in QUESTIONS.values()]
        times = len(QUESTIONS) * parameters["repetitions"]
        context = dp.Context.compositor(
            data=data.lazy(),
            privacy_unit=dp.unit_of(contributions=1),
            privacy_loss=dp.loss_of(rho=parameters["rho"] * times),
            split_evenly_over=times,
            margins=margins,
        )

        def count(by: Sequence[str]) -> int:
            cells = list(product(*(domains[name] for name in by)))
            keys = pl.LazyFrame(cells, schema=dict.fromkeys(by, pl.String), orient="row")
            query = context.query().group_by(list(by)).agg(dp.len(signed=True)).with_keys(keys)
            found: int = query.release().collect().height
            return found

        return count

    report(connect, parameters, ("opendp", "polars"))


if __name__ == "__main__":
    main()
