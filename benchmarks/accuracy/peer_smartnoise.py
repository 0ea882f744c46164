"""SmartNoise SQL, in an environment of its own. Parameters as JSON on stdin; mean absolute errors as JSON on stdout.

Row privacy (one row per pupil), bounds in the metadata, keys not censored (they are public), counts not clamped. Its
own rewritten SQL computes the exact aggregates in DuckDB; they go back in by `execute(pre_aggregated=…)`, as its
documentation has it for data it cannot hold. Noise, division and everything after are its own.

What a query really costs is what its `get_privacy_cost` says, which is more than the ε it was given wherever a
statistic needs several sums. ε and δ are set so that the whole question costs what it may.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import duckdb
import pandas as pd
from snsql import Privacy, from_df

from benchmarks.accuracy.questions import BOUNDS, FLAGS, QUESTIONS, Ask, Kind, Question
from benchmarks.accuracy.truth import Cells, mean_absolute_error, summary, truth

NAMES = ("la", "region", "year_group", "fsm", "lea", "sex", "grade", "quarter", "band", *sorted(FLAGS))
FUNCTIONS = {Kind.MEAN: "AVG", Kind.SD: "STDDEV"}


def metadata(rows: int) -> dict[str, Any]:
    text = {name: {"type": "string"} for name in NAMES}
    number = {name: {"type": "float", "lower": low, "upper": high} for name, (low, high) in BOUNDS.items()}
    table = {"row_privacy": True, "censor_dims": False, "clamp_counts": False, "rows": rows}
    return {"": {"Data": {"Data": table | text | number}}}


def sql(ask: Ask) -> str:
    """A share is two counts in disjoint cells, which costs one; a mean of 0/1 would cost two."""
    by = [*ask.by, ask.of] if ask.kind is Kind.SHARE else list(ask.by)
    what = f"{FUNCTIONS[ask.kind]}({ask.of})" if ask.kind in FUNCTIONS else "COUNT(*)"
    group = f" GROUP BY {', '.join(by)}" if by else ""
    return f"SELECT {', '.join([*by, f'{what} AS answer'])} FROM Data.Data{group}"


def reader(rows: int, eps: float, delta: float) -> Any:
    columns = pd.DataFrame({name: [] for name in (*NAMES, *BOUNDS)})
    return from_df(columns, privacy=Privacy(epsilon=eps, delta=delta), metadata=metadata(rows))


def priced(question: Question, rows: int, eps: float, delta: float) -> tuple[Any, tuple[float, float]]:
    """The reader whose cost for the whole question is (ε, δ) at most, and that cost."""
    queries = [sql(ask) for ask in question.asks]
    _, share = reader(rows, 0.01, delta).get_privacy_cost(queries)
    each_delta = delta * delta / share * (1 - 1e-4)
    low, high = eps / sum(ask.columns for ask in question.asks) / 2, 2 * eps
    for _ in range(20):
        middle = (low + high) / 2
        cost = reader(rows, middle, each_delta).get_privacy_cost(queries)[0]
        low, high = (middle, high) if cost <= eps else (low, middle)
    chosen = reader(rows, low, each_delta)
    spent = chosen.get_privacy_cost(queries)
    assert spent[0] <= eps
    assert spent[1] <= delta
    return chosen, (float(spent[0]), float(spent[1]))


def exact(private: Any, query: str, connection: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    """Its own subquery, which holds its own clamping, run by DuckDB."""
    subquery, _ = private._rewrite(query)
    found = connection.execute(str(subquery).replace("Data.Data", "data"))
    names = [symbol.name for symbol in subquery._select_symbols]
    return [names, *map(list, found.fetchall())]


def answer(ask: Ask, rows: Sequence[Sequence[Any]]) -> Cells:
    places = len(ask.by)
    if ask.kind is not Kind.SHARE:
        return {tuple(map(str, row[:places])): float(row[-1]) for row in rows[1:]}
    parts: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows[1:]:
        parts.setdefault(tuple(map(str, row[:places])), {})[row[places]] = float(row[-1])
    return {key: share(found.get("yes", 0.0), found.get("no", 0.0)) for key, found in parts.items()}


def share(yes: float, no: float) -> float:
    return 100 * yes / (yes + no) if yes + no >= 1 else float("nan")


def errors(question: Question, file: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    true = [truth(file, ask) for ask in question.asks]
    private, spent = priced(question, parameters["most"][question.data], parameters["epsilon"], parameters["delta"])
    with duckdb.connect() as connection:
        connection.execute(f"create view data as from read_parquet('{file}')")
        known = [exact(private, sql(ask), connection) for ask in question.asks]
    found = []
    for _ in range(parameters["repetitions"][question.id]):
        released = [private.execute(sql(a), pre_aggregated=k) for a, k in zip(question.asks, known, strict=True)]
        answers = [answer(a, r) for a, r in zip(question.asks, released, strict=True)]
        found.append([mean_absolute_error(*parts) for parts in zip(question.asks, true, answers, strict=True)])
    return {**summary(found), "spent": spent, "how": f"Laplace, ε {private.privacy.epsilon:.3g} each"}


def main() -> None:
    parameters = json.load(sys.stdin)
    out: dict[str, Any] = {}
    for question in QUESTIONS:
        if any(ask.kind is Kind.QUANTILE for ask in question.asks):
            continue
        print(f"SmartNoise SQL: {question.id} {question.title}", file=sys.stderr, flush=True)
        out[question.id] = errors(question, parameters["files"][question.data], parameters)
    versions = {name: version(name) for name in ("smartnoise-sql", "opendp", "pandas", "numpy")}
    json.dump({"versions": versions, "questions": out}, sys.stdout)


if __name__ == "__main__":
    main()
