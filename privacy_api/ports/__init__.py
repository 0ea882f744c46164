"""What the service needs from outside, as small protocols; `stores/` and `datasets.engines` are the real ones."""

from privacy_api.ports.audit import (
    Audit,
    AuditBroken,
    AuditEntry,
    AuditFilter,
    Happening,
    Note,
    NotRecordable,
    Position,
)
from privacy_api.ports.engine import Engine
from privacy_api.ports.ledger import (
    Balance,
    BudgetExhausted,
    Charge,
    Day,
    InProgress,
    Ledger,
    LedgerBroken,
    ReleasedTable,
    Request,
    Reserved,
    StoredRelease,
    Wanted,
)
from privacy_api.ports.output_checks import OutputCheck, OutputChecks
from privacy_api.ports.projects import KeyInfo, KeyRole, Person, Principal, Project, Projects
from privacy_api.ports.proposals import Proposal, ProposalKind, Proposals, ProposalState
from privacy_api.ports.tables import AlreadyRegistered, RegisteredTable, Tables

__all__ = [
    "AlreadyRegistered",
    "Audit",
    "AuditBroken",
    "AuditEntry",
    "AuditFilter",
    "Balance",
    "BudgetExhausted",
    "Charge",
    "Day",
    "Engine",
    "Happening",
    "InProgress",
    "KeyInfo",
    "KeyRole",
    "Ledger",
    "LedgerBroken",
    "NotRecordable",
    "Note",
    "OutputCheck",
    "OutputChecks",
    "Person",
    "Position",
    "Principal",
    "Project",
    "Projects",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Proposals",
    "RegisteredTable",
    "ReleasedTable",
    "Request",
    "Reserved",
    "StoredRelease",
    "Tables",
    "Wanted",
]
