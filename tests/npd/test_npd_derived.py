"""Derived variables by hand: rows written out, and what a person would say of each."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from datasets.catalogue import Catalogue
from datasets.derive.evaluate import Row, Value, evaluate
from datasets.derive.expression import names
from tests.npd.conftest import Facts

Given = dict[str, object]


def derive(npd: Catalogue, where: str, before: tuple[Given, ...] = (), **given: object) -> Value:
    """The value of a derived variable; those that it needs and that are derived themselves are worked out first.

    before: other rows of the pupil, each with how many `years` before it is.
    """
    data_set, name = where.split(".")
    found = npd.data_set(data_set)
    assert found is not None
    expression = found.by_name[name].derived
    assert expression is not None
    row: dict[str, str | Fraction | None] = {}
    for needed in names(expression):
        value = given[needed] if needed in given else derive(npd, f"{data_set}.{needed}", before, **given)
        number = found.by_name[needed].numbers is not None
        row[needed] = Fraction(str(value)) if number and value is not None else _exact(value)
    rows: list[tuple[int, Row]] = [(0, row)]
    for other in before:
        years = other["years"]
        assert isinstance(years, int)
        rows.append((years, {key: _exact(value) for key, value in other.items() if key != "years"}))
    return evaluate(expression, row, rows)


def _exact(value: object) -> str | Fraction | None:
    return value if value is None or isinstance(value, str) else Fraction(str(value))


@pytest.mark.parametrize(
    ("years", "six", "three"), [(0, "1", "1"), (2, "1", "1"), (3, "1", "0"), (5, "1", "0"), (6, "0", "0")]
)
def test_free_school_meals_are_remembered(npd: Catalogue, years: int, six: str, three: str) -> None:
    before = ({"years": years, "fsm_eligible": "1"},)
    assert derive(npd, "census.fsm6", before, fsm_eligible="0") == six
    assert derive(npd, "census.fsm3", before, fsm_eligible="0") == three
    assert derive(npd, "census.fsm_ever", before, fsm_eligible="0") == "1"


@pytest.mark.parametrize(
    ("fsm6", "care", "left", "wanted"),
    [
        ("0", "no_cla", "N", "0"),
        ("1", "no_cla", "N", "1"),
        ("0", "1", "N", "1"),
        ("0", "0", "missing", "0"),
        ("0", "no_cla", "A", "1"),
        ("0", "no_cla", "G", "1"),
    ],
)
def test_disadvantage_is_free_meals_or_care(npd: Catalogue, fsm6: str, care: str, left: str, wanted: str) -> None:
    assert derive(npd, "census.disadvantaged", fsm6=fsm6, cla_any_day=care, post_care=left) == wanted


SLOTS = {
    "slot_english": "6",
    "slot_maths": "7.5",
    **{f"slot_ebacc_{i}": points for i, points in ((1, "5"), (2, "5.5"), (3, "4"))},
    **{f"slot_open_{i}": points for i, points in ((1, "8"), (2, "3.25"), (3, "0"))},
}


def test_attainment_8_counts_english_and_maths_twice(npd: Catalogue) -> None:
    assert derive(npd, "ks4.attainment8", english_pair="1", **SLOTS) == Fraction("52.75")
    assert derive(npd, "ks4.attainment8", english_pair="0", **SLOTS) == Fraction("46.75")


def test_attainment_8_goes_from_0_to_90(npd: Catalogue) -> None:
    assert derive(npd, "ks4.attainment8", english_pair="1", **dict.fromkeys(SLOTS, "0")) == 0
    assert derive(npd, "ks4.attainment8", english_pair="1", **dict.fromkeys(SLOTS, "9")) == 90


def test_progress_8_is_a_tenth_of_the_difference(npd: Catalogue) -> None:
    """Of the group 102.5 to 103: 41.02 points are expected."""
    given = {"english_pair": "1", **SLOTS}
    for average in ("102.5", "103"):
        assert derive(npd, "ks4.progress8", ks2_average_score=average, **given) == Fraction("1.173")
    assert derive(npd, "ks4.progress8", ks2_average_score=None, **given) is None


def test_expected_points_are_the_published_ones(npd: Catalogue, root: Path) -> None:
    import csv

    path = root.parent / "shared" / "reference" / "calibration" / "attainment8_by_ks2_group.csv"
    if not path.is_file():
        pytest.skip("the published means are not in ../shared/reference/calibration")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 34
    for row in rows:
        for end in row["KS2 average scaled score range"].split(" to "):
            found = derive(npd, "ks4.attainment8_expected", ks2_average_score=end)
            assert found == Fraction(Decimal(row["Attainment 8 average"]))


@pytest.mark.parametrize(
    ("possible", "missed", "persistent", "severe", "band"),
    [
        (300, 0, "0", "0", "0"),
        (300, 15, "0", "0", "0"),
        (300, 16, "0", "0", "5"),
        (300, 29, "0", "0", "5"),
        (300, 30, "1", "0", "5"),
        (300, 31, "1", "0", "10"),
        (299, 29, "0", "0", "5"),
        (300, 149, "1", "0", "45"),
        (300, 150, "1", "1", "45"),
        (300, 151, "1", "1", "50"),
        (0, 0, "0", "0", "none"),
    ],
)
def test_absence_is_compared_in_whole_sessions(
    npd: Catalogue, possible: int, missed: int, persistent: str, severe: str, band: str
) -> None:
    given = {"sessions_possible": possible, "authorised": missed, "unauthorised": 0}
    assert derive(npd, "absence_year.persistent", **given) == persistent
    assert derive(npd, "absence.persistent", **given) == persistent
    assert derive(npd, "absence_year.severe", **given) == severe
    assert derive(npd, "absence_year.absence_band", **given) == band


@pytest.mark.parametrize(
    ("provision", "need", "wanted"),
    [
        ("N", "missing", "no_sen"),
        ("N", "ASD", "no_sen"),
        ("K", "ASD", "communication"),
        ("E", "PMLD", "cognition"),
        ("S", "BESD", "semh"),
        ("K", "MSI", "sensory_physical"),
        ("K", "NSA", "other"),
        ("E", "missing", "not_recorded"),
    ],
)
def test_need_groups(npd: Catalogue, provision: str, need: str, wanted: str) -> None:
    assert derive(npd, "census.sen_need_group", sen_provision=provision, primary_need=need) == wanted


def test_need_groups_are_the_broad_areas_of_the_banding(npd: Catalogue) -> None:
    census = npd.data_set("census")
    assert census is not None
    need = census.by_name["primary_need"]
    area = need.banding("area")
    assert area is not None
    for band, atoms in zip(area.codes, area.groups, strict=True):
        for atom in atoms:
            code = need.atoms[atom].code
            assert derive(npd, "census.sen_need_group", sen_provision="K", primary_need=code) == band.code


@pytest.mark.parametrize(
    ("reading", "maths", "writing", "expected", "higher"),
    [
        (100, 100, "EXS", "1", "0"),
        (99, 120, "GDS", "0", "0"),
        (110, 110, "GDS", "1", "1"),
        (110, 110, "EXS", "1", "0"),
        (110, 110, "WTS", "0", "0"),
        (None, 110, "GDS", "0", "0"),
    ],
)
def test_reading_writing_and_maths(
    npd: Catalogue, reading: int | None, maths: int, writing: str, expected: str, higher: str
) -> None:
    given = {"reading_score": reading, "maths_score": maths, "writing": writing}
    assert derive(npd, "ks2.rwm_expected", **given) == expected
    assert derive(npd, "ks2.rwm_higher", **given) == higher


@pytest.mark.parametrize(
    ("reading", "maths", "band"),
    [
        (79, 80, "Less than 80"),
        (80, 80, "80 - 89.5"),
        (99, 100, "96 - 99.5"),
        (100, 104, "100 - 102"),
        (102, 103, "102.5 - 104.5"),
        (120, 113, "113.5 - 116.5"),
        (120, 114, "117 - 120"),
        (120, 120, "117 - 120"),
        (None, 120, "No scaled score"),
    ],
)
def test_bands_of_the_average_scaled_score(npd: Catalogue, reading: int | None, maths: int, band: str) -> None:
    assert derive(npd, "ks2.prior_band", reading_points=reading, maths_points=maths) == band


def test_good_level_of_development_by_either_set_of_goals(npd: Catalogue) -> None:
    eyfsp = npd.data_set("eyfsp")
    assert eyfsp is not None
    goals = [v.name for v in eyfsp.variables if v.name.startswith("goal")]
    old, new = ([g for g in goals if g.startswith(prefix)] for prefix in ("goal13", "goal22"))
    assert (len(old), len(new)) == (17, 17)
    nothing = dict.fromkeys(goals, "missing")
    assert derive(npd, "eyfsp.gld", **nothing) == "0"
    for several in (old, new):
        reached = {**nothing, **dict.fromkeys(several, "2")}
        assert derive(npd, "eyfsp.gld", **reached) == "1"
        assert derive(npd, "eyfsp.gld", **{**reached, several[3]: "1"}) == "0"
        beyond = {**reached, several[15]: "1"}  # expressive arts do not count
        assert derive(npd, "eyfsp.gld", **beyond) == "1"
        assert derive(npd, "eyfsp.all_goals", **beyond) == "0"


def test_phonics_summer_born_and_strong_passes(npd: Catalogue) -> None:
    assert [derive(npd, "phonics.met", mark=mark) for mark in (None, 31, 32, 40)] == ["0", "0", "1", "1"]
    months = [str(month) for month in range(1, 13)]
    summer = [m for m in months if derive(npd, "census.summer_born", month_of_birth=m) == "1"]
    assert summer == ["5", "6", "7", "8"]
    both = [("1", "1"), ("1", "0"), ("missing", "1")]
    found = [derive(npd, "ks4.english_maths_95", english_95=e, maths_95=m) for e, m in both]
    assert found == ["1", "0", "0"]


def test_points_of_grades_are_those_of_the_reference(npd: Catalogue, facts: Facts) -> None:
    for file, column in (("ks4_grade_91", "attainment8_points"), ("ks4_grade_AG", "attainment8_points_2017on")):
        for row in facts(file):
            assert derive(npd, "ks4_entries.attainment8_points", grade=row["code"]) == Fraction(row[column])
    assert derive(npd, "ks4_entries.attainment8_points", grade="98") == Fraction("8.5")
    strong = [g for g in ("5", "4", "55", "54", "U", "A*") if derive(npd, "ks4_entries.grade5", grade=g) == "1"]
    assert strong == ["5", "55"]


def test_sessions_are_attended_missed_or_not_possible(npd: Catalogue) -> None:
    for mark, wanted in {
        "/": (1, 1, 0),
        "L": (1, 1, 0),
        "B": (1, 1, 0),
        "I": (1, 0, 1),
        "G": (1, 0, 1),
        "X": (0, 0, 0),
    }.items():
        found = tuple(derive(npd, f"attendance.{name}", mark=mark) for name in ("possible", "attended", "missed"))
        assert found == wanted, mark


def test_every_mark_is_attended_missed_or_not_possible(npd: Catalogue) -> None:
    attendance = npd.data_set("attendance")
    assert attendance is not None
    for atom in attendance.by_name["mark"].atoms:
        possible, attended, missed = (
            derive(npd, f"attendance.{name}", mark=atom.code) for name in ("possible", "attended", "missed")
        )
        assert isinstance(attended, Fraction)
        assert isinstance(missed, Fraction)
        assert possible == attended + missed, atom.code


@pytest.mark.parametrize(
    ("type_", "phase", "wanted"),
    [
        ("1", "2", "primary"),
        ("34", "4", "secondary"),
        ("28", "7", "secondary"),
        ("44", "0", "special"),
        ("14", "0", "alternative"),
        ("10", "0", "independent"),
        ("11", "0", "independent"),
        ("15", "1", "nursery"),
        ("18", "6", "post16"),
        ("30", "0", "other"),
    ],
)
def test_phase_and_sector(npd: Catalogue, type_: str, phase: str, wanted: str) -> None:
    assert derive(npd, "schools.phase_type", type=type_, phase=phase) == wanted


def test_a_pupil_without_suspensions_has_none(npd: Catalogue) -> None:
    assert derive(npd, "census.suspensions", exclusions_suspensions=None) == 0
    assert derive(npd, "census.suspensions", exclusions_suspensions=3) == 3


def test_deciles(npd: Catalogue) -> None:
    found = [derive(npd, "census.idaci_decile", idaci_rank=rank) for rank in (None, 1, 3284, 3285, 29559, 29560, 32844)]
    assert found == ["missing", "1", "1", "2", "9", "10", "10"]
