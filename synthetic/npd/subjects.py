"""Subjects at key stage 4, their grades, and the eight slots that Attainment 8 adds up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthetic.npd.facts import facts
from synthetic.npd.streams import Bools, Floats, Ints

GRADES: tuple[str, ...] = tuple(facts()["transition"]["grades"])
"""Lowest first; X is no result."""
POINTS = np.maximum(0, np.arange(len(GRADES)) - 1)
FIRST_GRADE = 2
"""Place of grade 1 in GRADES."""
SUBJECTS: tuple[str, ...] = (*facts()["transition"]["subjects"], "Combined Science")
COMBINED = len(SUBJECTS) - 1


def places(*names: str) -> list[int]:
    return [SUBJECTS.index(name) for name in names]


CORE = places("English Language", "English Literature", "Mathematics")
ENGLISH_LANGUAGE, ENGLISH_LITERATURE, MATHS = CORE
SCIENCES = places("Biology", "Chemistry", "Physics")
HUMANITIES = places("History", "Geography")
LANGUAGES = places("French", "Spanish", "German")
EBACC = [*SCIENCES, *HUMANITIES, *LANGUAGES, *places("Computer Science")]
OPEN = [s for s in range(len(SUBJECTS)) if s not in (*EBACC, *CORE, COMBINED)]
SLOTS = ("english", "maths", "ebacc_1", "ebacc_2", "ebacc_3", "open_1", "open_2", "open_3")
NOT_TAKEN = -1.0


def points_of(taken: Bools, grade: Ints, second: Ints) -> Floats:
    """By pupil and subject, NOT_TAKEN where there is none. Combined science has the mean of its two grades."""
    points = np.where(taken, POINTS[grade], NOT_TAKEN)
    both = (POINTS[grade[:, COMBINED]] + POINTS[second]) / 2
    points[:, COMBINED] = np.where(taken[:, COMBINED], both, NOT_TAKEN)
    return np.asarray(points)


def slots(points: Floats, taken: Bools) -> dict[str, Floats | Ints | Bools]:
    """The eight slots of Attainment 8, each filled by the best that is left."""
    english = points[:, [ENGLISH_LANGUAGE, ENGLISH_LITERATURE]]
    pair = taken[:, [ENGLISH_LANGUAGE, ENGLISH_LITERATURE]].all(axis=1)
    ebacc = np.sort(np.column_stack([points[:, EBACC], points[:, COMBINED], points[:, COMBINED]]))[:, ::-1]
    spare = np.where(pair, english.min(axis=1), NOT_TAKEN)
    left = np.sort(np.column_stack([points[:, OPEN], ebacc[:, 3:], spare]))[:, ::-1]
    filled = [english.max(axis=1), points[:, MATHS], *ebacc[:, :3].T, *left[:, :3].T]
    found: dict[str, Floats | Ints | Bools] = {
        f"slot_{name}": np.maximum(s, 0) for name, s in zip(SLOTS, filled, strict=True)
    }
    full = {"ebacc_slots": (ebacc[:, :3] >= 0).sum(axis=1), "open_slots": (left[:, :3] >= 0).sum(axis=1)}
    return found | full | {"english_pair": pair}


def attainment8(found: Mapping[str, Floats | Ints | Bools]) -> Floats:
    """Of slots, as the catalogue derives it."""
    once = np.sum([found[f"slot_{name}"] for name in SLOTS[2:]], axis=0)
    english = np.where(found["english_pair"], 2, 1) * found["slot_english"]
    return np.asarray(once + english + 2 * found["slot_maths"])
