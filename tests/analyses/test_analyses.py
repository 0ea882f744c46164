"""Each example analysis over HTTP on the generated cut, against exact answers from the files themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.analyses.conftest import Served, analyses
from tests.analyses.exact import EXACT, Exact, cell

ROOT = Path(__file__).parent.parent.parent
ANALYSES = analyses(ROOT)
STATUSES = {"", "c", "x", "u", "low"}
pytestmark = pytest.mark.slow
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def exact(served: Served, root: Path) -> Iterator[Exact]:
    facts = tomllib.loads((root / "synthetic/npd/facts.toml").read_text(encoding="utf-8"))["attainment8"]
    highest = [*(below - 0.5 for below in facts["from"][1:]), 120.0]
    found = Exact(served.files, root / "datasets/npd/codes", list(zip(highest, facts["mean"], strict=True)))
    yield found
    found.close()


@pytest.fixture(scope="module")
def answers(served: Served) -> dict[str, dict[str, Any]]:
    """All fifteen, in order: together they cost less than the default policy allows."""
    found = {number: served.ask(analysis) for number, analysis in ANALYSES.items()}
    assert {number: r.json() for number, r in found.items() if r.status_code != 200} == {}
    return {number: response.json() for number, response in found.items()}


def test_there_are_fifteen() -> None:
    assert sorted(ANALYSES) == sorted(EXACT) == [f"{i:02d}" for i in range(1, 16)]


@pytest.mark.parametrize("number", sorted(ANALYSES))
def test_rows_are_of_the_codes_of_the_catalogue(served: Served, answers: Mapping[str, Any], number: str) -> None:
    analysis, rows = ANALYSES[number], answers[number]["results"]
    data_set = served.catalogue.data_set(analysis["dataSet"].removeprefix("npd."))
    assert data_set is not None
    names = {*analysis["query"]["groupBy"], *(name for total in analysis["query"].get("totals", []) for name in total)}
    assert set(rows[0]) == names | {"measure", "output", "value", "lower", "upper", "status"}
    for name in names:
        variable, _, banding = name.partition(".")
        v = data_set.by_name[variable]
        found = v.banding(banding) if banding else None
        codes = {c.code for c in (found.codes if found else v.atoms)}
        assert {row[name] for row in rows} <= codes | {None}, name
    assert {row["status"] for row in rows} <= STATUSES
    assert all((row["value"] is None) == (row["status"] in ("c", "x")) for row in rows)
    assert len({cell(row) for row in rows}) == len(rows)


@pytest.mark.parametrize("number", sorted(ANALYSES))
def test_answers_are_near_the_exact_ones(answers: Mapping[str, Any], exact: Exact, number: str) -> None:
    truth, rows = exact.answer(number), answers[number]["results"]
    assert {cell(row) for row in rows} >= set(truth)
    numbers = [row for row in rows if row["value"] is not None]
    assert numbers
    # Noise is drawn afresh in each run, and small cells are shown since their count came out high: a few may be far.
    far = [row for row in numbers if not holds(row, truth, 3)]
    assert len(far) <= max(4, 0.03 * len(numbers)), far


def test_intervals_hold_the_exact_answers(answers: Mapping[str, Any], exact: Exact) -> None:
    """95 % intervals, of all analyses together: cells of one are correlated, and small ones are shown since their count
    came out high."""
    held = [
        holds(row, truth, 0)
        for number, answer in answers.items()
        for truth in [exact.answer(number)]
        for row in answer["results"]
        if row["value"] is not None and row["status"] == ""
    ]
    assert len(held) > 300
    assert sum(held) > 0.88 * len(held)


def holds(row: Mapping[str, Any], truth: Mapping[frozenset[tuple[str, object]], float], times: float) -> bool:
    """Whether the exact answer is in the interval, widened by so many times its width (of 1 % at the least)."""
    reach = times * max(row["upper"] - row["lower"], 1.0) + 1e-6
    return bool(row["lower"] - reach <= truth.get(cell(row), 0.0) <= row["upper"] + reach)


def shown(answers: Mapping[str, Any], number: str, measure: str, **only: object) -> Iterator[dict[str, Any]]:
    for row in answers[number]["results"]:
        wanted = {k.replace("__", "."): v for k, v in only.items()}
        if row["measure"] == measure and all(row[k] == v for k, v in wanted.items()) and row["value"] is not None:
            yield row


def test_published_relations_show(answers: Mapping[str, Any]) -> None:
    """Directions of published differences, in the protected numbers."""
    total = {"sex": None, "census_ethnicity__major": None}
    attainment = {r["census_fsm_eligible"]: r["value"] for r in shown(answers, "06", "mean", **total)}
    assert attainment["0"] - attainment["1"] > 8
    progress = {r["census_fsm_eligible"]: r["value"] for r in shown(answers, "07", "mean", census_sen_provision=None)}
    assert progress["0"] > progress["1"]
    (gap,) = shown(answers, "08", "gap", school_la=None, school_la__region=None)
    assert gap["lower"] > 0
    absence = {
        (r["census_fsm_eligible"], r["school_phase_type"]): r["value"]
        for r in shown(answers, "11", "persistent", school_la=None)
    }
    for phase in ("primary", "secondary"):
        assert absence["1", phase] > absence["0", phase]
    assert absence["0", "secondary"] > absence["0", "primary"]
    suspended = {r["sex"]: r["value"] for r in shown(answers, "15", "rate", ethnicity=None, ethnicity__major=None)}
    assert suspended["M"] > suspended["F"]


def test_the_transition_matrix_is_along_its_diagonal(answers: Mapping[str, Any], exact: Exact) -> None:
    """The mean grade rises with the band: in the files, and as far as bands are shown in the answer."""
    about = {"ks4_census_disadvantaged": None, "measure": "distribution"}
    truth, bands = exact.answer("05"), ANALYSES["05"]["query"]["criteria"]["and"][1]["filters"]["ks2_prior_band"]["in"]
    real, answered = [], []
    for band in bands[1:]:
        real.append(
            mean_grade({g: truth.get(cell(about | {"ks2_prior_band": band, "output": g}), 0.0) for g in "123456789"})
        )
        rows = shown(answers, "05", "distribution", ks2_prior_band=band, ks4_census_disadvantaged=None)
        found = {row["output"]: max(row["value"], 0.0) for row in rows if row["output"] in "123456789"}
        answered += [mean_grade(found)] if sum(found.values()) > 70 else []
    assert all(after > before for before, after in pairwise(real))
    assert real[-1] - real[0] > 5
    assert len(answered) >= 3
    assert answered[-1] > answered[0] + 1


def mean_grade(shares: Mapping[str, float]) -> float:
    return sum(int(grade) * share for grade, share in shares.items()) / sum(shares.values())


def test_those_born_late_do_worse(answers: Mapping[str, Any]) -> None:
    share = {r["census_month_of_birth"]: r["value"] for r in shown(answers, "09", "share")}
    autumn, summer = ([share[m] for m in months if m in share] for months in (("9", "10", "11"), ("6", "7", "8")))
    assert sum(autumn) / len(autumn) > sum(summer) / len(summer)
