"""Whatever people do, in whatever order: an application only makes the moves of the table, a project comes of two
people where two are wanted, and the record tells all of it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from privacy_api.errors import ApiError
from privacy_api.governance.applications import MOVES
from privacy_api.ports import Proposal, ProposalState
from privacy_api.ports.applications import Application, ApplicationState
from privacy_api.service import applications as applying
from privacy_api.service import deciding, decisions
from privacy_api.service.decisions import Terms
from tests.lib.applications import COMPLETE, PLAIN
from tests.lib.people import House, house

WHO = st.sampled_from(["ada", "bea", "olive", "oscar", "cora", "audrey", "adam"])
OFFICERS = {"olive", "oscar", "cora"}
S = ApplicationState


class Applying(RuleBasedStateMachine):
    people: House

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.proposals: list[tuple[str, str]] = []  # who, id
        self.approvers: set[str] = set()

    def teardown(self) -> None:
        self.stack.close()

    @initialize(sensitive=st.booleans())
    def begin(self, sensitive: bool) -> None:
        home = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.people = self.stack.enter_context(house(home))
        self.services, self.sensitive = self.people.service.services, sensitive
        made = applying.start(None, self.people.caller("ada"), self.services)
        self.services.applications.write(made, COMPLETE if sensitive else PLAIN)
        self.id = made.id

    @property
    def found(self) -> Application:
        found = self.services.applications.application(self.id)
        assert found is not None
        return found

    @rule(who=WHO)
    def submit(self, who: str) -> None:
        self._try(lambda: applying.submit(self.id, self.people.caller(who), self.services), {"ada"}, who)

    @rule(who=WHO)
    def withdraw(self, who: str) -> None:
        self._try(lambda: applying.withdraw(self.id, "", self.people.caller(who), self.services), {"ada"}, who)

    @rule(who=WHO)
    def send_back(self, who: str) -> None:
        self._try(lambda: decisions.return_it(self.id, "Mend.", self.people.caller(who), self.services), OFFICERS, who)

    @rule(who=WHO)
    def refuse(self, who: str) -> None:
        self._try(lambda: decisions.refuse_it(self.id, "No.", self.people.caller(who), self.services), OFFICERS, who)

    @rule(who=WHO)
    def approve(self, who: str) -> None:
        def act() -> None:
            made = decisions.approve_it(self.id, Terms(), "Good.", self.people.caller(who), self.services)
            assert isinstance(made, Proposal) == self.sensitive
            if isinstance(made, Proposal):
                self.proposals.append((who, made.id))
            else:
                self.approvers = {who}

        self._try(act, OFFICERS, who)

    @rule(who=WHO, data=st.data())
    def second(self, who: str, data: st.DataObject) -> None:
        if self.proposals:
            first, proposal = data.draw(st.sampled_from(self.proposals))

            def act() -> None:
                before = self.found.state
                deciding.approve(proposal, "Yes.", self.people.caller(who), self.services)
                if before is S.SUBMITTED:
                    self.approvers = {first, who}

            self._try(act, OFFICERS - {first}, who)

    def _try(self, act: object, may: set[str], who: str) -> None:
        """Nobody else succeeds, and who is refused has changed nothing."""
        before = (self.found, self.services.applications.moves(self.id))
        try:
            act()  # type: ignore[operator]
        except ApiError as error:
            assert error.code.status in (403, 404, 409)
            assert (self.found, self.services.applications.moves(self.id)) == before
        else:
            assert who in may

    @invariant()
    def moves_are_those_of_the_table(self) -> None:
        moves = self.services.applications.moves(self.id)
        for before, after in pairwise(moves):
            assert MOVES[before.state, after.move] is after.state
        assert moves[-1].state is self.found.state
        assert len(self.services.applications.submissions(self.id)) == self.found.submission

    @invariant()
    def a_project_comes_of_as_many_as_are_wanted(self) -> None:
        projects = {p.id for p in self.services.projects.projects()} - {"tests"}
        assert projects == ({"ds00001"} if self.found.state is S.APPROVED else set())
        if projects:
            assert self.found.project == "ds00001"
            assert len(self.approvers) == (2 if self.sensitive else 1)
        executed = self.services.proposals.proposals(ProposalState.EXECUTED)
        assert len(executed) == (self.found.state is S.APPROVED and self.sensitive)

    @invariant()
    def the_record_is_whole(self) -> None:
        self.services.audit.verify()


@pytest.mark.slow
def test_whatever_people_do() -> None:
    small = settings(max_examples=12, stateful_step_count=16, suppress_health_check=list(HealthCheck), deadline=None)
    run_state_machine_as_test(Applying, settings=small)
