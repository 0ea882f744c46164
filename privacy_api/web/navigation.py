"""The links at the head and the foot of every page: who sees which, in one table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """permission: who has not got it does not see the link. What a link leads to is admitted anew, whoever saw it."""

    text: str
    href: str
    permission: str | None = None


HEAD = (
    Link("Ask", "/ask", "ask"),
    Link("Your answers", "/my/releases", "ask"),
    Link("Saved", "/my/queries", "ask"),
    Link("Budget", "/budget", "ask"),
    Link("API keys", "/keys", "own-keys"),
    Link("Data catalogue", "/catalogue"),
    Link("Sandbox", "/sandbox"),
    Link("Apply", "/apply", "apply"),
    Link("Register", "/register"),
    Link("How pupils are protected", "/help/protection"),
    Link("Performance", "/performance"),
    Link("API reference", "/docs"),
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
    Link("Accessibility", "/accessibility"),
    Link("Cookies", "/cookies"),
    Link("Privacy", "/privacy"),
)


def shown(
    links: Sequence[Link], path: str, paths: Collection[str], permissions: Collection[str]
) -> list[dict[str, Any]]:
    """Links to pages that exist and that the caller may see; the one for where we are is marked."""
    seen = [
        link for link in links if link.href in paths and (link.permission is None or link.permission in permissions)
    ]
    return [
        {"text": link.text, "href": link.href, "current": link.href == path, "active": _leads_to(link.href, path)}
        for link in seen
    ]


def _leads_to(href: str, path: str) -> bool:
    return path == href or path.startswith(f"{href}/")
