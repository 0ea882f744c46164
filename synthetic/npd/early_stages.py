"""What pupils attain up to Year 6: early years profile, phonics, key stages 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthetic.npd.attainment import PASS, Attainment
from synthetic.npd.facts import tuned
from synthetic.npd.fit import Known, coded
from synthetic.npd.parquet import Coded
from synthetic.npd.pupils import PLAN
from synthetic.npd.streams import Floats, Ints
from synthetic.npd.world import Chunk, Rows, same

GOOD_LEVEL, OTHER_GOALS = -0.45, -0.3
"""Of `early`: above it are the published two in three."""
MISSED = ("goal13_writing", "goal13_numbers", "goal22_writing", "goal22_number")
"""Goals that pupils without a good level of development did not reach; those they miss most often."""
LAST_P_SCALES = 2021
WRITING = (("WTS", -2.5), ("EXS", -0.65), ("GDS", 1.0))


def eyfsp(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    who = chunk.pupils.in_group(year, 0)
    early = chunk.attainment.early[who]
    rng = chunk.stream("eyfsp", year)
    known = chunk.common(who, year) | {"month_of_entry": same("9", who)}
    points = np.zeros(len(who), np.int64)
    for goal in _goals(chunk, year):
        reached = (early > GOOD_LEVEL) | (early + rng.standard_normal(len(who)) > OTHER_GOALS)
        if goal in MISSED:
            reached = early > GOOD_LEVEL
        exceeded = reached & (early > 1.2) & goal.startswith("goal13_")
        points += 1 + reached + exceeded
        known[goal] = coded(("1", "2", "3"), reached.astype(np.int64) + exceeded)
    yield "", Rows(who, known | {"total_points": points})


def _goals(chunk: Chunk, year: int) -> list[str]:
    """The goals of that year: seventeen until 2019, seventeen others since 2022."""
    prefix = "goal13_" if year < 2021 else "goal22_"
    data_set = chunk.world.catalogue.data_set("eyfsp")
    return [v.name for v in data_set.own if v.name.startswith(prefix)] if data_set else []


def phonics(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Year 1, and those in Year 2 who did not meet the standard the year before."""
    marks = chunk.attainment.phonics
    second = chunk.pupils.in_group(year, 2)
    again = second[marks[second] < PASS]
    who = np.concatenate([chunk.pupils.in_group(year, 1), again])
    mark = np.minimum(40, marks[who] + 9 * (chunk.group(who, year) == 2))
    absent = (chunk.sen(who, year) == PLAN) & (mark < 16)
    outcome = np.where(absent, 2, np.where(mark >= PASS, 0, 1))
    known = chunk.common(who, year) | {"outcome": coded(("Wa", "Wt", "D"), outcome)}
    yield "", Rows(who, known | {"mark": np.where(absent, np.nan, mark)})


def ks1(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    who = chunk.pupils.in_group(year, 2)
    rng = chunk.stream("ks1", year)
    own = chunk.attainment.ks1[who]
    parts = {
        name: assessed(0.9 * own + 0.4 * rng.standard_normal(len(who)), year)
        for name in ("reading", "writing", "maths")
    }
    science = coded(("HNM", "EXS"), own > -0.9)
    yield "", Rows(who, chunk.common(who, year) | parts | {"science": science})


def _assessments(year: int) -> tuple[str, ...]:
    """Those below the standards had P scales, and have a pre-key-stage standard since."""
    return ("BLW" if year <= LAST_P_SCALES else "PK4", "WTS", "EXS", "GDS")


def assessed(value: Floats, year: int) -> Coded:
    """Teacher assessment: some seven in ten as expected or better."""
    return coded(_assessments(year), np.searchsorted([-1.9, -0.65, 1.0], value))


def _writing(value: Floats, year: int) -> Coded:
    return coded(_assessments(year), np.searchsorted([tuned("scale", "writing", s, d) for s, d in WRITING], value))


def ks2(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    who = chunk.pupils.in_group(year, 6)
    a = chunk.attainment
    known = chunk.common(who, year) | {"writing": _writing(a.writing[who], year)}
    known |= {"science": coded(("HNM", "EXS"), a.writing[who] > tuned("scale", "writing", "science", -0.85))}
    for i, name in enumerate(("reading", "maths", "gps")):
        points = a.ks2[who, i]
        sat = points >= 80
        known[f"{name}_score"] = np.where(sat, points, np.nan)
        known[f"{name}_outcome"] = coded(("B", "NS", "AS"), sat.astype(np.int64) + (points >= 100))
    known |= {"reading_points": a.ks2[who, 0], "maths_points": a.ks2[who, 1]}
    yield "", Rows(who, known | _progress(a, who))


def _progress(a: Attainment, who: Ints) -> dict[str, Known]:
    """Beyond what key stage 1 would make one expect, in points."""
    expected = 105.5 + 6.0 * a.ks1[who]
    return {
        "reading_progress": a.ks2[who, 0] - expected,
        "maths_progress": a.ks2[who, 1] - expected,
        "writing_progress": 6 * (a.writing[who] - 0.85 * a.ks1[who]),
    }
