"""Whatever is asked in whatever order, the ledger does what a few lines of arithmetic say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy_api.ports import BudgetExhausted, InProgress, Person, Project, Reserved

from .cases import CUT, EXETER, LEEDS, Desk, asking, body_of, measured, start_afresh

CUT_CAP = 90
PROJECTS = {"exeter": Project("exeter", "", 60, frozenset()), "leeds": Project("leeds", "", 50, frozenset())}
PEOPLE = {"ann": Person("ann", 35), "bob": Person("bob", 45)}

asks = st.tuples(
    st.tuples(st.sampled_from(sorted(PROJECTS)), st.sampled_from([None, *PEOPLE])),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from([0, 5, 10, 20]), max_size=3),
)
ends = st.tuples(st.sampled_from(["store", "fail"]), st.integers(0, 5))


@dataclass
class Model:
    stored: dict[str, int] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    spent: dict[str, int] = field(default_factory=lambda: {"exeter": 0, "leeds": 0})
    persons: dict[str | None, int] = field(default_factory=lambda: {None: 0, "ann": 0, "bob": 0})

    def expected(self, project: str, person: str | None, prices: dict[str, int]) -> str | int:
        missing = {question for question, price in prices.items() if self.stored.get(question, -1) < price}
        cost = sum(prices[question] - self.stored.get(question, 0) for question in missing)
        if missing & self.claimed:
            return "in progress"
        if missing and sum(self.spent.values()) + cost > CUT_CAP:
            return "cut"
        if missing and self.spent[project] + cost > PROJECTS[project].cap:
            return "project"
        if missing and person and self.persons[person] + cost > PEOPLE[person].cap:
            return "person"
        self.claimed |= missing
        self.spent[project] += cost
        self.persons[person] += cost
        return cost


def outcome(
    desk: Desk, name: str, project: str, person: str | None, prices: dict[str, int]
) -> tuple[str | int, Reserved | None]:
    try:
        reserved = desk.ledger.reserve(asking(name, prices, PROJECTS[project], person, cut_cap=CUT_CAP))
    except InProgress:
        return "in progress", None
    except BudgetExhausted as refusal:
        return refusal.scope, None
    return reserved.nano_rho, reserved


def finish(desk: Desk, model: Model, how: str, reserved: Reserved) -> None:
    prices = {wanted.question: wanted.event.nano_rho for wanted in reserved.missing}
    if how == "store":
        desk.ledger.store(reserved, measured(reserved), body_of(reserved.request.release))
        model.stored |= {question: model.stored.get(question, 0) + price for question, price in prices.items()}
    else:
        desk.ledger.fail(reserved)
    model.claimed -= prices.keys()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(asks, ends), min_size=4, max_size=14))
def test_the_ledger_agrees_with_arithmetic(desk: Desk, steps: list[tuple[Any, dict[str, int] | int]]) -> None:
    start_afresh(desk.url, *PROJECTS.values(), *PEOPLE.values())
    desk.anchor.unlink(missing_ok=True)
    model, under_way = Model(), []
    for place, (word, more) in enumerate(steps):
        if isinstance(more, dict):
            expected = model.expected(*word, more)
            found, reserved = outcome(desk, f"r{place}", *word, more)
            assert found == expected
            under_way += [reserved] if reserved else []
        elif under_way:
            finish(desk, model, word, under_way.pop(more % len(under_way)))
    assert [desk.ledger.project_balance(project).spent for project in (EXETER, LEEDS)] == list(model.spent.values())
    found_of_people = {p.id: desk.ledger.person_balance(p).spent for p in PEOPLE.values()}
    assert found_of_people | {None: model.persons[None]} == model.persons
    assert desk.ledger.cut_balance(CUT, CUT_CAP).spent == desk.spent() == sum(model.spent.values())
    assert desk.ledger.verify() == len(desk.rows())
