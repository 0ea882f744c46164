"""The tests that would catch us: every detector passes the real build, and catches the bug it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks import detectors
from tests.attacks.builds import Build
from tests.attacks.planted import PLANTED

LISTED = {
    "noise/4",
    "group keys taken from the data",
    "check-then-charge race",
    "budget kept per account",
    "no charge at all",
    "0.3 ms latency leak",
    "noise keyed on the query text",
    "noise keyed on the record set",
}
"""Planted bugs that any test suite of a service like this should catch; ours are in the table besides."""
OURS = {
    "sensitivity off by one: rows per pupil",
    "sensitivity off by one: clamp bounds",
    "suppression decided on true counts",
    "missing value counted as a bound",
    "charge after the answer",
}


def marked(name: str, detector: detectors.Detector) -> object:
    return pytest.param(detector, id=name, marks=[pytest.mark.statistical] if detector in detectors.STATISTICAL else [])


def test_every_listed_bug_is_planted_and_every_detector_has_one() -> None:
    assert set(PLANTED) == LISTED | OURS
    assert {bug.detector for bug in PLANTED.values()} == {*detectors.FAST, *detectors.STATISTICAL}


@pytest.mark.parametrize("detector", [marked(d.__name__, d) for d in (*detectors.FAST, *detectors.STATISTICAL)])
def test_the_real_build_passes(detector: detectors.Detector, tmp_path: Path) -> None:
    detector(Build(), tmp_path)


@pytest.mark.parametrize(
    ("bug", "detector"),
    [
        pytest.param(name, bug.detector, id=name, marks=marked(name, bug.detector).marks)
        for name, bug in PLANTED.items()
    ],
)
def test_the_bug_is_caught(bug: str, detector: detectors.Detector, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=PLANTED[bug].words):
        detector(PLANTED[bug].build(), tmp_path)
