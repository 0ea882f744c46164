"""What a question for listed groups may be: a count over a key space too large to show, of which little is shown."""

from __future__ import annotations

from datasets.names import Names
from datasets.query import Query

MOST_KEYS = 1_000_000_000
"""Cells of a key space from which groups may be listed. Only those with rows are ever held."""


def refuse_shape(query: Query, offered: bool, names: Names) -> None:
    """Problems go to `names`; all follow from the question and the policy."""
    if not offered:
        names.refuse("ListedGroupsNotOffered", "The policy of this data set lists no groups from the data.", "groups")
    if len(query.measures) != 1 or query.measures[0].statistic != "count":
        names.refuse("InvalidValue", "Listed groups come with one measure, count.", "measures")
    if any(measure.precision for measure in query.measures):
        names.refuse("InvalidValue", "Listed groups are counted once, at one price: give rho.", "measures[0].precision")
    if not query.group_by:
        names.refuse("RequiredValue", "Listed groups want something to group by.", "groupBy")
    if query.totals:
        names.refuse("InvalidValue", "Listed groups have no totals: what is not listed would be missing.", "totals")
