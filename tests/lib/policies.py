"""Policies that have every rule there is, and ways to spoil them."""

from __future__ import annotations

import re

from disclosure.policy import TABLES, Mode
from privacy_api.cli.cuts import preset
from tests.lib.service import FREE_QUERIES, LISTED_GROUPS, SYNTHETIC_MODEL

PRESETS = ("dfe-draft", "dp-default", "nhs-1-7", "ofqual", "ons-10-5")


def table(name: str, *lines: str) -> str:
    """One rule, as it stands in a file."""
    described = (
        'plain = "What it does."',
        'source = "Where it is from."',
        "verified = false",
        'owner = "disclosure officer of the cut"',
    )
    return "\n".join(["", f"[{name}]", *lines, *described, ""])


CELL_KEY = table("cell_key", "max_noise = 7", "variance = 5", "not_shown = 3", 'zeros = "keep"')
EVERY_OFFICIAL_RULE = (
    preset("dfe-draft")
    + table("pq", "p = 10", "q = 50")
    + table("minimum_schools", 'variable = "school"', "value = 2")
    + CELL_KEY
    + FREE_QUERIES
)
EVERY_DP_RULE = preset("dp-default") + LISTED_GROUPS + SYNTHETIC_MODEL
WHOLE = {"every official rule": EVERY_OFFICIAL_RULE, "every dp rule": EVERY_DP_RULE} | {n: preset(n) for n in PRESETS}


def keyed_lines(text: str) -> list[int]:
    """Places of the lines that have a key or open a table."""
    return [place for place, line in enumerate(text.splitlines()) if re.match(r"\[|\w+ =", line)]


def with_line(text: str, place: int, line: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:place], line, *lines[place + 1 :]])


def with_value(text: str, name: str, key: str, value: str) -> str:
    """The table's key with another value, in TOML."""
    start = text.index(f"[{name}]\n")
    head, rest = text[:start], text[start:]
    found, edits = re.subn(rf"^{key} = .*$", lambda _: f"{key} = {value}", rest, count=1, flags=re.M)
    assert edits == 1, f"{name}.{key}"
    return head + found


def with_values(text: str, *edits: tuple[str, str, str]) -> str:
    for name, key, value in edits:
        text = with_value(text, name, key, value)
    return text


FIELDS = [
    (text, rule.name, field)
    for mode, text in ((Mode.OFFICIAL, EVERY_OFFICIAL_RULE), (Mode.DP, EVERY_DP_RULE))
    for rule in TABLES
    if mode in rule.modes
    for field in rule.of(mode)
]
"""A whole policy, the table and the field, for every field of every mode."""
