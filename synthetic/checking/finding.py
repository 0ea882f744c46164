"""What one rule found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """broken: rows or pupils, or cells of a claim; 0 where the rule holds."""

    rule: str
    says: str
    broken: int
