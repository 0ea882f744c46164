"""A program written on the synthetic cut meets the same on the real one: columns, types, codes, prices, errors.

A cut of another seed stands for the real one, hosted beside its twin in one live service.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fastapi.testclient import TestClient

from datasets.catalogue_toml import bundle, load_catalogue
from datasets.ingest import ingest
from datasets.npd import FOLDER
from privacy_api.app import create_app
from privacy_api.bootstrap import open_services
from privacy_api.cli.cuts import bind, preset
from privacy_api.cli.progress import Bar
from privacy_api.gate import Gate
from privacy_api.ports import Project
from privacy_api.service.sandbox import grants_of
from privacy_api.settings import load_settings
from synthetic.demo import make_demo
from tests.lib.parity import Asker, Told, told
from tests.lib.service import OPEN_OFFICIAL

QUESTIONS, OFFICIAL_QUESTIONS, PUPILS = 1_000, 400, 2_000
REAL, TWIN = "npd", "npd-synthetic"
GENEROUS = preset("dp-default").replace("cut_rho = 0.5", "cut_rho = 90.0")
FREE = OPEN_OFFICIAL.replace("most_populations = 100\n", "most_populations = 100000\n")
SIMPLE = ("count", "pupils", "sum", "mean", "percentage", "median", "quantile")
OF_THE_DATA = "cannot-protect"
"""Whether a table can be protected is for its numbers to say, and for what was released before."""


@dataclass(frozen=True)
class Pair:
    client: TestClient
    headers: Mapping[str, str]

    def both(self, data_set: str, body: Any, tail: str = "query") -> tuple[Any, Any]:
        """The responses of the twin and of the one that stands for the real cut."""
        url = "/v1/data-sets/{}." + f"{data_set}/{tail}"
        return tuple(self.client.post(url.format(cut), json=body, headers=self.headers) for cut in (TWIN, REAL))  # type: ignore[return-value]

    def described(self, data_set: str, tail: str = "/meta") -> tuple[Any, Any]:
        return tuple(self.client.get(f"/v1/data-sets/{cut}.{data_set}{tail}") for cut in (TWIN, REAL))  # type: ignore[return-value]


def hosted(home: Path, cut: str, seed: int, policy: str) -> None:
    made = make_demo(home / f"made-{cut}", FOLDER, PUPILS, seed)
    text = bundle(made.catalogue)
    if cut == REAL:
        head = FOLDER.joinpath("cut.toml").read_text(encoding="utf-8")
        start = text.index("[cut]")
        real = head[head.index("[cut]") : head.index("\n\n", head.index("[cut]"))]
        text = text[:start] + real + text[text.index("\n\n", start) :]
    with Bar() as bar:
        ingest(load_catalogue(text), text, made.sources, home / "cuts", bar)
    bind(home / "policies", cut, policy)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with served(tmp_path_factory.mktemp("pair"), GENEROUS) as found:
        yield found


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with served(tmp_path_factory.mktemp("official"), FREE) as found:
        yield found


@contextmanager
def served(home: Path, policy: str) -> Iterator[Pair]:
    hosted(home, TWIN, 1, policy)
    hosted(home, REAL, 2, policy)
    services = open_services(load_settings({}, home=home, mode="live", log_level="ERROR"))
    try:
        grants = frozenset(g for h in services.data_sets.values() for g in grants_of(h.cut.catalogue))
        services.projects.create_project(Project("parity", "Parity", 200 * 10**9, grants))
        key = services.projects.create_key("parity", "", "live")[1]
        with TestClient(create_app(services, Gate(2, 64)), raise_server_exceptions=False) as client:
            yield Pair(client, {"Authorization": f"Bearer {key}"})
    finally:
        services.close()


def of(response: Any) -> Told:
    return told(response.status_code, response.headers["content-type"], response.json())


DATA_SETS = ("census", "ks4", "absence_year", "exclusions", "ks2", "schools")


@pytest.mark.slow
def test_they_are_described_alike(pair: Pair) -> None:
    for data_set in DATA_SETS:
        for tail in ("/meta", ""):
            twin, real = map(of, pair.described(data_set, tail))
            assert not twin.differs(real), data_set
            assert twin.status == 200


@pytest.mark.slow
def test_a_thousand_questions_right_and_wrong_are_answered_alike(pair: Pair, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for place, (data_set, body) in enumerate(questions(pair)):
        responses = pair.both(data_set, body)
        twin, real = map(of, responses)
        assert not (found := twin.differs(real)), (found, data_set, json.dumps(body))
        seen[_kind(responses[0])] += 1
        if place % 10 == 0:
            previews = [of(r) for r in pair.both(data_set, body, "query/preview")]
            assert not (found := previews[0].differs(previews[1])), (found, data_set, json.dumps(body))
        if place % 20 == 0 and twin.status == 200:
            files = [columns(r, tmp_path) for r in pair.both(data_set, body, "query?format=parquet")]
            assert files[0] == files[1]
    assert seen.total() == QUESTIONS
    assert seen["200"] >= 0.3 * QUESTIONS, seen
    refused = {kind for kind in seen if kind != "200"}
    assert len(refused) >= 12, seen


@pytest.mark.slow
def test_in_official_mode_too_but_for_what_cannot_be_protected(official: Pair) -> None:
    seen: Counter[str] = Counter()
    for place, (data_set, body) in enumerate(questions(official, OFFICIAL_QUESTIONS)):
        responses = official.both(data_set, suited(body) if place // 4 % 2 else body)
        kinds = [_kind(r) for r in responses]
        seen[kinds[0]] += 1
        if OF_THE_DATA in kinds:
            assert set(kinds) <= {OF_THE_DATA, "200"}, (kinds, data_set, json.dumps(body))
            continue
        twin, real = map(of, responses)
        assert not (found := twin.differs(real)), (kinds, found, data_set, json.dumps(body))
    assert seen["200"] >= 0.1 * OFFICIAL_QUESTIONS, seen
    assert len(seen.keys() - {"200", OF_THE_DATA}) >= 10, seen


def suited(body: Any) -> Any:
    """The same to a table of one period, without a price."""
    measures = [m for m in body["measures"] if m["statistic"] in SIMPLE] or [{"statistic": "count"}]
    kept = {k: v for k, v in body.items() if k not in ("rho", "display")}
    filters = body.get("criteria") if "filters" in body.get("criteria", {}) else None
    year = {"timePeriods": {"eq": {"period": "2023/2024", "code": "AY"}}}
    return kept | {"measures": measures, "criteria": {"and": [year, filters]} if filters else year}


def questions(pair: Pair, number: int = QUESTIONS) -> Iterator[tuple[str, Any]]:
    askers = {name: Asker(pair.described(name)[0].json(), seed) for seed, name in enumerate(DATA_SETS[:4])}
    for place in range(number):
        data_set = DATA_SETS[place % 4]
        asker = askers[data_set]
        yield data_set, asker.question() if place // 4 % 2 else asker.wrong()


def _kind(response: Any) -> str:
    """The status, or the first problem."""
    document = response.json()
    problems = document.get("errors") or [document]
    return "200" if response.status_code == 200 else str(problems[0]["code"])


def columns(response: Any, folder: Path) -> list[tuple[Any, ...]]:
    """Names and types in Parquet."""
    path = folder / "answer.parquet"
    path.write_bytes(response.content)
    with duckdb.connect() as connection:
        return connection.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()


QUESTION = {
    "measures": [
        {"id": "n", "statistic": "count"},
        {"id": "p", "statistic": "percentage", "variable": "fsm_eligible", "codes": ["1"]},
    ],
    "groupBy": ["sex", "REG"],
    "totals": [["sex"]],
}  # fmt: skip
Plant = Callable[[dict[str, Any]], object]
ANSWERS: Mapping[str, Plant] = {
    "a code that is missing": lambda d: d["dimensions"][0]["codes"].pop(),
    "a row that is missing": lambda d: d["results"].pop(3),
    "another label": lambda d: d["dimensions"][1]["codes"][0].update(label="North"),
    "a column that came": lambda d: [row.update(flag="") for row in d["results"]],
    "a number as text": lambda d: d["results"][0].update(value="120"),
    "a whole number in floating point": lambda d: d["results"][0].update(value=120.0),
    "another symbol": lambda d: d["results"][0].update(status="?"),
    "another order": lambda d: d["results"].reverse(),
    "another unit": lambda d: d["measures"][1].update(unit="points"),
    "another price": lambda d: d["charge"].update(rho=0.123),
    "another policy": lambda d: d["policy"].update(version=2),
}
PROBLEMS: Mapping[str, Plant] = {
    "another error code": lambda d: d["errors"][0].update(code="InvalidValue"),
    "another place": lambda d: d["errors"][0].update(path="measures"),
    "a problem that is missing": lambda d: d["errors"].pop(),
    "another status": lambda d: d.update(status=400),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ANSWERS, *PROBLEMS])
def test_a_difference_that_was_planted_is_noticed(pair: Pair, name: str) -> None:
    """The control: the same comparison of the same two answers, one of which was changed."""
    body = QUESTION if name in ANSWERS else QUESTION | {"groupBy": ["nothing", "REG"]}
    twin, real = pair.both("census", body)
    assert not of(twin).differs(of(real))
    document = real.json()
    (ANSWERS | PROBLEMS)[name](document)  # type: ignore[operator]
    assert of(twin).differs(told(real.status_code, real.headers["content-type"], document))


@pytest.mark.slow
def test_another_status_or_media_type_is_noticed(pair: Pair) -> None:
    twin, real = pair.both("census", QUESTION)
    document, media_type = real.json(), real.headers["content-type"]
    assert of(twin).differs(told(201, media_type, document))
    assert of(twin).differs(told(200, "application/problem+json", document))
