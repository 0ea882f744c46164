"""Schools: where each is, what it is, and which one a pupil goes to.

They are the cut's own list, `codes/schools.csv` in the folder of its catalogue.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from synthetic.npd.facts import facts
from synthetic.npd.streams import Floats, Ints, stream

PRIMARY, SECONDARY, SPECIAL, ALTERNATIVE = range(4)
PHASES = {PRIMARY: {"2", "3"}, SECONDARY: {"4", "5", "7"}}
TYPES = {SPECIAL: {"7", "8", "10", "12", "33", "36", "44"}, ALTERNATIVE: {"14", "38", "42", "43"}}
LISTS = ("schools.csv", "laestab.csv")
FIRST_URN, MOST_COPIES = 900_001, 199


@dataclass(frozen=True)
class Schools:
    """rows: the columns of the list. la: places in the catalogue's authorities, in the list's order."""

    rows: dict[str, tuple[str, ...]]
    la: Ints
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
    def _lines(self) -> dict[int, tuple[Ints, Floats]]:
        return {kind: self._line(kind) for kind in range(4)}

    def _line(self, kind: int) -> tuple[Ints, Floats]:
        """Schools of a kind from one end of England to the other, and the share of pupils before each one's end."""
        members = np.flatnonzero(self.kind == kind)
        if not len(members):
            raise ValueError("schools.csv: wants a primary, a secondary, a special and an alternative school or more")
        order = np.argsort(np.array(self.regions), kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        members = members[np.argsort(place[self.la[members]], kind="stable")]
        size = stream(self.seed, "school sizes", 0, kind).lognormal(0.0, 0.4, len(members))
        of_la = np.bincount(self.la[members], weights=size, minlength=len(order))
        pupils = _pupils(self.regions)[self.la[members]] * size / of_la[self.la[members]]
        return members, np.cumsum(pupils) / pupils.sum()

    def near(self, kind: int, place: Floats) -> Ints:
        """The school of that kind for pupils who live at `place`, from 0 to 1."""
        members, ends = self._lines[kind]
        found = np.searchsorted(ends, place, side="right")
        return np.asarray(members[np.minimum(found, len(members) - 1)])


def _pupils(regions: Sequence[str]) -> Floats:
    """Of each authority: its region's, in equal parts. A region without a figure counts as little."""
    known = facts()["region"]
    return np.array([float(known.get(region, 1)) / regions.count(region) for region in regions])


def read_schools(catalogue: Path, las: Sequence[str], regions: Sequence[str], seed: int) -> Schools:
    """The list of the catalogue in that folder. las: the codes of authorities; regions: the region of each."""
    records = _read(catalogue / "codes" / LISTS[0])
    place = {code: i for i, code in enumerate(las)}
    rows = {column: tuple(r[column] for r in records) for column in records[0]}
    la = np.array([place[code] for code in rows["la"]], np.int64)
    return Schools(rows, la, tuple(regions), seed)


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
