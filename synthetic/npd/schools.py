"""Schools: where each is, what it is, and whom it admits.

They are the cut's own list, `codes/schools.csv` in the folder of its catalogue.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic.npd.streams import Bools, Floats, Ints

PRIMARY, SECONDARY, SPECIAL, ALTERNATIVE = range(4)
BOTH, GIRLS, BOYS = range(3)
PHASES = {PRIMARY: {"2", "3"}, SECONDARY: {"4", "5", "7"}}
TYPES = {SPECIAL: {"7", "8", "12", "33", "36", "44"}, ALTERNATIVE: {"14", "38", "42", "43"}}
LISTS = ("schools.csv", "laestab.csv")
FIRST_URN, MOST_COPIES = 900_001, 199


@dataclass(frozen=True)
class Schools:
    """rows: the columns of the list. la: of each school, its place in `las`, the codes of authorities. regions: of each
    authority, its region's code."""

    rows: dict[str, tuple[str, ...]]
    la: Ints
    las: tuple[str, ...]
    regions: tuple[str, ...]
    seed: int

    @cached_property
    def kind(self) -> Ints:
        """PRIMARY, SECONDARY, SPECIAL, ALTERNATIVE, or -1 for schools that no generated pupil goes to."""
        kind = np.full(len(self.la), -1)
        for column, groups in (("phase", PHASES), ("type", TYPES)):
            for name, codes in groups.items():
                kind[np.isin(np.array(self.rows[column]), list(codes))] = name
        return kind

    @cached_property
    def sixth_form(self) -> Bools:
        return np.array([text == "1" for text in self.rows["sixth_form"]])

    @cached_property
    def sex(self) -> npt.NDArray[np.int8]:
        """Whom each admits: BOTH, GIRLS or BOYS. Only secondary schools of authorities that have a mixed one too are
        for girls or boys alone, whatever the list says."""
        listed = np.array([("mixed", "girls", "boys").index(text) for text in self.rows["intake"]], np.int8)
        secondary = self.kind == SECONDARY
        mixed = np.bincount(self.la[secondary & (listed == BOTH)], minlength=len(self.las)) > 0
        return np.where(secondary & mixed[self.la], listed, BOTH).astype(np.int8)

    def alternative(self, place: Floats) -> Ints:
        """A school of alternative provision, somewhere; -1 where there is none. place: from 0 to 1."""
        members = np.flatnonzero(self.kind == ALTERNATIVE)
        if not len(members):
            return np.full(len(place), -1)
        return np.asarray(members[(place * len(members)).astype(np.int64)])


def read_schools(catalogue: Path, las: Sequence[str], regions: Sequence[str], seed: int) -> Schools:
    """The list of the catalogue in that folder. las: the codes of authorities; regions: the region of each."""
    records = _read(catalogue / "codes" / LISTS[0])
    place = {code: i for i, code in enumerate(las)}
    rows = {column: tuple(r[column] for r in records) for column in records[0]}
    la = np.array([place[code] for code in rows["la"]], np.int64)
    return Schools(rows, la, tuple(las), tuple(regions), seed)


def write_schools(catalogue: Path, count: int) -> None:
    """Make the lists of schools in that folder `count` long: the schools that stand there, again and again under new
    numbers and names, so that the kinds keep their shares. Raises ValueError where there are more already, or LAESTABs
    would not do."""
    schools, laestabs = (_read(catalogue / "codes" / name) for name in LISTS)
    if not len(schools) <= count <= MOST_COPIES * len(schools):
        raise ValueError(f"schools: wants from {len(schools)}, as there are, to {MOST_COPIES * len(schools)}")
    more = [_again(schools[i % len(schools)], i, i // len(schools)) for i in range(len(schools), count)]
    _write(catalogue / "codes" / LISTS[0], [*schools, *more])
    _write(catalogue / "codes" / LISTS[1], [*laestabs, *({"code": s["laestab"], "label": s["label"]} for s in more)])


def _again(school: dict[str, str], number: int, copy: int) -> dict[str, str]:
    """LAESTABs are three digits of the authority's and four of the school's; an authority has up to five schools."""
    laestab = f"{school['laestab'][:3]}{int(school['laestab'][3:]) + 5 * copy}"
    return school | {"code": str(FIRST_URN + number), "label": f"{school['label']} ({copy + 1})", "laestab": laestab}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
