"""The National Pupil Database: its catalogue (TOML and code lists in this folder), its names, its pages."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""Of the catalogue; `datasets.catalogue_toml.bundle` makes one text of it."""

__all__ = ["FOLDER"]
