"""What is claimed of the files: published margins, each met exactly after rounding to whole pupils.

A claim is checked from the files alone: how many pupils each stratum has there, and the published shares. Numbers are
rounded as `deal` says: by largest remainders, or halves up where the share is of one group against all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from synthetic.npd.deal import largest_remainder, published
from synthetic.npd.facts import areas, facts, of_area

EVERY, LAST = "every year", "the last year"
Expected = Callable[[tuple[str, ...], int], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Claim:
    """by: what the strata are, and then the variable whose shares are met in each. expected: of a stratum and its
    pupils. All are of Reception to Year 11, in the spring census (absence: of the year, on roll in summer)."""

    name: str
    table: str
    by: tuple[str, ...]
    years: str
    source: str
    expected: Expected


def _fsm(stratum: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    region, phase = stratum
    share = facts()["fsm"]["special"] if phase == "special" else of_area("fsm", phase, region)
    yes = published(pupils, share)
    return {"1": yes, "0": pupils - yes}


def _sen(stratum: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    region, phase = stratum
    if phase == "special":
        return {"plan": pupils, "support": 0, "none": 0}
    plan, support = of_area("sen_plan", phase, region), of_area("sen_support", phase, region)
    numbers = largest_remainder(pupils, [plan, support, 100 - plan - support])
    return dict(zip(("plan", "support", "none"), map(int, numbers), strict=True))


def _language(stratum: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    region, phase = stratum
    other = published(pupils, of_area("eal", "primary" if phase == "primary" else "secondary", region))
    return {"2_OTH": other, "1_ENG": pupils - other}


def _ethnicity(_: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    heads = facts()["ethnicity"]["heads"]
    return dict(zip(heads, map(int, largest_remainder(pupils, list(heads.values()))), strict=True))


def _sex(_: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    boys = int(largest_remainder(pupils, [facts()["sex"]["M"], facts()["sex"]["F"]])[0])
    return {"M": boys, "F": pupils - boys}


def _bands(stratum: tuple[str, ...], pupils: int) -> Mapping[str, int]:
    phase, fsm = stratum
    numbers = largest_remainder(pupils, areas()["absence_bands"][phase]["fsm" if fsm == "1" else "other"])
    return {str(5 * i): int(n) for i, n in enumerate(numbers)}


CLAIMS = (
    Claim("free school meals", "census", ("region", "phase", "fsm_eligible"), EVERY, "LAIT 2025", _fsm),
    Claim("special needs", "census", ("region", "phase", "sen"), EVERY, "LAIT 2025", _sen),
    Claim("first language", "census", ("region", "phase", "language_group"), LAST, "LAIT 2025", _language),
    Claim("ethnic group", "census", ("ethnicity",), LAST, "headcounts of January 2017", _ethnicity),
    Claim("sex", "census", ("sex",), LAST, "headcounts of January 2017", _sex),
    Claim("absence", "absence_year", ("phase", "fsm_eligible", "band"), EVERY, "absence bands 2022/23", _bands),
)  # fmt: skip
ROLLS = "rolls"
"""Beside those: pupils by school, year and year group are those of the plan, `rolls.parquet`."""


def compared(claim: Claim, found: Mapping[tuple[str, ...], int]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(stratum and value, expected, found) of each cell. found: pupils by stratum and value."""
    strata: dict[tuple[str, ...], int] = {}
    for key, n in found.items():
        strata[key[:-1]] = strata.get(key[:-1], 0) + n
    for stratum, pupils in strata.items():
        expected = claim.expected(stratum, pupils)
        for value in {*expected, *(key[-1] for key in found if key[:-1] == stratum)}:
            yield (*stratum, value), expected.get(value, 0), found.get((*stratum, value), 0)
