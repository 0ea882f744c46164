"""Four thousand rows of the small school, as arrays and as the engine has them, so that numpy can say what is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from datasets.answer import Answer, finish
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Codes, Measure, Operator, Query
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from tests.lib import school
from tests.lib.plans import unprotected, valid_school
from tests.lib.regression import Data

CENSUS = school.census()
PLAIN = load_policy(preset("dp-default").replace("value = 10", "value = 0").replace("base = 5", "base = 1"))
"""Nothing small is hidden and counts are whole."""
STREAM = np.random.default_rng(5)
N = 4000
EVERYBODY = np.ones(N, bool)
UNIT, LA, SEX = STREAM.integers(1, 900, N), STREAM.integers(0, 5, N), STREAM.choice(3, N, p=[0.45, 0.45, 0.1])
NEED = STREAM.integers(0, 7 + LA)
DAYS = np.minimum(STREAM.gamma(2, 20, N).astype(int) + 10 * LA, 200)
TICKS = np.clip((4 + DAYS / 12 + 2 * SEX + STREAM.normal(0, 4, N)).astype(int), -4, 20)
MISSING = STREAM.random(N) < 0.1
BINS = [atom.code for atom in CENSUS.by_name["score"].atoms]
BIN = np.where(MISSING, len(BINS) - 1, np.minimum((TICKS + 4) // 4, len(BINS) - 2))

RAW = np.where(MISSING, np.nan, TICKS / 2)
"""The score; missing is NaN."""
SCORE = np.clip(RAW, 0, 8)
"""As sums have it, within the clamp bounds."""
MIDDLES = np.where(MISSING, np.nan, 2 * BIN - 1.0)
"""Of the bins of the score: all that a logistic regression knows of it."""

LEVELS = {
    "la": ["A1", "A2", "A3", "A4", "A5"],
    "la.region": ["N", "S"],
    "sex": ["F", "M", "U"],
    "need": list("abcdefghijk"),
    "need.some": ["", "first", "last"],
    "score.bin": BINS,
    "score.wide": ["-2 to 2", "2 to 10", ""],
}
PLACES = {
    "la": LA,
    "la.region": (LA > 1).astype(int),
    "sex": SEX,
    "need": NEED,
    "need.some": np.isin(NEED, [0, 2, 4]) + 2 * (NEED == 10),
    "score.bin": BIN,
    "score.wide": np.where(MISSING, 2, (TICKS >= 4).astype(int)),
}
DATA = Data(
    {"score": SCORE, "days": DAYS.astype(float)},
    {name: np.array(LEVELS[name])[places] for name, places in PLACES.items()},
    {name: [level for level in levels if level] for name, levels in LEVELS.items()},
)
UNCLAMPED = replace(DATA, numbers={**DATA.numbers, "score": RAW})
BINNED = replace(DATA, numbers={"score": MIDDLES})

ROWS = [
    Row(u, {"year": 0, "la": la, "sex": sex, "need": need, "score": b}, {"score": None if gone else t, "days": d})
    for u, la, sex, need, b, t, d, gone in zip(
        *(column.tolist() for column in (UNIT, LA, SEX, NEED, BIN, TICKS, DAYS, MISSING)), strict=True
    )
]
ENGINE = MemoryEngine({CENSUS.id: ROWS})


def both(here: np.ndarray) -> np.ndarray:
    """Those that have both numbers."""
    return here & ~MISSING


def is_in(name: str, *codes: str) -> Codes:
    return Codes(name, Operator.IN, codes)


def answer(*measures: Measure, sigma: float = 0.0, group_by: tuple[str, ...] = ("la",), **parts: object) -> Answer:
    """From exact aggregates, which claim to have noise of this deviation."""
    valid = valid_school(Query(CENSUS.id, measures, group_by, **parts))  # type: ignore[arg-type]
    return finish(valid, unprotected(valid, ENGINE, sigma), PLAIN)
