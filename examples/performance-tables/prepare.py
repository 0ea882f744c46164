"""The published file of key stage 4 performance tables 2018/19 → the file that catalogue.toml describes.

    python prepare.py england_ks4final_201819.csv schools.csv

One row per school stays one row. Columns that name or place a school more closely than its postcode area are left out.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

COLUMNS = {
    "urn": "URN",
    "school_type": "SCHTYPE",
    "gender": "GENDER",
    "ofsted": "OFSTEDRATING",
    "progress8": "P8_BANDING",
    "attainment8": "ATT8SCR",
}
"""Ours: theirs. The number that identifies a school is replaced when the file is ingested."""
NO_NUMBER = {"SUPP", "LOWCOV", "NE", "NP"}


def area(postcode: str) -> str:
    """The letters that a postcode starts with."""
    return postcode[: next((i for i, letter in enumerate(postcode) if not letter.isalpha()), len(postcode))]


def prepared(row: dict[str, str]) -> dict[str, str]:
    found = {ours: row[theirs].strip() for ours, theirs in COLUMNS.items()}
    score = "" if found["attainment8"] in NO_NUMBER else found["attainment8"]
    return {**found, "attainment8": score, "area": area(row["PCODE"].strip().upper())}


def prepare(source: Path, target: Path) -> None:
    with source.open(encoding="utf-8-sig", newline="") as read, target.open("w", encoding="utf-8", newline="") as write:
        writer = csv.DictWriter(write, [*COLUMNS, "area"])
        writer.writeheader()
        writer.writerows(map(prepared, csv.DictReader(read)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python prepare.py PUBLISHED.csv PREPARED.csv")
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
