"""Every code of the reference is in the catalogue; which of its files are no code lists is said here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasets.catalogue import Catalogue
from datasets.catalogue_toml.variables import GEOGRAPHIC_LEVELS
from datasets.variables import Code, Numbers, Sensitivity
from tests.npd.conftest import Facts

LISTS = {
    "absence_code": ("code", "attendance.mark"),
    "amend_flags": ("code", "ks2.amendment"),
    "census_term": ("code", "census.term"),
    "cin_disability": ("code", "cin_disabilities.disability"),
    "enrol_status": ("code", "census.enrol_status"),
    "ethnicity_extended": ("code", "census.ethnicity_detail"),
    "ethnicity_major": ("code", "census.ethnicity.major"),
    "ethnicity_minor": ("code", "census.ethnicity"),
    "exclusion_category": ("code", "exclusions.category"),
    "exclusion_reason_2005": ("code", "exclusions.reason"),
    "exclusion_reason_2020": ("code", "exclusions.reason"),
    "ey_provider_category": ("code", "early_years.provider"),
    "ey_pupil_premium_basis": ("code", "census.eypp_basis"),
    "gias_establishment_types_20250422": ("type-of-establishment-code", "schools.type"),
    "gias_phase": ("code", "schools.phase"),
    "ks2_outcome_marks": ("code", "ks2.reading_outcome"),
    "ks4_combined_science_grade": ("code", "ks4_entries.grade"),
    "ks4_grade_91": ("code", "ks4_entries.grade"),
    "ks4_grade_AG": ("code", "ks4_entries.grade"),
    "ks4_subject_tm": ("subject", "ks4_entries.subject"),
    "language": ("code", "census.language"),
    "language_group_major": ("code", "census.language_group"),
    "local_authority": ("new_la_code", "census.home_la"),
    "ncyear_actual": ("code", "census.year_group"),
    "school_type_nftype": ("code", "ks4.institution_type"),
    "school_type_toe": ("code", "phonics.education_type"),
    "sen_provision": ("code", "census.sen_provision"),
    "sen_type": ("code", "sen.need"),
    "sex": ("code", "census.sex"),
}
"""File → its column of codes, and the variable or banding that has them all."""
OTHERWISE = (
    "ees_acceptable_las ees_acceptable_regions geographic_level identifiability_risk ks2_scaled_score "
    "ks2_scaled_score_group npd_ks4_variables npd_variable_index region sensitivity_level"
)
"""Checked by tests of their own, here or in test_npd_names.py."""
NO_CODES = {
    "ees_acceptable_ethnicity_values": "spellings of labels in published tables",
    "ees_data_dictionary": "columns of published tables",
    "ees_geography_df": "columns of published tables",
    "ees_harmonised_col_names": "columns of published tables",
    "gss_symbols": "symbols of answers, not values of variables",
}


def codes_of(npd: Catalogue, reference: str) -> tuple[Code, ...]:
    data_set, name, *banding = reference.split(".")
    found = npd.data_set(data_set)
    assert found is not None, reference
    variable = found.by_name[name]
    if not banding:
        return variable.atoms
    bands = variable.banding(banding[0])
    assert bands is not None, reference
    return bands.codes


def test_every_file_of_the_reference_is_thought_of(codesets: Path) -> None:
    known = {*LISTS, *OTHERWISE.split(), *NO_CODES}
    assert {path.stem for path in codesets.glob("*.csv")} == known


@pytest.mark.parametrize("name", LISTS)
def test_every_code_of_the_reference_is_ours(npd: Catalogue, facts: Facts, name: str) -> None:
    column, reference = LISTS[name]
    wanted = {row[column] for row in facts(name)}
    assert len(wanted) > 1
    assert wanted - {code.code for code in codes_of(npd, reference)} == set()


def test_minor_ethnic_groups_and_languages_go_to_their_major_ones(npd: Catalogue, facts: Facts) -> None:
    for file, reference, column in (
        ("ethnicity_minor", "census.ethnicity", "major_group"),
        ("ethnicity_extended", "census.ethnicity_detail", "major_group"),
    ):
        rows = facts(file)
        major = column if column in rows[0] else list(rows[0])[2]
        assert _parents(npd, reference, "major").items() >= {row["code"]: row[major] for row in rows}.items()
    groups = _parents(npd, "census.language", "group")
    assert {groups[code] for code in ("ENG", "ENB")} == {"1_ENG"}
    assert (groups["OTB"], groups["PNJA"], groups["REF"]) == ("2_OTH", "2_OTH", "3_UNCL")


def _parents(npd: Catalogue, reference: str, banding: str) -> dict[str, str]:
    data_set, name = reference.split(".")
    found = npd.data_set(data_set)
    assert found is not None
    variable = found.by_name[name]
    bands = variable.banding(banding)
    assert bands is not None
    groups = zip(bands.codes, bands.groups, strict=True)
    return {variable.atoms[atom].code: band.code for band, atoms in groups for atom in atoms}


def test_schools_stand_in_the_153_local_authorities_and_nine_regions(npd: Catalogue, facts: Facts) -> None:
    rows = [row for row in facts("local_authority") if row["current_2526"] == "1"]
    assert len(rows) == 153
    labels = {code.code: code.label for code in codes_of(npd, "schools.la")}
    assert labels == {row["new_la_code"]: row["la_name"] for row in rows}
    assert _parents(npd, "schools.la", "region") == {row["new_la_code"]: row["region_code"] for row in rows}
    both = codes_of(npd, "schools.la.region") + codes_of(npd, "schools.la.region_london")
    assert {code.code for code in both} == {row["region_code"] for row in facts("region")}


def test_areas_have_the_names_of_published_tables(npd: Catalogue, facts: Facts) -> None:
    las = {row["la_name"] for row in facts("ees_acceptable_las")}
    assert {code.label for code in codes_of(npd, "census.home_la")} - las == {"Not recorded"}
    both = codes_of(npd, "schools.la.region") + codes_of(npd, "schools.la.region_london")
    assert {code.label for code in both} <= {row["region_name"] for row in facts("ees_acceptable_regions")}


def test_scaled_scores_and_their_bands(npd: Catalogue, facts: Facts) -> None:
    scores = sorted(int(row["code"]) for row in facts("ks2_scaled_score"))
    numbers = _numbers(npd, "ks2", "reading_score")
    assert (numbers.lowest, numbers.highest) == (scores[0], scores[-1])
    wanted = [row["label"] for row in facts("ks2_scaled_score_group")]
    assert [code.code for code in codes_of(npd, "ks2.prior_band")] + ["Total"] == wanted  # the total is no band


def _numbers(npd: Catalogue, data_set: str, name: str) -> Numbers:
    found = npd.data_set(data_set)
    assert found is not None
    numbers = found.by_name[name].numbers
    assert numbers is not None
    return numbers


def test_classes_and_levels_are_those_of_the_reference(facts: Facts) -> None:
    assert {row["code"] for row in facts("sensitivity_level")} == {"A", *Sensitivity}
    assert {row["code"] for row in facts("identifiability_risk")} == set("12345")
    assert {row["code"] for row in facts("geographic_level")} == {*GEOGRAPHIC_LEVELS, "NAT"}


def test_years_of_validity_stand_where_codes_changed(npd: Catalogue) -> None:
    """A code says since when or until when in academic years."""
    changed = {"exclusions.reason": 5, "census.sen_provision": 5, "attendance.mark": 10, "ks4_entries.grade": 8}
    for reference, least in changed.items():
        dated = [code for code in codes_of(npd, reference) if code.since or code.until]
        assert len(dated) >= least, reference
        assert all(re.fullmatch(r"(20\d\d/\d\d)?", text) for code in dated for text in (code.since, code.until))


def test_school_days_are_in_their_week_and_month(npd: Catalogue) -> None:
    weeks, months = _parents(npd, "attendance.date", "week"), _parents(npd, "attendance.date", "month")
    assert weeks["2024-09-02"] == "2024-W36"
    assert all(day.startswith(month) for day, month in months.items())
    assert weeks.keys() == months.keys() == {code.code for code in codes_of(npd, "attendance.date")}
