"""What a model of the national catalogue takes for known: which variables follow from its columns, and which cannot."""

from __future__ import annotations

from functools import cache

import pytest

from datasets.catalogue import DataSet
from datasets.catalogue_toml import bundle, load_catalogue
from datasets.derive.parse import parse
from datasets.npd import FOLDER
from datasets.plan import Axis
from privacy_api.service.synthetic_rules import follows_from, is_worked_out


@cache
def census() -> DataSet:
    found = load_catalogue(bundle(FOLDER)).data_set("census")
    assert found is not None
    return found


def axis(name: str, leave_out: str | None = None) -> Axis:
    variable = census().by_name[name]
    codes = tuple(atom for atom in variable.atoms if atom.code != leave_out)
    places = tuple(variable.atoms.index(code) for code in codes)
    return Axis(name, variable, name, codes, places, tuple((p,) for p in places))


@pytest.mark.parametrize(
    ("name", "worked_out"),
    [
        ("summer_born", True),
        ("sen_need_group", True),
        ("disadvantaged", True),
        ("fsm6", False),  # looks back over years
        ("idaci_decile", False),  # follows from a number
        ("sex", False),  # is no derived variable
    ],
)
def test_what_is_worked_out_and_what_is_modelled(name: str, worked_out: bool) -> None:
    assert is_worked_out(census().by_name[name], census()) is worked_out


def test_what_follows_comes_with_its_columns() -> None:
    axes = {n: axis(n) for n in ("month_of_birth", "sen_provision", "primary_need", "fsm_eligible", "sex")}
    found = {d.variable.name: d for d in follows_from(census(), axes)}
    assert found.keys() == {"summer_born", "sen_need_group"}
    need = census().by_name["sen_need_group"]
    assert parse(found["sen_need_group"].follows) == need.derived
    assert found["sen_need_group"].variable.codes == tuple(atom.code for atom in need.atoms)


def test_what_needs_a_code_that_the_criteria_leave_out_does_not_follow() -> None:
    assert [d.variable.name for d in follows_from(census(), {"month_of_birth": axis("month_of_birth")})] == [
        "summer_born"
    ]
    assert not list(follows_from(census(), {"month_of_birth": axis("month_of_birth", leave_out="6")}))


def test_a_banding_is_not_the_variable_that_an_expression_names() -> None:
    assert not list(follows_from(census(), {"month_of_birth.season": axis("month_of_birth")}))


def test_what_follows_from_what_is_modelled_follows_too() -> None:
    axes = {n: axis(n) for n in ("fsm6", "cla_any_day", "post_care")}
    assert {d.variable.name for d in follows_from(census(), axes)} == {"looked_after", "disadvantaged"}
