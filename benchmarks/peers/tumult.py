"""Tumult Analytics on Spark, local on all cores: a cached frame, a session under zCDP, public keys. Needs Java."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from benchmarks.peers.timing import QUESTIONS, Count, report


def main() -> None:
    parameters = json.load(sys.stdin)

    def connect() -> Count:
        os.environ["PYSPARK_PYTHON"] = sys.executable  # or its workers run another Python, without Tumult

        from pyspark.sql import SparkSession
        from tmlt.analytics import AddOneRow, KeySet, QueryBuilder, RhoZCDPBudget, Session

        spark = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        domains, rho = parameters["domains"], parameters["rho"]
        frame = spark.read.parquet(parameters["file"]).select(*domains).cache()
        frame.count()
        session = Session.from_dataframe(
            privacy_budget=RhoZCDPBudget(rho * len(QUESTIONS) * parameters["repetitions"]),
            source_id="pupils",
            dataframe=frame,
            protected_change=AddOneRow(),
        )

        def count(by: Sequence[str]) -> int:
            keys = KeySet.from_dict({name: domains[name] for name in by})
            answer = session.evaluate(QueryBuilder("pupils").groupby(keys).count(), RhoZCDPBudget(rho))
            return len(answer.collect())

        return count

    report(connect, parameters, ("tmlt.analytics", "tmlt.core", "pyspark"))


if __name__ == "__main__":
    main()
