"""Long lists in pages: which part is shown, and the links to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request

from privacy_api.errors import ApiError, ErrorCode

Row = TypeVar("Row")
ROWS = 50


@dataclass(frozen=True, slots=True)
class Paging:
    """page: from 1; total: rows in all; query: of the address, without the page."""

    page: int
    size: int
    total: int
    query: tuple[tuple[str, str], ...] = ()

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size

    def href(self, page: int) -> str:
        return f"?{urlencode([*self.query, ('page', page)])}"

    def params(self) -> dict[str, Any]:
        """What govukPagination wants."""
        shown = sorted({1, self.pages, *range(max(1, self.page - 1), min(self.pages, self.page + 1) + 1)})
        items: list[dict[str, Any]] = []
        for before, page in zip([0, *shown], shown, strict=False):
            items += [{"ellipsis": True}] if page > before + 1 else []
            items.append({"number": page, "href": self.href(page), "current": page == self.page})
        found: dict[str, Any] = {"items": items}
        if self.page > 1:
            found["previous"] = {"href": self.href(self.page - 1)}
        if self.page < self.pages:
            found["next"] = {"href": self.href(self.page + 1)}
        return found


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """The rows of one page."""

    rows: Sequence[Row]
    paging: Paging


def paging_of(request: Request, total: int, size: int = ROWS) -> Paging:
    """The page that the address asks for; one that does not exist is not found."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    asked = request.query_params.get("page", "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        raise ApiError(ErrorCode.NOT_FOUND)
    found = Paging(int(asked), size, total, tuple(query))
    if not 1 <= found.page <= found.pages:
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def part_of(request: Request, rows: Sequence[Row], size: int = ROWS) -> Part[Row]:
    paging = paging_of(request, len(rows), size)
    return Part(rows[paging.first : paging.first + size], paging)
