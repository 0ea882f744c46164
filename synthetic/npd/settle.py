"""Groups of a chunk's pupils, moved until they do as well as published.

What pupils attain is drawn, so the mean of a small region would be off by chance, and by another in each chunk. Each
chunk therefore moves its groups (region with free school meals, provision, ethnic group, …), as a whole and by little,
until their means are those wanted; what is drawn tells pupils of one group apart. Published means that contradict each
other are first brought together, and of families of groups the last is met best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synthetic.npd.facts import facts, of_area
from synthetic.npd.pupils import ETHNICITIES, MAJOR, Pupils
from synthetic.npd.streams import Floats, Ints

ROUNDS, FURTHEST = 5, 0.5
"""How often each family is moved, and how far at once, in standard deviations of pupils."""
FEW = 6
"""Groups of fewer stay as they were drawn."""
BY = 25
"""Proportional fitting of wanted means."""
PROVISIONS, MEALS, SEXES = ("none", "support", "plan"), ("other", "fsm"), "FM"
MAJORS = {"WHIT": "white", "MIXD": "mixed", "ASIA": "asian", "BLAC": "black", "CHIN": "chinese"}


@dataclass(frozen=True)
class Family:
    """group: of each pupil. wanted: the mean of each group."""

    group: Ints
    wanted: Floats

    def means(self, values: Floats) -> tuple[Ints, Floats]:
        """Pupils and mean of each group."""
        number = np.bincount(self.group, minlength=len(self.wanted))
        return number, np.bincount(self.group, values, len(self.wanted)) / np.maximum(number, 1)

    def around(self, mean: float) -> Family:
        """With all wanted means raised or lowered in proportion, so that this is the mean of all."""
        return Family(self.group, self.wanted * (mean / float(self.wanted[self.group].mean())))


def towards_means(
    values: Callable[[Floats], Floats], families: Sequence[Family], scaled: Callable[[Floats], Floats]
) -> Floats:
    """How far to move each pupil, so that the means of all groups are those wanted.

    values: what pupils attain who are moved so far, rising with it. scaled: a mean in the unit of the moves."""
    moved = np.zeros(len(families[0].group))
    for family in _in_turn(families):
        number, got = family.means(values(moved))
        by = np.where(number < FEW, 0, scaled(family.wanted) - scaled(got))
        moved = moved + np.clip(by, -FURTHEST, FURTHEST)[family.group]
    return moved


def towards_shares(rng: np.random.Generator, needed: Floats, families: Sequence[Family], unit: float = 1.0) -> Floats:
    """How far to move each pupil, so that of all groups the wanted part (per cent) is over a bar.

    needed: how far each pupil is below it. unit: one standard deviation of that."""
    moved, spare = np.zeros(len(needed)), rng.random(max(len(f.wanted) for f in families))
    for family in _in_turn(families):
        for group, share in enumerate(family.wanted):
            of = np.flatnonzero(family.group == group)
            if len(of):
                passing = min(max(0, math.floor(share / 100 * len(of) + spare[group])), len(of))
                moved[of] += unit * _to_bar((needed[of] - moved[of]) / unit, passing)
    return moved


def _in_turn(families: Sequence[Family]) -> list[Family]:
    """All in agreement with the last one's mean, some times over, and the last one at the end."""
    if not len(families[-1].group):
        return []
    mean = float(families[-1].wanted[families[-1].group].mean())
    agreed = [family.around(mean) for family in families]
    return [*agreed * ROUNDS, agreed[-1]]


def _to_bar(needed: Floats, passing: int) -> float:
    """Of one group: a move with which so many pass."""
    last, first = np.append(-FURTHEST, np.sort(needed))[passing], np.append(np.sort(needed), FURTHEST)[passing]
    return float(np.clip((last + first) / 2, -FURTHEST, FURTHEST))


def families_of(pupils: Pupils, who: Ints, year: int, table: str) -> list[Family]:
    """With the means of a table of the facts: by provision, ethnic group, and region with free school meals."""
    schools = pupils.lines.targets.layout.schools
    areas = list(dict.fromkeys(schools.regions))
    region = np.array([areas.index(r) for r in schools.regions])[schools.la[pupils.school(who, year)]]
    fsm = pupils.fsm(who, year).astype(np.int64)
    places = Family(2 * region + fsm, _places(table, areas, region, fsm))
    names = [MAJORS.get(MAJOR[e[0]], "all") for e in ETHNICITIES]
    kinds = [*MAJORS.values(), "all"]
    major = np.array([kinds.index(name) for name in names])[pupils.ethnicity[who]]
    return [_provisions(pupils, who, year, table), _england(table, kinds, major), places]


def meals_and_provision(pupils: Pupils, who: Ints, year: int, table: str) -> list[Family]:
    """Where pupils who are not eligible have no figure of their own."""
    fsm = pupils.fsm(who, year).astype(np.int64)
    everybody, poor = (of_area(table, name, "ENG") for name in ("all", "fsm"))
    share = float(fsm.mean()) if len(fsm) else 0.0
    others = (everybody - share * poor) / (1 - share) if share < 1 else everybody
    return [_provisions(pupils, who, year, table), Family(fsm, np.array([others, poor]))]


def of_sexes(pupils: Pupils, who: Ints) -> Family:
    """Attainment 8."""
    wanted = np.array([facts()["attainment8"]["by_sex"][s] for s in SEXES]) + of_area("attainment8", "all", "ENG")
    return Family(pupils.male[who].astype(np.int64), wanted)


def _provisions(pupils: Pupils, who: Ints, year: int, table: str) -> Family:
    return _england(table, PROVISIONS, pupils.sen(who, year))


def _england(table: str, names: Sequence[str], group: Ints) -> Family:
    return Family(group, np.array([of_area(table, name, "ENG") for name in names]))


def _places(table: str, areas: Sequence[str], region: Ints, fsm: Ints) -> Floats:
    """Means by region and free school meals that give, with so many pupils, those of England and of the regions."""
    wanted = np.array([[of_area(table, name, r) for name in MEALS] for r in areas])
    number = np.bincount(2 * region + fsm, minlength=wanted.size).reshape(wanted.shape)
    england = np.array([of_area(table, name, "ENG") for name in MEALS])
    regions = np.array([of_area(table, "all", r) for r in areas])
    for _ in range(BY):
        wanted = wanted * england * number.sum(axis=0) / np.maximum((wanted * number).sum(axis=0), 1e-9)
        got = (wanted * number).sum(axis=1)
        wanted = wanted * np.where(got > 0, regions * number.sum(axis=1) / np.maximum(got, 1e-9), 1)[:, None]
    return wanted.ravel()
