"""Instants as the service database has them: UTC in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def now() -> str:
    return text(utc_now())
