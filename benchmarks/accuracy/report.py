"""The page: tables of mean absolute errors, what was aimed at, and why it was met or missed."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from benchmarks.accuracy.questions import QUESTIONS, STEP, Over, Question
from benchmarks.accuracy.truth import as_one, doubt

Results = Mapping[str, Mapping[str, Any]]
GAUSSIAN = math.sqrt(2 / math.pi)
LEVEL = 1.02


def page(mine: Results, theirs: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    parts = [
        _head(theirs, parameters),
        _questions(mine, theirs),
        _margins(mine, theirs),
        _session(mine, theirs),
        _goals(mine, theirs),
        _why(parameters),
        _how(parameters),
    ]
    return "\n\n".join(parts) + "\n"


def _head(theirs: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    eps, delta = parameters["epsilon"], parameters["delta"]
    smartnoise, opendp = theirs["smartnoise"]["versions"], theirs["opendp"]["versions"]
    return f"""# Accuracy at equal privacy

`make bench-accuracy` asks three systems the same questions of the real files in `../shared/data`, in one run, and
compares their answers with the truth. Every question, also one of several tables, costs ε = {eps:g} at
δ = {delta:g} in all; the privacy unit is one row, which is one pupil. Numbers are mean absolute errors; no cell is
kept. The command takes about half an hour; `python -m benchmarks.accuracy --help` lists its options.

Python {platform.python_version()}. Ours: OpenDP {version("opendp")}, DuckDB {version("duckdb")}.
SmartNoise SQL {smartnoise["smartnoise-sql"]}, with OpenDP {smartnoise["opendp"]}, pandas {smartnoise["pandas"]} and
NumPy {smartnoise["numpy"]}. OpenDP Polars {opendp["opendp"]}, with Polars {opendp["polars"]}."""


def _three(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _peers(question: Question, theirs: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """By peer that has an answer: its error, and that error's standard error as a part of it."""
    found = {name: each["questions"].get(question.id) for name, each in theirs.items()}
    return {name: _one(question, entry) for name, entry in found.items() if entry}


def _one(question: Question, entry: Mapping[str, Any]) -> tuple[float, float]:
    errors = entry["errors"]
    return as_one(question, errors), doubt(question, errors, entry["standard_errors"])


def _ratio(question: Question, mine: Results, theirs: Mapping[str, Any]) -> tuple[float, float]:
    """Ours over the best peer, and its standard error."""
    return _over(_one(question, mine[question.id]), min(_peers(question, theirs).values()))


