"""The links at the head and the foot of every page: who sees which, in one table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """permission: who has not got it does not see the link; unless: who has this one does not either. What a link leads
    to is admitted anew, whoever saw it."""

    text: str
    href: str
    permission: str | None = None
    unless: str | None = None


ABOUT = (
    ("How pupils are protected", "/help/protection"),
    ("Performance", "/performance"),
    ("API reference", "/docs"),
)
"""At the foot of every page, and at the head for those who do not ask: whoever does has no room for them in a line."""
HEAD = (
    Link("Ask", "/ask", "ask"),
    Link("Answers", "/my/releases", "ask"),
    Link("Saved", "/my/queries", "ask"),
    Link("Budget", "/budget", "ask"),
    Link("API keys", "/keys", "own-keys"),
    Link("Data catalogue", "/catalogue"),
    Link("Sandbox", "/sandbox"),
    Link("Apply", "/apply", "apply"),
    Link("Register", "/register"),
    *(Link(text, href, unless="ask") for text, href in ABOUT),
    Link("Staff", "/admin", "staff"),
)
STAFF = (
    Link("Applications", "/admin/applications", "review-applications"),
    Link("Proposals for a second person", "/admin/proposals", "staff"),
    Link("Policies", "/admin/policies", "view-policies"),
    Link("Budgets", "/admin/budgets", "view-budgets"),
    Link("Data sets", "/admin/data-sets", "staff"),
    Link("People", "/admin/people", "manage-accounts"),
    Link("Red flags", "/admin/red-flags", "view-red-flags"),
    Link("Audit", "/admin/audit", "view-audit"),
)
"""The pages of staff, in the order of their front page."""
FOOT = (
    *(Link(text, href) for text, href in ABOUT),
    Link("Accessibility", "/accessibility"),
    Link("Cookies", "/cookies"),
    Link("Privacy", "/privacy"),
)


def shown(
    links: Sequence[Link], path: str, paths: Collection[str], permissions: Collection[str]
) -> list[dict[str, Any]]:
    """Links to pages that exist and that the caller may see; the one for where we are is marked."""
    return [
        {"text": link.text, "href": link.href, "current": link.href == path, "active": _leads_to(link.href, path)}
        for link in links
        if link.href in paths and _is_for(link, permissions)
    ]


def _is_for(link: Link, permissions: Collection[str]) -> bool:
    return (link.permission is None or link.permission in permissions) and link.unless not in permissions


def _leads_to(href: str, path: str) -> bool:
    return path == href or path.startswith(f"{href}/")
