"""What would catch us: each detector takes a build of the service, and raises AssertionError if it breaks a promise."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Plan
from datasets.query import Measure, Query
from disclosure.tables import ExactTable, Integers
from privacy_api.errors import ApiError
from privacy_api.ports import Engine, Ledger
from privacy_api.service import answer_query as way
from privacy_api.wire.query_in import read_query
from tests.attacks.builds import Build
from tests.attacks.test_fingerprints import rewrite, tree
from tests.lib import school
from tests.lib.audit import (
    BARE,
    BARE_LAPLACE,
    BARE_TEXT,
    CASES,
    EXTREME,
    LOWEST,
    MISSING,
    SCATTERED,
    Tape,
    audit,
    check_valid,
    exact_tables,
    others,
    protected,
    pupil,
    question,
    with_totals,
)
from tests.lib.plans import only_plan
from tests.lib.service import DATA_SET, POLICY, pupils

PLAIN = school.census()
PRICE = 5_000_000
NEEDS = "abcdefghijk"


def capped(answers: int) -> str:
    """The default policy, with a cut that can pay for so many counts."""
    cap = f"{answers * PRICE / 1e9:.3f}"
    return POLICY.replace("cut_rho = 0.5", f"cut_rho = {cap}").replace("query_rho = 0.1", f"query_rho = {cap}")


def with_need(need: str) -> dict[str, Any]:
    """A question that no other need shares."""
    return question("count", (), {"filters": {"need": {"eq": need}}})


def loses_no_more_than_claimed(build: Build, home: Path) -> None:
    """Black box: a thousand fresh counts on neighbouring data."""
    crowd = others(60)
    with build.planted():
        found = audit(question("count", rho=0.1), (crowd + EXTREME, crowd), 6_000, 1e-8, build.noise)
    assert not found.refutes, str(found)


def moves_no_further_than_claimed(build: Build, home: Path) -> None:
    """White box: what reaches the noise moves by no more than the distance that comes with it, under either law."""
    for statistic in CASES:
        for body in (question(statistic), question(statistic, ("year",)), with_totals(statistic, ("la", "need"))):
            for victim in (EXTREME, LOWEST, MISSING, SCATTERED):
                _one_pupil_moves(build, body, victim)


def _one_pupil_moves(build: Build, body: dict[str, Any], victim: list[Row]) -> None:
    crowd = others(12)
    with build.planted():
        valid = check_valid(body, PLAIN)
        tables = [
            exact_tables(valid, build.engine(MemoryEngine({PLAIN.id: rows}))) for rows in ([*crowd, *victim], crowd)
        ]
        for policy in (BARE, BARE_LAPLACE):
            tape, price = Tape(), dict.fromkeys(valid.quantities, PRICE)
            protected(valid, tables[0], price, policy, tape.noise)
            tape.rewind()
            protected(valid, tables[1], price, policy, tape.noise)
            tape.check_end()


def shows_the_same_keys(build: Build, home: Path) -> None:
    """The small universe: the only child with a code is there or is not, and the keys of the table do not say."""
    crowd = [row for row in others(60) if row.atoms["need"] != 10]
    seen = [_keys(build, home / place, rows) for place, rows in (("with", [*crowd, *EXTREME]), ("without", crowd))]
    assert seen[0] == seen[1], "which cells there are depends on one pupil"
    assert len(seen[0]) == len(NEEDS)


def _keys(build: Build, home: Path, rows: list[Row]) -> list[str]:
    with build.service(home, rows) as service:
        return [row["need"] for row in service.ask(question("count", ("need",))).json()["results"]]


def hides_the_same_cells(build: Build, home: Path) -> None:
    """Replay at the threshold of ten: ten pupils or nine, the same protected number, so the same bytes."""
    nine, tenth = pupils(9), pupil(999_999, [(0, 0, 0, 0, 4, 5)])
    for number in (40, 4):
        told = [_told(build, home / f"{number}-{len(rows)}", rows, number) for rows in ([*nine, *tenth], nine)]
        assert told[0] == told[1], "what is hidden was decided on the true count"


def _told(build: Build, home: Path, rows: list[Row], number: int) -> bytes:
    """An answer in which the noise has made this of every cell."""

    def frozen(values: Integers, distance: int, nano_rho: int) -> Integers:
        return np.full_like(values, number)

    with build.service(home, rows, noise=frozen) as service:
        return bytes(service.ask(question("count", ("la",))).content)


def spends_no_more_than_there_is_at_once(build: Build, home: Path) -> None:
    """Eight at once with different questions and budget for two."""
    with build.service(home, pupils(60), policy=capped(2)) as service:
        principal = service.services.projects.principal(service.key)
        assert principal is not None
        together = Barrier(8)

        def ask(need: str) -> bool:
            together.wait()
            try:
                way.answer_query(read_query(with_need(need), DATA_SET), principal, service.services)
            except ApiError as refused:
                assert refused.code.status == 403
                return False
            return True

        with ThreadPoolExecutor(8) as crew:
            answers = sum(crew.map(ask, NEEDS[:8]))
    assert 0 < answers <= 2, f"{answers} answers for the budget of two"


def releases_no_more_than_the_cap(build: Build, home: Path) -> None:
    """Collusion: four projects, eight questions, budget for three; releases are counted, since no test of outputs
    sees a charge that was never made."""
    with build.service(home, pupils(60), policy=capped(3)) as service:
        accounts = [service.new_key(f"project-{i}") for i in range(4)]
        answers = 0
        for place, need in enumerate(NEEDS[:8]):
            response = service.client.post(
                f"/v1/data-sets/{DATA_SET}/query", json=with_need(need), headers=accounts[place % 4]
            )
            answers += response.status_code == 200
        spent = service.services.ledger.cut_balance("school", 3 * PRICE).spent
    assert 0 < answers <= 3, f"{answers} answers for the budget of three"
    assert spent == answers * PRICE, "the ledger does not hold what was released"


def answers_rewrites_alike(build: Build, home: Path) -> None:
    """One population in twenty ways of saying it: one answer, one charge."""
    stream = random.Random(4)
    criteria = tree(stream, 2)
    with build.service(home, pupils(600)) as service:
        principal = service.services.projects.principal(service.key)
        assert principal is not None
        answers = [
            way.answer_query(Query(DATA_SET, (Measure("n", "count"),), ("sex",), words), principal, service.services)
            for words in [criteria, *(rewrite(criteria, stream) for _ in range(20))]
        ]
    assert {a.release for a in answers} == {answers[0].release}, "other words, another release"
    assert [a.nano_rho for a in answers] == [PRICE] + [0] * 20, "other words were charged again"


def tells_nothing_by_equal_answers(build: Build, home: Path) -> None:
    """The set-equality attack: everybody, and everybody but one child who is not there, are the same pupils. Fresh
    noise of σ = 60 gives five equal numbers with a probability of 3e-12."""
    but = {"not": {"filters": {"la": {"eq": "A5"}, "sex": {"eq": "U"}, "need": {"eq": "k"}}}}
    rows = [row for la in range(5) for row in pupils(40, la, 1000 * la)]
    with build.service(home, rows, policy=BARE_TEXT) as service:
        asked = [service.ask(question("count", ("la",), criteria)).json() for criteria in (None, but)]
    assert [each["charge"]["nanoRho"] for each in asked] == [PRICE, PRICE], "two questions"
    numbers = [[row["lower"] for row in each["results"]] + [row["value"] for row in each["results"]] for each in asked]
    assert numbers[0] != numbers[1], "equal answers say that nobody stands between them"


def leaves_out_what_is_missing(build: Build, home: Path) -> None:
    """The engine that serves against the one that defines, on rows of which some have no value."""
    home.mkdir(exist_ok=True)
    rows = [*others(40), *MISSING]
    school.write_cut(home / "cut.duckdb", PLAIN, rows)
    served = DuckDBEngine({PLAIN.id: home / "cut.duckdb"})
    try:
        for statistic in CASES:
            with build.planted():
                valid = check_valid(question(statistic, ("year",)), PLAIN)
                tables = exact_tables(valid, build.engine(served))
            defined = exact_tables(valid, MemoryEngine({PLAIN.id: rows}))
            for each in valid.quantities:
                found, wanted = (given[each.layout][each.aggregate] for given in (tables, defined))
                assert (found == wanted).all(), f"{statistic}: {each.aggregate}"
    finally:
        served.close()


class Watchman:
    """An engine that looks at the ledger before it looks at data."""

    def __init__(self, inner: Engine) -> None:
        self._inner, self.ledger, self.seen = inner, None, list[int]()

    ledger: Ledger | None

    def aggregate(self, plan: Plan) -> ExactTable:
        assert self.ledger is not None
        self.seen.append(self.ledger.cut_balance("school", 0).spent)
        return self._inner.aggregate(plan)

    def close(self) -> None:
        self._inner.close()


def charges_before_it_touches_data(build: Build, home: Path) -> None:
    watchman = Watchman(MemoryEngine({"census": pupils(60)}))
    with build.service(home, engine=watchman) as service:
        watchman.ledger = service.services.ledger
        assert service.ask(with_need("a")).status_code == 200
        assert service.ask(with_need("b")).status_code == 200
    assert watchman.seen == [PRICE, 2 * PRICE], "data were touched before the charge"


TURNS = 400
LEAST_GAP = 0.0001
"""Seconds. A row more is a row more to read: a few microseconds, which the slots that answers leave in must hide."""


def takes_as_long_with_as_without(build: Build, home: Path) -> None:
    """400 pairs in random order; the 15 % quantile of the time, which little else disturbs, against swaps of pairs."""
    body = question("count", ("need",))
    crowd = others(30)
    plan = only_plan(check_valid(body, PLAIN))
    with_them, without = (build.engine(MemoryEngine({PLAIN.id: rows})) for rows in ([*crowd, *EXTREME[:1]], crowd))
    stream = np.random.default_rng(3)
    times = np.empty((TURNS, 2))
    for turn in range(TURNS):
        for side in stream.permutation(2):
            started = time.perf_counter()
            (with_them, without)[side].aggregate(plan)
            times[turn, side] = time.perf_counter() - started
    tells = gap(times) > LEAST_GAP and signal(times, stream) > 8
    assert not tells, f"{gap(times) * 1e3:.3f} ms tell whether a pupil is there"


def gap(times: np.ndarray) -> float:
    low = np.quantile(times, 0.15, axis=0)
    return abs(float(low[0] - low[1]))


def signal(times: np.ndarray, stream: np.random.Generator) -> float:
    """The gap, in root mean squares of the gap where either of a pair may have been the one with the pupil."""
    swapped = []
    for _ in range(300):
        swap = stream.random(len(times)) < 0.5
        swapped.append(gap(np.where(swap[:, None], times[:, ::-1], times)))
    return gap(times) / float(np.sqrt(np.mean(np.square(swapped))))


Detector = Callable[[Build, Path], None]
FAST: tuple[Detector, ...] = (
    loses_no_more_than_claimed,
    moves_no_further_than_claimed,
    shows_the_same_keys,
    hides_the_same_cells,
    spends_no_more_than_there_is_at_once,
    releases_no_more_than_the_cap,
    answers_rewrites_alike,
    tells_nothing_by_equal_answers,
    leaves_out_what_is_missing,
    charges_before_it_touches_data,
)
STATISTICAL: tuple[Detector, ...] = (takes_as_long_with_as_without,)
"""Needs a quiet host: not for every run of the tests."""
