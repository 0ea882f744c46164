"""One address of every page, by the route that makes it; `test_every_page.py` looks at each in a browser.

A page that stands here is tested with and without JavaScript, by axe, at two widths. One that does not fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.web.sites import Site


@dataclass(frozen=True, slots=True)
class Example:
    """address: or how to make one on its site. site: "demo" (pupils and queries) or "npd" (a large catalogue)."""

    address: str | Callable[[Site], str]
    site: str = "demo"
    status: int = 200

    def on(self, site: Site) -> str:
        return self.address if isinstance(self.address, str) else self.address(site)


EXAMPLES: Mapping[str, Example] = {
    "/": Example("/"),
    "/catalogue": Example("/catalogue"),
    "/catalogue/{data_set}": Example("/catalogue/npd.census", "npd"),
    "/catalogue/{data_set}/{variable}": Example("/catalogue/npd.census/ethnicity", "npd"),
    "/sign-in": Example("/sign-in"),
    "/sign-out": Example("/sign-out"),
}
"""Route → example."""

FURTHER: Mapping[str, Example] = {
    "nobody can sign in": Example("/sign-in", "npd"),
    "not found": Example("/nothing", status=404),
    "all of NPD": Example("/catalogue", "npd"),
    "a search": Example("/catalogue?q=free+school+meals", "npd"),
    "a name in files": Example("/catalogue?q=FSMeligible_SPR23", "npd"),
    "nothing found": Example("/catalogue?q=unicorns", "npd"),
    "a small data set": Example("/catalogue/demo.census"),
    "many codes": Example("/catalogue/npd.census/school_la?page=2", "npd"),
    "a derived variable": Example("/catalogue/npd.census/disadvantaged", "npd"),
    "a number": Example("/catalogue/demo.census/absence"),
}
"""Other states of pages that are worth a look."""
