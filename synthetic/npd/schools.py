"""Schools: where each is, what it is, and which one a pupil goes to."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthetic.npd.facts import facts
from synthetic.npd.streams import Floats, Ints, stream

PRIMARY, SECONDARY, SPECIAL = range(3)
PHASES = ("primary", "secondary", "special")
FIRST_URN = 100_001
"""URNs have six digits."""


@dataclass(frozen=True)
class Schools:
    """Schools by their place in the catalogue's list. la: places in the catalogue's list of authorities.

    by_phase: schools of a phase in geographic order; ends: the share of pupils that live before each one's end.
    """

    la: Ints
    phase: Ints
    by_phase: tuple[Ints, ...]
    ends: tuple[Floats, ...]

    def near(self, phase: int, place: Floats) -> Ints:
        """The school of that phase for pupils who live at `place`, from 0 to 1 in geographic order."""
        found = np.searchsorted(self.ends[phase], place, side="right")
        return self.by_phase[phase][found.clip(0, len(self.by_phase[phase]) - 1)]


def place_schools(count: int, region_of_la: Sequence[str], seed: int) -> Schools:
    """`count` schools spread over the authorities by the pupils of their regions; at least one of each phase."""
    if count < len(PHASES):
        raise ValueError(f"{count} schools: there must be one of each phase, so at least {len(PHASES)}")
    phase = _phases(count)
    la_order = np.argsort(np.asarray(region_of_la), kind="stable")
    la_ends = np.cumsum(_la_weights(region_of_la)[la_order])
    la = np.zeros(count, np.int64)
    by_phase, ends = [], []
    for p in range(len(PHASES)):
        members = np.flatnonzero(phase == p)
        sizes = stream(seed, "school sizes", 0, p).lognormal(0.0, 0.45, len(members))
        reach = np.cumsum(sizes) / sizes.sum()
        middles = reach - sizes / sizes.sum() / 2
        la[members] = la_order[np.searchsorted(la_ends / la_ends[-1], middles).clip(0, len(la_order) - 1)]
        by_phase.append(members)
        ends.append(reach)
    return Schools(la, phase, tuple(by_phase), tuple(ends))


def _phases(count: int) -> Ints:
    """The phase of each school, in turn, so that any part of the list has all of them."""
    weights = np.array([facts()["schools"][p]["schools"] for p in PHASES], np.float64)
    numbers = np.maximum(1, np.floor(weights / weights.sum() * count).astype(np.int64))
    numbers[PRIMARY] = count - numbers[SECONDARY] - numbers[SPECIAL]
    when = np.concatenate([(np.arange(n) + 0.5) / n for n in numbers])
    return np.repeat(np.arange(len(PHASES)), numbers)[np.argsort(when, kind="stable")]


def _la_weights(region_of_la: Sequence[str]) -> Floats:
    """Pupils of an authority: its region's, in equal parts. A region without a figure counts as little."""
    pupils = facts()["region"]
    parts = {region: region_of_la.count(region) for region in set(region_of_la)}
    return np.array([float(pupils.get(region, 1)) / parts[region] for region in region_of_la])


def write_schools(path: Path, count: int) -> Path:
    """The list of a cut's schools for its catalogue: columns code (a URN) and label; nobody's real ones."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [[str(FIRST_URN + i), f"School {i + 1}"] for i in range(count)]
        csv.writer(file, lineterminator="\n").writerows([["code", "label"], *rows])
    return path
