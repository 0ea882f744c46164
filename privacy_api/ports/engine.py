"""What answers a plan, as a protocol; `datasets.engines` are the real ones."""

from __future__ import annotations

from typing import Protocol

from datasets.plan import Plan
from disclosure.tables import ExactGroups, ExactTable


class Engine(Protocol):
    def aggregate(self, plan: Plan) -> ExactTable:
        """Exact aggregates over the plan's whole key space; raises EngineFailed, which says nothing."""
        ...

    def listed(self, plan: Plan) -> ExactGroups:
        """Exact counts of the groups in the plan's key space that have rows; raises EngineFailed, as above."""
        ...

    def close(self) -> None: ...
