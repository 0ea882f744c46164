"""When a code is in use, as its list says: `since` and `until` are academic years, "2014/15"."""

from __future__ import annotations

import re

from datasets.variables import Code

YEAR = re.compile(r"^\d{4}/(\d{2})$")
ALWAYS = (0, 9999)


def span(code: Code) -> tuple[int, int]:
    """First and last year, by the years in which they end; ALWAYS, where the list says nothing readable."""
    since, until = YEAR.match(code.since), YEAR.match(code.until)
    return (2000 + int(since[1]) if since else ALWAYS[0], 2000 + int(until[1]) if until else ALWAYS[1])


def in_use(code: Code, year: int) -> bool:
    first, last = span(code)
    return first <= year <= last
