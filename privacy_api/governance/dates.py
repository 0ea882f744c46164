"""Dates as people read them."""

from __future__ import annotations

from datetime import date


def in_words(day: date) -> str:
    """ "30 November 2026"."""
    return f"{day.day} {day:%B %Y}"


def told(text: str) -> str:
    """An ISO date in words; what is none stays as it was written."""
    try:
        return in_words(date.fromisoformat(text))
    except ValueError:
        return text
