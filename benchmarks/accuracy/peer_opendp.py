"""OpenDP Polars, in an environment of its own. Parameters as JSON on stdin; mean absolute errors as JSON on stdout.

Public keys by `with_keys`, public bounds on the number of rows in the margins, signed counts. Each question is asked
under pure ε (Laplace) and under zCDP (Gaussian, with the ρ that OpenDP's own conversion allows for (ε, δ)); the better
one stands. Where a question has several tables, its total is split as `split_by_weights` would,
by the noisy numbers that each table needs.

A query is resolved to its mechanism once, and the mechanism invoked for each repetition.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import product
from typing import Any

import opendp.prelude as dp
import polars as pl

from benchmarks.accuracy.questions import BOUNDS, QUESTIONS, STEP, Ask, Kind, Question
from benchmarks.accuracy.truth import Cells, as_one, mean_absolute_error, summary, truth

dp.enable_features("contrib")
PILOT = 10


def losses(parameters: Mapping[str, Any], part: float) -> dict[str, Any]:
    return {
        "Laplace": dp.loss_of(epsilon=parameters["epsilon"] * part),
        "Gaussian": dp.loss_of(rho=parameters["rho"] * part),
    }


def expressions(ask: Ask) -> list[Any]:
    match ask.kind:
        case Kind.COUNT | Kind.SHARE:
            return [dp.len(signed=True).alias("answer")]
        case Kind.MEAN:
            return [pl.col(ask.of).cast(pl.Float64).dp.mean(BOUNDS[ask.of]).alias("answer")]
        case Kind.SD:
            low, high = BOUNDS[ask.of]
            squared = pl.col(f"{ask.of}_squared").dp.sum((low**2, high**2)).alias("squares")
            return [dp.len(signed=True).alias("n"), pl.col(ask.of).dp.sum((low, high)).alias("sum"), squared]
        case Kind.QUANTILE:
            low, high = BOUNDS[ask.of]
            candidates = [round(low + i * STEP, 10) for i in range(round((high - low) / STEP) + 1)]
            return [pl.col(ask.of).dp.quantile(float(p), candidates).alias(p) for p in ask.probabilities]


def keys(by: Sequence[str], domains: Mapping[str, Sequence[str]]) -> pl.LazyFrame:
    combinations = list(product(*(domains[name] for name in by)))
    return pl.LazyFrame(combinations, schema=dict.fromkeys(by, pl.String), orient="row")


def mechanism(ask: Ask, data: pl.LazyFrame, loss: Any, most: int, domains: Mapping[str, Sequence[str]]) -> Any:
    by = [*ask.by, ask.of] if ask.kind is Kind.SHARE else list(ask.by)
    context = dp.Context.compositor(
        data=data,
        privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=loss,
        split_evenly_over=1,
        margins=[dp.polars.Margin(by=by, max_length=most)],
    )
    query = context.query()
    if by:
        return query.group_by(by).agg(*expressions(ask)).with_keys(keys(by, domains)).resolve()
    return query.select(*expressions(ask)).resolve()


def answer(ask: Ask, rows: Sequence[Mapping[str, Any]]) -> Cells:
    found: dict[tuple[str, ...], float] = {}
    if ask.kind is Kind.SHARE:
        parts: dict[tuple[str, ...], dict[str, float]] = {}
        for row in rows:
            parts.setdefault(tuple(row[b] for b in ask.by), {})[row[ask.of]] = row["answer"]
        return {key: share(part["yes"], part["no"]) for key, part in parts.items()}
    for row in rows:
        key = tuple(row[b] for b in ask.by)
        if ask.kind is Kind.QUANTILE:
            found |= {(*key, p): row[p] for p in ask.probabilities}
        else:
            found[key] = deviation(row) if ask.kind is Kind.SD else row["answer"]
    return found


def share(yes: float, no: float) -> float:
    return 100 * yes / (yes + no) if yes + no >= 1 else float("nan")


def deviation(row: Mapping[str, Any]) -> float:
    if row["n"] < 2:
        return float("nan")
    spread = row["squares"] - row["sum"] ** 2 / row["n"]
    return float(max(spread / (row["n"] - 1), 0.0) ** 0.5)


def runs(
    question: Question, data: pl.LazyFrame, true: Sequence[Cells], parameters: Mapping[str, Any], noise: str, times: int
) -> list[tuple[float, ...]]:
    """Of each repetition the errors of the tables."""
    total = sum(ask.columns for ask in question.asks)
    per_table = []
    for ask, cells in zip(question.asks, true, strict=True):
        loss = losses(parameters, ask.columns / total)[noise]
        release = mechanism(ask, data, loss, parameters["most"][question.data], parameters["domains"])
        released = (release(data).collect().rows(named=True) for _ in range(times))
        per_table.append([mean_absolute_error(ask, cells, answer(ask, rows)) for rows in released])
    return list(zip(*per_table, strict=True))


def errors(question: Question, data: pl.LazyFrame, true: Sequence[Cells], parameters: Mapping[str, Any]) -> Any:
    """Of the noise that a few repetitions show to be the better one."""
    few = {n: summary(runs(question, data, true, parameters, n, PILOT))["errors"] for n in ("Laplace", "Gaussian")}
    both = {noise: as_one(question, found) for noise, found in few.items()}
    how = min(both, key=lambda noise: both[noise])
    found = runs(question, data, true, parameters, how, parameters["repetitions"][question.id])
    return {**summary(found), "how": how, "both": both}


def main() -> None:
    parameters = json.load(sys.stdin)
    frames = {name: pl.scan_parquet(file) for name, file in parameters["files"].items()}
    out: dict[str, Any] = {}
    for question in QUESTIONS:
        print(f"OpenDP Polars: {question.id} {question.title}", file=sys.stderr, flush=True)
        true = [truth(parameters["files"][question.data], ask) for ask in question.asks]
        out[question.id] = errors(question, frames[question.data], true, parameters)
    versions = {name: version(name) for name in ("opendp", "polars")}
    json.dump({"versions": versions, "questions": out}, sys.stdout)


if __name__ == "__main__":
    main()