def _over(own: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    ratio = own[0] / other[0]
    return ratio, ratio * math.hypot(own[1], other[1])


def _questions(mine: Results, theirs: Mapping[str, Any]) -> str:
    lines = [
        "| | question | cells | unit | ours: Gaussian | Laplace | expected | SmartNoise | OpenDP | ours ÷ best |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for q in QUESTIONS:
        own, peers, (ratio, error) = mine[q.id], _peers(q, theirs), _ratio(q, mine, theirs)
        columns = (
            *(q.id, q.title, f"{own['cells']:,}", q.unit),
            *(_three(own["both"][law]) for law in ("Gaussian", "Laplace")),
            _three(as_one(q, own["expected"])),
            _three(peers["smartnoise"][0]) if "smartnoise" in peers else "none",
            f"{_three(peers['opendp'][0])} ({theirs['opendp']['questions'][q.id]['how']})",
            f"{ratio:.2f} ± {error:.2f}",
        )
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines) + (
        "\n\nOurs and OpenDP Polars stand with the better of their two noises; “expected” is what theory gives for "
        "ours. The ratio has its standard error. 10 is the mean over its four margins, 11 the geometric mean over "
        "its queries (their units differ, so only its ratios mean anything)."
    )


def _tables(question: Question, mine: Results, theirs: Mapping[str, Any]) -> Iterator[str]:
    yield "| table | ours | expected | SmartNoise | OpenDP Polars |\n|---|---|---|---|---|"
    own, smartnoise = mine[question.id], theirs["smartnoise"]["questions"][question.id]["errors"]
    opendp = theirs["opendp"]["questions"][question.id]["errors"]
    for ask, *errors in zip(question.asks, own["errors"], own["expected"], smartnoise, opendp, strict=True):
        yield f"| {ask} | {' | '.join(map(_three, errors))} |"


def _named(over: Over) -> Question:
    return next(q for q in QUESTIONS if q.over is over)


def _margins(mine: Results, theirs: Mapping[str, Any]) -> str:
    return "## Question 10, each margin\n\n" + "\n".join(_tables(_named(Over.MARGINS), mine, theirs))


def _session(mine: Results, theirs: Mapping[str, Any]) -> str:
    question = _named(Over.SESSION)
    bought = mine[question.id]["measurements"]
    columns = sum(ask.columns for ask in question.asks)
    return (
        f"## Question 11, each query\n\nThe peers pay for {columns} noisy tables; ours makes {bought} measurements, "
        "since what was asked before, in whatever words, and the count under a mean are there already.\n\n"
        + "\n".join(_tables(question, mine, theirs))
    )


def _goals(mine: Results, theirs: Mapping[str, Any]) -> str:
    ratios = {q.id: _ratio(q, mine, theirs) for q in QUESTIONS}
    mean = next(q for q in QUESTIONS if q.id == "4")
    of_smartnoise = _over(_one(mean, mine["4"]), _peers(mean, theirs)["smartnoise"])
    goals = (
        ("at most 1.02 × the best peer, each question", _each(ratios)),
        ("means by LEA: at most ¼ of SmartNoise", _verdict(*of_smartnoise, 0.25)),
        ("hierarchical table: at most ½ of the best peer", _verdict(*ratios[_named(Over.MARGINS).id], 0.5)),
        ("session of 20 queries: at most ½ of the best peer", _verdict(*ratios[_named(Over.SESSION).id], 0.5)),
    )
    return "## Goals\n\n| goal | measured |\n|---|---|\n" + "\n".join(f"| {a} | {b} |" for a, b in goals)


def _each(ratios: Mapping[str, tuple[float, float]]) -> str:
    over = {id: (ratio, error) for id, (ratio, error) in ratios.items() if ratio > LEVEL}
    chance = [id for id, (ratio, error) in over.items() if ratio - 2 * error <= LEVEL]
    missed = [id for id in over if id not in chance]
    text = f"met by {len(ratios) - len(over)} of {len(ratios)}"
    text += f"; above it by no more than two standard errors: {', '.join(chance)}" if chance else ""
    return text + (f"; missed: {', '.join(missed)}" if missed else "")


def _verdict(ratio: float, error: float, goal: float) -> str:
    return f"{ratio:.3f} ± {error:.3f}: {'met' if ratio <= goal else 'missed'}"


def _why(parameters: Mapping[str, Any]) -> str:
    eps, delta, rho = parameters["epsilon"], parameters["delta"], parameters["rho"]
    alone = GAUSSIAN / math.sqrt(2 * rho)
    crossing = next(k for k in range(1, 10_000) if alone * math.sqrt(k) < 1 / math.sinh(eps / k))
    rows = "\n".join(
        f"| {k} | {_three(alone * math.sqrt(k))} | {_three(1 / math.sinh(eps / k))} |"
        for k in sorted({1, 5, 10, crossing, 50, 100, 500})
    )
    return f"""## Why

**A single count cannot be won.** Under pure ε, two-sided geometric noise (discrete Laplace) is the best for one count,
for every loss that grows with the error and whatever is known beforehand (Ghosh, Roughgarden & Sundararajan, arXiv
0811.2841). Its mean absolute error is 1/sinh ε, {1 / math.sinh(eps):.3f} at ε = {eps:g}. Under (ε, δ) the best is such
noise cut off far out (Geng, Ding, Guo & Kumar, arXiv 1810.00877), which at a δ this small is the same. Ours and OpenDP
Polars draw from the same sampler: in 1, 2, 3 and 7 the ratio is 1, and what is off it is chance. SmartNoise adds the
continuous noise and cuts the count to a whole number.

**Which noise** is for the policy of a cut to say, by how much will be asked. As zCDP, ({eps:g}, {delta:g}) is
ρ = {rho:.5f}, Gaussian noise of σ = {alone / GAUSSIAN:.2f} on a count: an error of {alone:.2f}. But Gaussian noise
grows with the root of the number k of measurements, Laplace noise with k itself. The error of a count where k
measurements share ({eps:g}, {delta:g}) equally, by the formulas:

| k | Gaussian | discrete Laplace |
|---|---|---|
{rows}

From k = {crossing} on Gaussian noise is the better, and a cut that is open to many researchers answers hundreds. The
default policy is Gaussian; with it alone, ours would lose most of the questions above, as the table says.

**Means** are measured about the middle of their bounds: the sum's noise is half, and the count's noise enters by the
distance of the mean from the middle, not from 0. At equal noise that is worth a factor of about two; a quarter is out
of its reach at equal ε.

**Quantiles**: bins of two widths, put together by least squares, answer all probabilities in every group for one price.
OpenDP's exponential mechanism pays for each probability, and gives one of the candidates, where ours interpolates.

**Hierarchies** gain by least squares only as far as parts tell of their total. Here each table has many times the cells
of the one above it: the sum of so many noisy parts adds little to the total's own measurement, and one total says
little of many parts.

**The session** saves what repetition and shared counts save, and half the noise of sums."""


def _how(parameters: Mapping[str, Any]) -> str:
    times = ", ".join(map(str, sorted(set(parameters["repetitions"].values()))))
    return f"""## How it was measured

* **Files**: `absence_person_level_202223.parquet` (7,396,032 pupils) and `Chem97.csv` (31,022 candidates), under the
  care rule of their `SOURCES.md`. The truth is DuckDB's. Repetitions with fresh noise: {times}; fewer on the large
  file, four times as many where a question has under 200 cells; the same for all three.
* **Error**: over the cells in which there is anybody. Estimates are unrounded where the system allows it. Means,
  shares, deviations and quantiles are brought into their declared bounds for all three, and count as the middle of them
  where a system gives none. Counts are neither clamped nor masked.
* **Ours**: the service's validate, prices, engine, `protect` and the statistic's estimate, with the example catalogues
  and the default policy but for its caps. Masking and rounding for display are left out. Under the Gaussian policy the
  queries of a question share ρ by their numbers of measurements; under the Laplace policy each measurement has one
  price, set so that the pure ε of all is ε (a cut in service has one price for all questions). 10 is one query with
  totals.
* **SmartNoise SQL**: row privacy, bounds in the metadata, `censor_dims` and `clamp_counts` off. Its own rewritten SQL
  runs in DuckDB, on every row of both files, and the exact aggregates go back through `execute(pre_aggregated=…)`;
  noise and all after it are its own. Its ε and δ are set so that its own `get_privacy_cost` of the whole question is
  within (ε, δ): a mean costs it two, a deviation three. Its default noise, Laplace, is the better of its two at every
  question here. It gives counts cut to whole numbers. It has no quantiles. A share is a count by group and flag, which
  costs one.
* **OpenDP Polars**: `with_keys`, `dp.len(signed=True)`, `dp.mean`, `dp.sum` and `dp.quantile` with the same bounds,
  and for quantiles the same grid of {STEP:g} as ours (finer ones were no better). One Context per table, with a share
  of the total by the number of noisy tables it needs. Asked under pure ε and under zCDP with the same ρ; the better is
  shown. It has no deviation: count, sum and sum of a squared column make one. Its contingency tables (AIM, MST) need
  JAX and were not run."""
