"""Random questions: what the service would release passes its own check, and a hidden number put back does not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from datasets.output_check.verdict import Verdict
from tests.lib.official import some_rows
from tests.lib.outputs import Room, codes, of_table

MEASURES: list[dict[str, Any]] = [
    {"statistic": "count"},
    {"statistic": "mean", "variable": "score"},
    {"statistic": "sum", "variable": "award"},
    {"statistic": "rate", "variable": "award"},
    {"statistic": "variance", "variable": "score"},
    {"statistic": "percentage", "variable": "need", "codes": ["a", "b"]},
    {"statistic": "histogram", "variable": "need"},
    {"statistic": "distribution", "variable": "need"},
    {"statistic": "distinct", "variable": "school"},
    {"statistic": "quantile", "variable": "score", "probabilities": [0.1, 0.5]},
    {"statistic": "ratio", "id": "r", "of": [{"statistic": "sum", "variable": "award"}, {"statistic": "count"}]},
]
GROUPINGS = (["la"], ["la", "fsm"], ["la.region"], [], ["fsm", "school"])


def question(chance: random.Random) -> dict[str, Any]:
    groups = chance.choice(GROUPINGS)
    asked: dict[str, Any] = {"measures": chance.sample(MEASURES, chance.randint(1, 4)), "groupBy": groups}
    if groups and chance.random() < 0.5:
        asked["totals"] = [[]]
    if "school" not in groups and chance.random() < 0.3:
        asked["criteria"] = {"filters": {"school": {"eq": "s1"}}}
    return asked


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_service_would_release_passes(seed: int) -> None:
    chance = random.Random(seed)
    room, asked = Room(some_rows(chance.choice([150, 300, 700, 1500]), seed)), question(chance)
    text = room.release(asked)
    for checked in (Room(room.rows).check(text, asked), room.check(text, asked)):
        assert (checked.verdict, of_table(checked), codes(checked)) == (Verdict.PASS, [], {}), asked


@pytest.mark.parametrize("seed", range(6))
def test_a_small_number_that_is_put_back_fails(seed: int) -> None:
    rows = some_rows(400, seed)
    asked = {"measures": MEASURES[:1], "groupBy": ["la", "need"], "totals": [[], ["la"], ["need"]]}
    lines = Room(rows).release(asked).splitlines()
    small = []
    for place, line in enumerate(lines[1:], 1):
        la, need, shown = line.split(",")
        count = sum(f"A{row.atoms['la'] + 1}" == la and "abcd"[row.atoms["need"]] == need for row in rows)
        if shown == "c" and 3 <= count < 10:
            small.append((place, count))
    assert small
    place, count = random.Random(seed).choice(small)
    lines[place] = lines[place].removesuffix("c") + str((count + 2) // 5 * 5)
    assert "minimum_count" in codes(Room(rows).check("\n".join(lines), asked))[place + 1, "count"]
