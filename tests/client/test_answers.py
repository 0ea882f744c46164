"""What a researcher gets, from the real application."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from privacy_api_client import (
    BudgetExhausted,
    Client,
    InvalidQuery,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    QueryFailed,
    count,
    mean,
    percentage,
    periods,
    pupils,
    where,
)

from datasets.plan import EngineFailed, Plan
from disclosure.tables import ExactTable
from privacy_api.cli.cuts import preset
from privacy_api.ports import RegisteredTable
from tests.lib.service import LISTED_GROUPS

from .conftest import Demo, Demos

CENSUS = "demo.census"


def test_data_sets(client: Client) -> None:
    census, ks4 = client.data_sets()
    assert (census.id, ks4.id) == ("demo.census", "demo.ks4")
    assert census.synthetic and census.mode == "dp" and census.unit_of_privacy == "pupil"
    assert client.data_set(CENSUS) == census


def test_meta_holds_every_name_and_code(client: Client) -> None:
    meta = client.meta(CENSUS)
    assert list(meta.variables)[:3] == ["academic_year", "la", "year_group"]
    assert meta.variables["fsm"].codes[0].code == "Y"
    assert meta.variables["sex"].needs_grant and not meta.variables["fsm"].needs_grant
    absence = meta.variables["absence"]
    assert absence.number is not None and absence.number.clamp == (0, 100)
    assert [b.reference for b in absence.bandings] == ["absence.persistent"]
    assert meta.labels("fsm") == {"Y": "Eligible", "N": "Not eligible"}
    assert meta.labels("REG") == meta.labels("la.region")
    assert meta.labels("LA")["E09000001"] == "City of London"
    assert meta.time_periods[0].period == "2022/2023" and meta.time_periods[0].value == "202223"
    assert meta.statistics["pupils"] == "distinct pupils"
    assert meta.policy["mode"] == "dp"
    with pytest.raises(KeyError, match=r"demo\.census has no variable, banding or level 'moon'"):
        meta.labels("moon")


def test_meta_is_readable(client: Client) -> None:
    meta = client.meta(CENSUS)
    assert repr(meta) == "<Meta demo.census: 8 variables, SYNTHETIC>"
    lines = repr(meta.variables).splitlines()
    assert lines[0].split() == ["name", "type", "codes", "bandings", "label"]
    assert lines[2].split(maxsplit=4) == ["la", "category", "153", "la.region", "Local authority"]
    assert lines[4].split(maxsplit=3) == ["sex", "category", "2", "Sex (needs a grant)"]


def test_an_answer(client: Client) -> None:
    result = client.query(
        CENSUS,
        measures=["count", mean("absence", id="absence")],
        group_by=["REG", "fsm"],
        criteria=where(REG=["E12000001", "E12000007"]) & periods(first="2023/2024"),
    )
    assert result.dimensions == ("REG", "fsm")
    assert len(result.rows) == 2 * 2 * 2
    assert result.rows[0] == {
        "REG": "E12000001", "fsm": "Y", "measure": "count", "output": None,
        "value": None, "lower": None, "upper": None, "status": "c",
    }  # fmt: skip
    last = result.rows[3]
    assert (last["value"], last["status"]) == (1000, "") and last["lower"] < 1000 < last["upper"]
    assert result.statuses["c"].startswith("hidden")
    assert [m.id for m in result.measures] == ["count", "absence"]
    assert result.measures[1].unit == "% of sessions" and result.measures[1].confidence == 0.95
    assert result.charge.nano_rho == 10_000_000 and result.charge.rho == 0.01 and not result.charge.repeat
    assert result.protection["mechanism"] == "discrete Gaussian"
    assert result.synthetic and result.id in result.citation
    assert repr(result) == f"<Result {result.id} of demo.census: 8 rows, charged rho 0.01, SYNTHETIC>"


def test_asking_again_is_free_and_gives_the_same(client: Client) -> None:
    first = client.query(CENSUS, measures=count(), group_by="fsm")
    again = client.query(CENSUS, {"measures": [{"statistic": "count"}], "groupBy": ["fsm"]})
    assert again.charge.repeat and again.charge.nano_rho == 0
    assert (again.id, again.rows) == (first.id, first.rows)
    assert "nothing charged" in repr(again)
    assert client.release(first.id).rows == first.rows
    assert client.release(first.id).charge.nano_rho == 0


def test_criteria_work_inside_a_plain_query_too(client: Client) -> None:
    inside = client.query(CENSUS, {"measures": [{"statistic": "count"}], "criteria": where(fsm="Y")})
    beside = client.query(CENSUS, measures="count", criteria={"filters": {"fsm": {"eq": "Y"}}})
    assert inside.id == beside.id


def test_a_preview_says_the_price_and_the_precision(client: Client) -> None:
    parts: dict[str, Any] = {"measures": [count(), mean("absence")], "group_by": ["REG"]}
    preview = client.preview(CENSUS, **parts)
    assert preview.cells == 9
    assert preview.measures[0].margin is not None and preview.measures[0].noise_sd == 20  # two years, so two rows each
    assert set(preview.measures[1].margin_at) == {100, 1000, 10000}
    assert client.budget("demo").spent_rho == 0
    assert client.query(CENSUS, **parts).charge.nano_rho == preview.price.nano_rho


def test_a_price_of_ones_own(client: Client) -> None:
    assert client.query(CENSUS, measures="count", rho=0.1 + 0.2 - 0.25).charge.nano_rho == 50_000_000


def test_a_budget(client: Client) -> None:
    client.query(CENSUS, measures="pupils")
    budget = client.budget("demo")
    assert (budget.project, budget.title) == ("demo", "demo")
    assert budget.spent_rho == 0.005 and budget.left_nano_rho == 495_000_000
    assert budget.cuts["demo"].left_rho == 0.495


@pytest.mark.parametrize("way", ["query", "preview"])
def test_every_problem_of_a_question_is_told_the_same_way(client: Client, way: str) -> None:
    ask = client.query if way == "query" else client.preview
    with pytest.raises(InvalidQuery) as meaning:
        ask(CENSUS, measures=[mean("fsm"), "nonsense"], group_by="moon")
    assert {p.path for p in meaning.value.problems} == {
        "groupBy[0]",
        "measures[0].variable",
        "measures[1].statistic",
    }
    assert "  groupBy[0]: No such variable." in str(meaning.value) and "[VariableNotFound]" in str(meaning.value)
    with pytest.raises(InvalidQuery) as shape:
        ask(CENSUS, {"measure": "count"})
    assert {p.code for p in shape.value.problems} == {"RequiredValue", "UnknownField"}
    assert shape.value.code == meaning.value.code == "invalid-query"


def test_a_variable_without_a_grant_is_a_problem_like_any_other(client: Client) -> None:
    with pytest.raises(InvalidQuery, match="VariableNotGranted"):
        client.query(CENSUS, measures="count", group_by="sen")


def test_a_wrong_key(demo: Demo) -> None:
    with pytest.raises(NotAuthenticated):
        demo.client("npd_test_none_wrong").budget("demo")


def test_things_that_are_not_there(client: Client) -> None:
    for miss in (
        lambda: client.data_set("moon"),
        lambda: client.meta("../projects"),
        lambda: client.query("moon", measures="count"),
        lambda: client.release("rel-0"),
        lambda: client.budget("another"),
    ):
        with pytest.raises(NotFound):
            miss()


def test_a_budget_that_does_not_cover_the_price(demos: Demos) -> None:
    with demos(cap=5_000_000) as demo, demo.client() as client:
        assert client.query(CENSUS, measures="count").charge.rho == 0.005
        with pytest.raises(BudgetExhausted, match="budget of the project has 0 nano-rho left"):
            client.query(CENSUS, measures=mean("absence"))


def test_a_data_set_of_registered_tables_only(demos: Demos) -> None:
    with demos(policy=preset("dfe-draft")) as demo, demo.client() as client:
        with pytest.raises(NotAllowed):
            client.query(CENSUS, measures="count")
        table = RegisteredTable("by-la", "By LA", CENSUS, '{"measures": [{"statistic": "count"}]}', "", "2026-11-22")
        demo.http.app.state.services.tables.register(table)  # type: ignore[attr-defined]
        assert [(t.id, t.title, t.data_set) for t in client.tables()] == [("by-la", "By LA", CENSUS)]
        for table_id in ("by-la", "nothing"):
            with pytest.raises(NotFound):
                client.table(table_id)


class Failing:
    def aggregate(self, plan: Plan) -> ExactTable:
        raise EngineFailed

    def close(self) -> None:
        pass


def test_a_question_that_failed_stays_charged_and_is_not_asked_again(demos: Demos) -> None:
    with demos(engine=Failing()) as demo, demo.client() as client:
        with pytest.raises(QueryFailed, match="its price stays charged"):
            client.query(CENSUS, measures="count")
        assert len(demo.asked) == 1
        assert client.budget("demo").spent_rho == 0.005


def test_the_csv_is_the_services_own(demo: Demo, client: Client, tmp_path: Path) -> None:
    result = client.query(
        CENSUS,
        measures=[count(), pupils(), percentage("absence.persistent", "10 to 100"), mean("absence")],
        group_by=["year_group.phase", "absence.persistent"],
    )
    result.to_csv(tmp_path / "out.csv")
    auth = {"Authorization": f"Bearer {demo.key}"}
    asked = demo.http.get(f"/v1/releases/{result.id}", params={"format": "csv"}, headers=auth)
    assert (tmp_path / "out.csv").read_bytes() == asked.content


def test_a_result_can_be_kept(client: Client) -> None:
    result = client.query(CENSUS, measures="count", group_by="fsm")
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own
    with pytest.raises(AttributeError):
        result.id = "another"  # type: ignore[misc]


def test_listed_groups(demos: Demos) -> None:
    with demos(preset("dp-default") + LISTED_GROUPS) as demo, demo.client() as client:
        preview = client.preview(CENSUS, measures="count", group_by=["REG", "language"], groups="listed")
        assert preview.listing is not None and preview.listing["threshold"] < 1_000
        result = client.query(CENSUS, measures="count", group_by=["REG", "language"], groups="listed")
        assert 1 < len(result.rows) < preview.cells, "nobody is in the first group"
        assert result.document["listing"]["threshold"] == preview.listing["threshold"]
        none = client.query(CENSUS, measures="count", group_by="REG", groups="listed", rho=1e-6)
        assert (none.rows, none.dimensions) == ([], ("REG",))
