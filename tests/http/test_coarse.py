"""T2: rows from released answers. What was released is kept, what was not is refused, what was hidden stays hidden."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sqlalchemy import text

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.engines.memory import Row
from datasets.ingest import ingest, list_cuts
from privacy_api.ports import LedgerBroken
from privacy_api.service.coarse import is_released, released
from privacy_api.service.synthetic_releases import put_out, sign
from synthetic.checking import check
from synthetic.checking.coarse import report_of
from synthetic.coarse.answers import Answers, CoarseRefused, Released, read_answers
from synthetic.coarse.join import join
from synthetic.coarse.release import write
from synthetic.fidelity.files import report_of as report
from synthetic.fidelity.files import write as write_report
from synthetic.release import Check, digest, gates
from synthetic.tiers import Tier
from tests.lib.service import OPEN_OFFICIAL, POLICY, Service, running
from tests.stores.cases import behind_its_back

YEAR = {"filters": {"year": {"eq": "202122"}}}
NEEDS, PUPILS = 11, 6_000


def rows() -> list[Row]:
    """Needs go with areas, and the last need is rare; a pupil has one row."""
    rng = np.random.default_rng(5)
    la = rng.integers(0, 5, PUPILS)
    need = np.where(rng.random(PUPILS) < 0.6, 2 * la, rng.integers(0, NEEDS - 1, PUPILS))
    need[:9] = NEEDS - 1
    sex = rng.random(PUPILS) < 0.2 + 0.05 * need
    return [
        Row(
            i,
            {"year": 0, "la": int(la[i]), "sex": int(sex[i]), "need": int(need[i]), "score": 0},
            {"score": 0, "days": 0},
        )
        for i in range(PUPILS)
    ]


@pytest.fixture(params=[OPEN_OFFICIAL, POLICY], ids=["official", "dp"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, rows(), request.param) as service:
        yield service


def ask(service: Service, *by: str, criteria: Any = YEAR) -> bytes:
    """With the total of all."""
    asked = {"measures": [{"id": "n", "statistic": "count"}], "groupBy": list(by), "totals": [[]], "criteria": criteria}
    answer = service.ask(asked)
    assert answer.status_code == 200, answer.text
    return answer.content


def drawn(folder: Path, *by: str) -> dict[tuple[str, ...], int]:
    names = ", ".join(f'"{name}"' for name in by)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {names}, count(*) FROM '{folder}/records/*.parquet' GROUP BY ALL"
        ).fetchall()
    return {tuple(map(str, row[:-1])): int(row[-1]) for row in found}


def silent(*_: object) -> None:
    """Nobody watches."""


def made(service: Service, out: Path, *answers: bytes) -> dict[str, Any]:
    given = {f"{i}.json": answer for i, answer in enumerate(answers)}
    return write(read_answers(released(given, service.services.ledger)), out, 1, silent)


def test_the_released_numbers_are_kept_within_what_is_not_known_of_them(service: Service, tmp_path: Path) -> None:
    answers = [ask(service, "la", "need"), ask(service, "need", "sex")]
    manifest = made(service, tmp_path / "out", *answers)
    shown = 0
    for answer, by in zip(answers, (("la", "need"), ("need", "sex")), strict=True):
        got = drawn(tmp_path / "out", *by)
        for row in json.loads(answer)["results"]:
            if row["value"] is not None and row[by[0]] is not None:
                shown, n = shown + 1, got.get((row[by[0]], row[by[1]]), 0)
                # Noise makes tables contradict each other: what is between them is within twice an interval of 95 %.
                spare = 8 + (row["upper"] - row["lower"]) / 2 * (json.loads(answer)["protection"]["mode"] == "dp")
                assert row["lower"] - spare <= n <= row["upper"] + spare, row
    assert shown > 40
    assert manifest["tier"] == "T2"
    assert len(manifest["margins"]) == 2
    assert set(manifest["margins"]) == {json.loads(a)["id"] for a in answers}
    assert [f for f in check(tmp_path / "out") if f.broken] == []


def test_it_costs_nothing(service: Service, tmp_path: Path) -> None:
    answer = ask(service, "la", "need")
    before = service.services.ledger.cut_balance("school", 10**9).spent
    made(service, tmp_path / "out", answer)
    assert service.services.ledger.cut_balance("school", 10**9).spent == before


def altered(answer: bytes) -> bytes:
    content = json.loads(answer)
    row = next(r for r in content["results"] if r["value"])
    row["value"] += 5
    return json.dumps(content).encode()


def another_name(answer: bytes) -> bytes:
    return json.dumps(json.loads(answer) | {"id": "rel-of-nobody"}).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (altered, "is not as it was released"),
        (another_name, "has released no such answer"),
        (lambda _: b'{"results": []}', "is no answer"),
        (lambda _: b"[]", "is no answer"),
        (lambda _: b"no JSON", "is no answer"),
    ],
)
def test_what_was_not_released_so_is_refused(
    service: Service, tmp_path: Path, change: Callable[[bytes], bytes], says: str
) -> None:
    with pytest.raises(CoarseRefused, match=says):
        made(service, tmp_path / "out", change(ask(service, "la", "need")))
    assert not (tmp_path / "out").exists()


def test_the_ledger_is_asked_again_before_anybody_signs(service: Service, tmp_path: Path) -> None:
    out, ledger = tmp_path / "out", service.services.ledger
    made(service, out, ask(service, "la", "need"))
    assert is_released(out, Tier.COARSENED, ledger)
    assert is_released(tmp_path, Tier.CALIBRATED, ledger), "other tiers are made from no answers"
    assert not is_released(tmp_path, Tier.COARSENED, ledger)
    content = json.loads((out / "margins.json").read_text(encoding="utf-8"))
    content["tables"][0]["values"][0] = 1
    (out / "margins.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    assert not is_released(out, Tier.COARSENED, ledger)


def test_a_release_that_was_edited_in_the_database_is_noticed_before_anybody_signs(
    service: Service, tmp_path: Path
) -> None:
    out, answer = tmp_path / "out", ask(service, "la", "need")
    other = altered(json.dumps({k: v for k, v in json.loads(answer).items() if k != "charge"}).encode())
    write(read_answers([other]), out, 1, silent)
    with behind_its_back(f"sqlite:///{service.home / 'service.db'}") as connection:
        connection.execute(text("UPDATE releases SET body = :body"), {"body": zlib.compress(other)})
    with pytest.raises(LedgerBroken):
        is_released(out, Tier.COARSENED, service.services.ledger)


def test_report_and_gates_accept_it_and_only_as_it_is(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(service, out, ask(service, "la", "need"), ask(service, "sex"))
    write_report(report(out), out)
    assert [gate.wrong for gate in gates(out)] == [(), (), (), ()]
    document = json.loads((out / "report.json").read_text(encoding="utf-8"))
    (out / "report.json").write_text(json.dumps(document | {"reference": "the hosted cut"}), encoding="utf-8")
    assert {g.check for g in gates(out) if g.wrong} == {Check.DISCLOSURE}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").write_text(json.dumps(manifest | {"plan": {"rows": 9, "seed": 1}}), encoding="utf-8")
    (disclosure,) = (g for g in gates(out) if g.check is Check.DISCLOSURE)
    assert any("records/000.parquet is not what follows" in sentence for sentence in disclosure.wrong)


def test_it_goes_out_as_any_release_with_two_signatures(service: Service, tmp_path: Path) -> None:
    out, services = tmp_path / "out", service.services
    rows = made(service, out, ask(service, "la", "need"))["plan"]["rows"]
    write_report(report(out), out)
    for who in ("console:ada", "console:olive"):
        assert service.client.get("/v1/synthetic/releases").json()["results"] == []
        sign(digest(out), who, "Looked at.", Tier.COARSENED, services.audit)
        put_out(out, digest(out), who, services.audit, services.shelf)
    (told,) = service.client.get("/v1/synthetic/releases").json()["results"]
    assert (told["tier"], told["pupils"], told["signatures"]) == ("T2", rows, 2)
    assert [(t["name"], t["rows"]) for t in told["tables"]] == [("records", rows)]
    assert service.client.get(told["links"]["report"]).status_code == 200
    assert service.client.get(told["tables"][0]["links"]["csv"]).text.count("\n") == rows + 1


def test_another_catalogue_is_none_of_it(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(service, out, ask(service, "la", "need"))
    write_report(report(out), out)
    file = out / "catalogue" / "cut.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("released tables", "the hosted cut"), encoding="utf-8")
    wrong = [sentence for gate in gates(out) for sentence in gate.wrong]
    assert [sentence.partition(" ")[0] for sentence in wrong] == ["The", "catalogue/cut.toml"]


def table(release: str, columns: tuple[str, ...], values: Any) -> Released:
    array = np.array(values, np.float64)
    return Released(release, columns, array, np.full(array.shape, 0.29))


CODES = {"a": ("1", "2", "3"), "b": ("x", "y", "z")}
NAN = float("nan")


@pytest.mark.parametrize(
    "other",
    [
        table("two", ("a",), [30, 40, 55]),
        table("two", (), 125),
        table("two", ("a", "c"), [[10, 20], [20, 20], [25, 30]]),
    ],
)
def test_a_hidden_number_does_not_come_back_by_subtraction(other: Released) -> None:
    hiding = table("one", ("a", "b"), [[NAN, 12, 14], [11, 14, 15], [20, 20, 15]])
    codes = CODES | ({"c": ("p", "q")} if "c" in other.columns else {})
    with pytest.raises(CoarseRefused, match=r"one hides a number that two would give by subtraction"):
        join(Answers(codes, (hiding, other), {}, {}))


def test_hidden_numbers_of_a_sum_are_what_the_rest_makes_them() -> None:
    """Two are hidden in the first row and two in the first column: the truth may be 1 and 19, the rows have it even."""
    hiding = table("one", ("a", "b"), [[NAN, NAN, 40], [NAN, NAN, 30], [50, 50, 60]])
    joined = join(Answers(CODES, (hiding, table("two", ("a",), [60, 50, 160])), {}, {}))
    first = joined.fitted.marginal((0, 1)) * joined.rows
    assert first[2] == pytest.approx([50, 50, 60], abs=1)
    assert first[:2, 2] == pytest.approx([40, 30], abs=1)
    assert first[:2, :2] == pytest.approx(np.array([[10, 10], [10, 10]]), abs=1)


def test_nobody_is_drawn_where_nobody_can_be(tmp_path: Path) -> None:
    values = np.array([[400.0, 0, 300], [0, 200, 100], [50, 50, 60]])
    sigma = np.where(values == 0, 0.0, 0.29)
    answers = Answers(
        CODES, (Released("one", ("a", "b"), values, sigma),), {"one": "0" * 64}, {"dataSet": "c.d", "version": "1"}
    )
    write(answers, tmp_path / "out", 1, silent, rows=500_000)
    assert not {("1", "y"), ("2", "x")} & set(drawn(tmp_path / "out", "a", "b"))


def test_a_folder_from_elsewhere_asks_nothing_by_the_names_of_its_columns(tmp_path: Path) -> None:
    out = tmp_path / "out"
    answers = Answers(
        {"a": ("1", "2")}, (table("one", ("a",), [400, 600]),), {"one": "0" * 64}, {"dataSet": "c.d", "version": "1"}
    )
    write(answers, out, 1, silent)
    said = (out / "margins.json").read_text(encoding="utf-8")
    name = f"""a"), 0)); COPY (SELECT 1) TO '{tmp_path}/written'; SELECT coalesce(list_position([''], (\\"a"""
    assert '"a"' in said
    (out / "margins.json").write_text(said.replace('"a"', json.dumps(name)), encoding="utf-8")
    with pytest.raises(CoarseRefused, match="is no name of a grouping"):
        check(out)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("rows", [-1, 100_000_001])
def test_more_rows_than_can_be_checked_again_are_not_written(tmp_path: Path, rows: int) -> None:
    answers = Answers({}, (), {}, {})
    with pytest.raises(ValueError, match="rows: wants at most 100,000,000"):
        write(answers, tmp_path / "out", 1, silent, rows)


def test_columns_that_would_have_one_name_are_refused(tmp_path: Path) -> None:
    codes = {"la.region": ("N", "S"), "la_region": ("1", "2")}
    tables = tuple(table(name, (name,), [400, 600]) for name in codes)
    with pytest.raises(CoarseRefused, match="la_region: two groupings would have this one name"):
        write(Answers(codes, tables, {}, {"dataSet": "c.d", "version": "1"}), tmp_path / "out", 1, silent)


def test_what_cannot_be_joined_is_refused(service: Service, tmp_path: Path) -> None:
    by_area, by_region, sexes = ask(service, "la"), ask(service, "la.region"), ask(service, "sex")
    with pytest.raises(CoarseRefused, match="of one variable"):
        made(service, tmp_path / "out", by_area, by_region)
    with pytest.raises(CoarseRefused, match="twice"):
        made(service, tmp_path / "out", sexes, sexes)
    other = ask(service, "sex", criteria={"filters": {"year": {"eq": "202223"}}})
    with pytest.raises(CoarseRefused, match="another data set, version or population"):
        made(service, tmp_path / "out", by_area, other)
    with pytest.raises(CoarseRefused, match="no answers"):
        made(service, tmp_path / "out")


def test_the_rows_can_be_hosted_by_the_catalogue_beside_them(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(service, out, ask(service, "la.region", "need"))
    described = bundle(out / "catalogue")
    ingest(load_catalogue(described), described, {"census": sorted((out / "records").iterdir())}, tmp_path / "cuts")
    assert list_cuts(tmp_path / "cuts") == ("school-synthetic",)
    assert {region for region, _ in drawn(out, "la_region", "need")} == {"N", "S"}


@pytest.mark.parametrize("lost", ["margins.json", "records/000.parquet"])
def test_a_folder_that_lacks_a_part_is_refused_in_words(tmp_path: Path, lost: str) -> None:
    out = tmp_path / "out"
    answers = Answers(
        {"a": ("1", "2")}, (table("one", ("a",), [400, 600]),), {"one": "0" * 64}, {"dataSet": "c.d", "version": "1"}
    )
    write(answers, out, 1, silent)
    (out / lost).unlink()
    with pytest.raises(ValueError, match=r"out: wants a folder that `synthetic coarse` wrote"):
        check(out)
    (out / "margins.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"out: wants a folder that `synthetic coarse` wrote"):
        check(out)


def test_a_changed_number_of_the_rows_is_found(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(service, out, ask(service, "la", "need"))
    file = out / "records" / "000.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS FROM '{file}'")
        connection.execute("UPDATE t SET la = 'A1' WHERE la = 'A2'")
        connection.execute(f"COPY t TO '{file}'")
    assert {f.rule.split(":")[0] for f in check(out) if f.broken} == {"files", "margin"}
    assert report_of(out, check(out), "r").about.tier == "T2"
