"""What a form of check boxes, selects and buttons sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fastapi import Request

from privacy_api.routes.forms import form_of


@dataclass(frozen=True, slots=True)
class Fields:
    values: Mapping[str, Sequence[str]]

    def get(self, name: str) -> str:
        """The last one, without spaces around it; empty where there is none."""
        found = self.values.get(name)
        return found[-1].strip() if found else ""

    def all(self, name: str) -> list[str]:
        return list(self.values.get(name, ()))

    def number(self, name: str) -> int | None:
        """A place in a list."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None

    def decimal(self, name: str) -> float | None:
        try:
            found = Decimal(self.get(name).replace(",", "").replace(" ", ""))
        except InvalidOperation:
            return None
        return float(found) if found.is_finite() else None


async def fields_of(request: Request) -> Fields:
    return Fields((await form_of(request)).values)
