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
    Link("Data catalogue", "/catalogue"),
    Link("Apply", "/apply", "apply"),
    Link("Register", "/register"),
    Link("How pupils are protected", "/help/protection"),
    Link("Performance", "/performance"),
    Link("API reference", "/docs"),
)
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
