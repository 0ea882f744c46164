"""The figures of the public performance page, from the whole record."""

from __future__ import annotations

from collections.abc import Iterator

from privacy_api.governance.metrics import Metrics, metrics
from privacy_api.ports import Audit, AuditFilter, Happening, Position

AT_ONCE = 1_000


def performance(audit: Audit) -> Metrics:
    return metrics(everything(audit))


def everything(audit: Audit, wanted: AuditFilter | None = None) -> Iterator[Happening]:
    """Both chains in their order, page by page."""
    place: Position | None = None
    while page := audit.happenings(wanted or AuditFilter(), place, AT_ONCE):
        yield from page
        place = page[-1].position
