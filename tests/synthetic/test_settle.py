"""Groups that are moved until they do as well as published: in each chunk, of few pupils, with any seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.npd.absence import missed
from synthetic.npd.attainment import attain
from synthetic.npd.events import exclusions_year
from synthetic.npd.facts import of_area, tuned
from synthetic.npd.make import chunks_of
from synthetic.npd.schools import PRIMARY, SECONDARY, SPECIAL
from synthetic.npd.settle import Family, towards_shares
from synthetic.npd.subjects import attainment8, points_of, slots
from synthetic.npd.world import Chunk, World

YEAR, PUPILS = 2025, 20_000
WITHIN = 0.02


@pytest.fixture(scope="module", params=[1, 2])
def chunk(root: Path, request: pytest.FixtureRequest) -> Chunk:
    npd = root / "datasets" / "npd"
    world = World(load_catalogue(bundle(npd)), npd, range(YEAR, YEAR + 1), request.param)
    (whole,) = chunks_of(world, PUPILS, PUPILS)
    return whole


def regions(chunk: Chunk, who: np.ndarray) -> np.ndarray:
    schools = chunk.world.schools
    return np.array(schools.regions)[schools.la[chunk.school(who, YEAR)]]


def of_year_11(chunk: Chunk, settle: bool) -> dict[str, float]:
    """How far mean Attainment 8 is from the published one, as a part of it."""
    a, who = attain(chunk.world.seed, 0, chunk.pupils, settle), chunk.pupils.in_group(YEAR, 11)
    got = attainment8(slots(points_of(a.taken[who], a.grade[who], a.second[who]), a.taken[who]))
    region, fsm = regions(chunk, who), chunk.fsm(who, YEAR)
    found = {r: got[region == r].mean() / of_area("attainment8", "all", r) for r in np.unique(region)}
    found |= {n: got[fsm == yes].mean() / of_area("attainment8", n, "ENG") for n, yes in (("fsm", 1), ("other", 0))}
    return {name: abs(ratio - 1) for name, ratio in found.items()}


def test_every_region_and_either_kind_of_pupil_have_the_published_attainment_8(chunk: Chunk) -> None:
    off = of_year_11(chunk, settle=True)
    assert len(off) == 11
    assert max(off.values()) <= WITHIN, off
    assert max(of_year_11(chunk, settle=False).values()) > WITHIN


def test_as_many_of_each_region_meet_the_standard_of_key_stage_2_as_published(chunk: Chunk) -> None:
    who, a = chunk.pupils.in_group(YEAR, 6), chunk.attainment
    met = (a.ks2[who, :2] >= 100).all(axis=1) & (a.writing[who] >= tuned("scale", "writing", "EXS"))
    region = regions(chunk, who)
    for r in np.unique(region):
        of = met[region == r]
        # Free school meals split a region in two, each with a whole number of pupils.
        assert abs(of.sum() - len(of) * of_area("ks2_rwm", "all", r) / 100) <= 2 + WITHIN * len(of)


def test_persistent_absence_differs_by_region_as_published(chunk: Chunk) -> None:
    of = missed(chunk, YEAR)
    secondary = chunk.group(of.of, YEAR) > 6
    region, often = regions(chunk, of.of), of.rate >= 0.1
    england = often[secondary].mean() / of_area("persistent", "secondary", "ENG")
    for r in np.unique(region):
        got = often[secondary & (region == r)].mean()
        assert got == pytest.approx(england * of_area("persistent", "secondary", r), rel=0.05)


def test_suspensions_of_the_year_are_as_many_as_published(chunk: Chunk) -> None:
    ((_, rows),) = exclusions_year(chunk, YEAR)
    on_roll = chunk.pupils.on_roll(YEAR)
    kind = chunk.world.schools.kind[chunk.school(on_roll, YEAR)]
    names = {PRIMARY: "primary", SECONDARY: "secondary", SPECIAL: "special"}
    expected = sum(of_area("suspensions", name, "ENG") / 100 * np.sum(kind == k) for k, name in names.items())
    assert np.asarray(rows.known["suspensions"]).sum() == pytest.approx(expected, abs=1 + 0.01 * expected)


def test_shares_are_met_to_the_pupil() -> None:
    rng = np.random.default_rng(1)
    group, needed = rng.integers(0, 3, 900), rng.normal(size=900)
    moved = towards_shares(rng, needed, [Family(group, np.array([25.0, 50.0, 60.0]))])
    for g, share in enumerate((25.0, 50.0, 60.0)):
        of = group == g
        assert abs((moved >= needed)[of].sum() - share / 100 * of.sum()) < 1
        assert len(np.unique(moved[of])) == 1


def test_shares_that_cannot_be_met_are_met_as_far_as_pupils_go() -> None:
    rng, group = np.random.default_rng(1), np.zeros(4, np.int64)
    for share, met in ((140.0, 4), (-20.0, 0)):
        needed = np.array([-0.3, -0.1, 0.1, 0.3])
        assert (towards_shares(rng, needed, [Family(group, np.array([share]))]) >= needed).sum() == met


def test_nobody_is_moved_further_than_half_a_standard_deviation_at_once() -> None:
    rng = np.random.default_rng(1)
    moved = towards_shares(rng, np.full(50, 30.0), [Family(np.zeros(50, np.int64), np.array([100.0]))])
    assert 0 < moved.max() <= 0.5 * 6
    assert towards_shares(rng, np.zeros(0), [Family(np.zeros(0, np.int64), np.array([50.0]))]).shape == (0,)
