"""Everything a use case can reach, made once by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from disclosure.listing import Lister, list_groups
from disclosure.noise import NoiseSource
from privacy_api.ports import (
    Accounts,
    Audit,
    BareShelf,
    CutTerms,
    IdentityProvider,
    Ledger,
    OutputChecks,
    Projects,
    Proposals,
    SavedQueries,
    Sessions,
    Shelf,
    Tables,
)
from privacy_api.ports.applications import Applications
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.tallies import Tallies


def ignore_step(step: str) -> None:
    """No one listens to the steps of an answer."""


def ignore_change() -> None:
    """Where terms never change there is nothing to look at again."""


def nothing_to_close() -> None:
    """The stores are somebody else's to close."""


@dataclass(frozen=True, slots=True)
class Services:
    """step: told the name of each step of an answer, so that tests can stop the world there. now: ISO time.
    together: what the stores write inside is one transaction, which an error undoes; the ledger writes alone.
    provider: whom people sign in with, if with anybody. outdated: told when the terms of a cut have changed.
    """

    data_sets: Mapping[str, HostedDataSet]
    ledger: Ledger
    projects: Projects
    tables: Tables
    output_checks: OutputChecks
    audit: Audit
    accounts: Accounts
    sessions: Sessions
    saved_queries: SavedQueries
    proposals: Proposals
    applications: Applications
    terms: CutTerms
    tallies: Tallies
    noise: NoiseSource
    now: Callable[[], str]
    together: Callable[[], AbstractContextManager[None]]
    environment: str
    provider: IdentityProvider | None = None
    step: Callable[[str], None] = ignore_step
    outdated: Callable[[], None] = ignore_change
    close_stores: Callable[[], None] = nothing_to_close
    lister: Lister = list_groups
    shelf: Shelf = field(default_factory=BareShelf)

    def close(self) -> None:
        """Record what was counted; give up files and connections."""
        self.tallies.close()
        for cut in {h.cut.id: h.cut for h in self.data_sets.values()}.values():
            cut.engine.close()
        self.close_stores()
