"""Key stages 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthetic.npd.attainment import Attainment
from synthetic.npd.fit import Known, coded
from synthetic.npd.streams import Floats, Ints, pick
from synthetic.npd.subjects import (
    COMBINED,
    ENGLISH_LANGUAGE,
    ENGLISH_LITERATURE,
    GRADES,
    HUMANITIES,
    LANGUAGES,
    MATHS,
    POINTS,
    SCIENCES,
    SUBJECTS,
    points_of,
    slots,
)
from synthetic.npd.world import Chunk, Rows, academic_year, same


def ks4(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    who = chunk.pupils.in_group(year, 11)
    a = chunk.attainment
    points = points_of(a.taken[who], a.grade[who], a.second[who])
    number = a.taken[who].sum(axis=1)
    known: dict[str, Known] = {
        "end_of_key_stage": np.ones(len(who), np.bool_),
        "entries": number,
        "gcse_entries": number + a.taken[who, COMBINED],
        "passes_94": (points >= 4).sum(axis=1),
        "recently_joined": chunk.pupils.first[who] >= 9,
        "in_progress8": a.average[who] >= 0,
    }
    yield "", Rows(who, chunk.common(who, year) | known | slots(points, a.taken[who]) | _passes(points))


def _passes(points: Floats) -> dict[str, Known]:
    science = np.maximum(_second_best(points[:, SCIENCES]), points[:, COMBINED])
    best = {
        "english": points[:, [ENGLISH_LANGUAGE, ENGLISH_LITERATURE]].max(axis=1),
        "maths": points[:, MATHS],
        "science": science,
        "humanities": points[:, HUMANITIES].max(axis=1),
        "language": points[:, LANGUAGES].max(axis=1),
    }
    known: dict[str, Known] = {f"{name}_94": p >= 4 for name, p in best.items()}
    known |= {f"{name}_95": p >= 5 for name, p in best.items()}
    known |= {f"{name}_entered": p >= 0 for name, p in best.items()}
    return known | {
        "ebacc_entered": np.all([p >= 0 for p in best.values()], axis=0),
        "ebacc_95": np.all([p >= 5 for p in best.values()], axis=0),
        "ebacc_points": np.mean([np.maximum(p, 0) for p in best.values()], axis=0),
        "triple_science": (points[:, SCIENCES] >= 0).all(axis=1),
        "any_pass": (points >= 1).any(axis=1),
    }


def _second_best(points: Floats) -> Floats:
    return np.asarray(np.sort(points)[:, -2])


def ks4_entries(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """One row for each subject that a pupil is entered for."""
    pupils = chunk.pupils.in_group(year, 11)
    a = chunk.attainment
    row, subject = np.nonzero(a.taken[pupils])
    who, double = pupils[row], subject == COMBINED
    grade, points = _entered(a, who, subject)
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "subject": coded(SUBJECTS, subject),
        "qualification": coded(("GCSE", "GCSE2"), double),
        "grade": grade,
        "season": same("S", who),
        "size": 1 + double,
        "points": points,
        "discounted": np.zeros(len(who), np.bool_),
        "included": np.ones(len(who), np.bool_),
    }
    yield "", Rows(who, known)


def _entered(a: Attainment, who: Ints, subject: Ints) -> tuple[Known, Floats]:
    """Grades as they are written, those of combined science twice ("54"), and their points."""
    single, second = a.grade[who, subject], a.second[who]
    pairs = [f"{high}{low}" for high in GRADES for low in GRADES]
    double = subject == COMBINED
    points = np.where(double, (POINTS[single] + POINTS[second]) / 2, POINTS[single])
    return coded((*GRADES, *pairs), np.where(double, len(GRADES) * (1 + single) + second, single)), points


def ks5(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Year 13: A levels, as good as the GCSEs were."""
    who = chunk.pupils.in_group(year, 13)
    rng = chunk.stream("ks5", year)
    a = chunk.attainment
    taken = a.taken[who]
    mean = (POINTS[a.grade[who]] * taken).sum(axis=1) / np.maximum(taken.sum(axis=1), 1)
    number = pick(rng, [0.25, 0.05, 0.10, 0.55, 0.05], len(who))
    each = np.clip(8 + 5.2 * mean + 7 * rng.standard_normal(len(who)), 0, 60)
    top = np.where(each >= 48, number, np.where(each >= 42, number // 2, 0))
    points = np.where(number > 0, each * number, np.nan)
    known: dict[str, Known] = {
        "entries": number + 1,
        "alevel_entries": number,
        "alevel_passes": np.where(each >= 10, number, 0),
        "alevel_top": top,
        "alevel_points": points,
        "academic_points": points,
        "best3_points": np.where(number >= 3, 3 * each, np.nan),
        "in_best3": number >= 3,
        "aab": (number >= 3) & (each >= 46.7),
        "top3": (number >= 3) & (each >= 50),
    }
    yield "", Rows(who, chunk.common(who, year) | known)
