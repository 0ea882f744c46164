"""What the NPD catalogue promises of every data set and variable."""

from __future__ import annotations

import tomllib

from datasets.catalogue import Catalogue, DataSet
from datasets.derive.expression import names
from datasets.npd import FOLDER
from datasets.variables import Sensitivity, Variable

WANTED = (
    "schools census registrations eyfsp phonics ks1 ks2 ks4 ks4_entries ks5 absence attendance exclusions sen cin cla"
)


def own(npd: Catalogue) -> list[tuple[DataSet, Variable]]:
    return [(d, v) for d in npd.data_sets for v in d.variables if v.linked is None]


def test_it_holds_the_data_sets_of_npd(npd: Catalogue) -> None:
    assert set(WANTED.split()) <= {d.id for d in npd.data_sets}
    assert len(own(npd)) >= 200


def test_each_data_set_says_what_it_is_and_since_when(npd: Catalogue) -> None:
    assert [d.id for d in npd.data_sets if not (d.title and d.description and d.source and d.populated)] == []


def test_each_variable_says_what_it_is_and_since_when(npd: Catalogue) -> None:
    silent = [f"{d.id}.{v.name}" for d, v in own(npd) if not (v.label and v.description and v.concept and v.populated)]
    assert silent == []


def test_no_variable_is_older_than_its_data_set(npd: Catalogue) -> None:
    older = [
        f"{d.id}.{v.name}"
        for d, v in own(npd)
        if d.populated and v.populated and not d.public and v.populated[0] < d.populated[0]
    ]
    assert older == []


def test_what_is_not_there_in_all_years_may_be_missing(npd: Catalogue) -> None:
    """Files of the other years have an empty column."""
    refused = [
        f"{d.id}.{v.name}"
        for d, v in own(npd)
        if v.derived is None and not d.public and v.populated != d.populated
        if not (v.missing or (v.numbers and v.numbers.optional))
    ]
    assert refused == []


def test_nothing_derived_is_less_protected_than_what_it_is_made_of(npd: Catalogue) -> None:
    looser = [
        f"{d.id}.{v.name}"
        for d, v in own(npd)
        if v.derived is not None and not v.sensitivity.needs_grant
        if any(d.by_name[name].sensitivity.needs_grant for name in names(v.derived))
    ]
    assert looser == []


def test_by_request_items_need_justification(npd: Catalogue) -> None:
    """At least all of class B or D, and all that is asked for in bands only."""
    wanted = [(d, v) for d, v in own(npd) if v.sensitivity in (Sensitivity.B, Sensitivity.D) or v.identifiability == 4]
    assert len(wanted) > 40
    assert [f"{d.id}.{v.name}" for d, v in wanted if not v.needs_justification] == []


def test_social_care_is_highly_sensitive(npd: Catalogue) -> None:
    lower = [
        f"{d.id}.{v.name}"
        for d, v in own(npd)
        if d.id in ("cin", "cin_disabilities", "cla")
        and v.sensitivity is not Sensitivity.B
        and v.name not in ("year", "spell")
    ]
    assert lower == []


def test_what_is_asked_for_in_bands_has_bands(npd: Catalogue) -> None:
    assert [f"{d.id}.{v.name}" for d, v in own(npd) if v.needs_banding and not v.bandings] == []


def test_a_pupil_has_the_la_and_region_of_the_school(npd: Catalogue) -> None:
    for name in ("census", "ks2", "ks4", "ks5", "phonics", "eyfsp", "absence_year", "exclusions", "attendance", "sen"):
        data_set = npd.data_set(name)
        assert data_set is not None
        levels = data_set.levels
        assert (levels.get("LA"), levels.get("REG")) == ("school_la", "school_la.region"), name


def test_attainment_is_followed_over_key_stages(npd: Catalogue) -> None:
    ks4 = npd.data_set("ks4")
    assert ks4 is not None
    followed = "ks2_prior_band ks2_ks1_reading ks2_phonics_met ks2_eyfsp_gld year6_year_group census_disadvantaged"
    assert [name for name in followed.split() if name not in ks4.by_name] == []


def test_every_list_is_used_and_every_file_is_a_list() -> None:
    cut = tomllib.loads((FOLDER / "cut.toml").read_text(encoding="utf-8"))
    files = {table["file"] for table in cut["code_lists"].values()}
    assert files == {f"codes/{path.name}" for path in (FOLDER / "codes").iterdir()}
    sets = [tomllib.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.toml")]
    assert set(cut["code_lists"]) == {name for one in sets for name in _lists(one)}


def _lists(table: object) -> set[str]:
    """Names of lists: texts under a key `codes`, wherever it is."""
    if not isinstance(table, dict):
        return set()
    found = {table["codes"]} if isinstance(table.get("codes"), str) else set()
    return found.union(*(_lists(part) for part in table.values()))
