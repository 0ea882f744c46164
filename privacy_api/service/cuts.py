"""The cuts that this service hosts, each with its policy and its engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from datasets.catalogue import Catalogue, DataSet
from datasets.listed import MOST_KEYS
from datasets.validate import Limits
from disclosure.policy import Policy
from privacy_api.ports import Engine, Terms

SANDBOX = "~"
"""Between a cut and the project whose copy it is; no cut has it in its name."""


@dataclass(frozen=True, slots=True)
class HostedCut:
    """sandbox: the project whose own copy of a synthetic cut this is, with a budget and answers of its own. latest: of
    each data set, the last time period that its rows have; of made-up rows alone, since it is told for nothing."""

    catalogue: Catalogue
    version: str
    policy: Policy
    engine: Engine
    sandbox: str = ""
    terms: Terms = field(default_factory=Terms)
    latest: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def cap(self) -> int:
        """nano-ρ that answers from the cut may cost in all."""
        return self.terms.cap_under(self.policy.cut_cap)

    @property
    def id(self) -> str:
        """Budget and answers belong to this: a new version of the cut is a new population to the ledger's questions,
        but the same pupils to its budget, so the budget is kept under `account`."""
        return f"{self.catalogue.cut}@{self.version}{self._apart}"

    @property
    def account(self) -> str:
        """What the ledger keeps the budget under."""
        return f"{self.catalogue.cut}{self._apart}"

    @property
    def _apart(self) -> str:
        return f"{SANDBOX}{self.sandbox}" if self.sandbox else ""

    @property
    def limits(self) -> Limits:
        listed = MOST_KEYS if self.policy.listed_groups else 0
        return Limits(self.policy.max_cells, self.policy.max_group_by, listed=listed)


@dataclass(frozen=True, slots=True)
class HostedDataSet:
    cut: HostedCut
    data_set: DataSet

    @property
    def id(self) -> str:
        return f"{self.cut.catalogue.cut}.{self.data_set.id}"

    @property
    def scope(self) -> str:
        """`official` tables of one scope are protected with regard to each other."""
        return f"{self.cut.id}.{self.data_set.id}"


def hosted(cuts: tuple[HostedCut, ...]) -> Mapping[str, HostedDataSet]:
    found = [HostedDataSet(cut, data_set) for cut in cuts for data_set in cut.catalogue.data_sets]
    return {h.id: h for h in found}
