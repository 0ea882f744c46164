"""The steps of the query builder. A new one is a module here and its lines in the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request, Response

from privacy_api.web.asking.builder import Draft
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.question import Builder
from privacy_api.web.asking.steps import check, measures, precision, rows, who

PAGES: Mapping[str, Callable[[Builder, Request], Response]] = {
    "who": who.who_page,
    "condition": who.condition_page,
    "rows": rows.rows_page,
    "measures": measures.measures_page,
    "measure": measures.measure_page_of,
    "precision": precision.precision_page,
    "check": check.check_page,
}
FORMS: Mapping[str, Callable[[Builder, Fields, Request], Response]] = {
    "who": who.who_sent,
    "condition": who.condition_sent,
    "rows": rows.rows_sent,
    "measures": measures.measures_sent,
    "measure": measures.measure_sent,
    "precision": precision.precision_sent,
    "check": check.check_sent,
}
CHANGES: Mapping[str, Callable[[Builder, Fields], Draft]] = {
    "who": who.who_changed,
    "condition": who.condition_changed,
    "rows": rows.rows_changed,
    "precision": precision.precision_changed,
}
