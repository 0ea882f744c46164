"""Which cubes a data set gets: from its catalogue alone."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from math import prod

import numpy as np
import pytest

from datasets.catalogue import DataSet
from datasets.catalogue_toml import CatalogueRefused, load_catalogue
from datasets.cubes import MOST_CELLS, Cube, chosen, dtype_of, shape_of
from datasets.variables import Code, Variable
from tests.lib import school

CENSUS = school.census()
YEAR, LA = CENSUS.variables[:2]


def variable(name: str, atoms: int) -> Variable:
    codes = tuple(Code(str(i), "") for i in range(atoms))
    return Variable(name, name, "", "", 5, CENSUS.variables[0].sensitivity, codes, ())


def data_set(*variables: Variable) -> DataSet:
    return replace(CENSUS, variables=variables, sort_by=())


def test_time_and_a_place_then_the_others_as_they_stand() -> None:
    many, few, some = variable("many", 1000), variable("few", 2), variable("some", 4)
    assert chosen(data_set(many, few, LA, YEAR, some)) == (("year", "few", "some", "la", "many"),)


def test_what_does_not_fit_goes_into_others() -> None:
    """Years × areas × … is full: places are left out for more, and what was left out gets a cube with places."""
    flags = [variable(f"flag{i:02}", 2) for i in range(20)]
    group, ethnicity = variable("group", 15), variable("ethnicity", 20)
    first, second, third = chosen(data_set(YEAR, LA, ethnicity, group, *flags))
    names = [v.name for v in flags]
    assert first == ("year", *names[:9], "la", "group", "ethnicity")
    assert second == ("year", *names)
    assert third == ("year", *names[9:], "la")


def test_a_cube_within_another_is_not_made() -> None:
    assert chosen(data_set(YEAR, LA, variable("sex", 2))) == (("year", "sex", "la"),)


def test_what_it_is_sorted_by_comes_before_a_place() -> None:
    school_number, *flags = variable("school", 3000), *(variable(f"flag{i}", 2) for i in range(12))
    plain = data_set(YEAR, LA, *flags, school_number)
    assert "school" not in chosen(plain)[0]
    first, second, third = chosen(replace(plain, sort_by=("school",)))
    assert {"year", "la", "school"} <= set(first) & set(third)
    assert set(second) == {"year", *(v.name for v in flags)}


def test_of_places_the_coarsest_is_taken() -> None:
    town = replace(variable("town", 500), level="TOWN")
    assert chosen(data_set(town, LA, YEAR)) == (("year", "la"),)
    assert chosen(replace(data_set(town, LA, YEAR), sort_by=("town",))) == (("year", "town"),)


def test_no_cube_has_more_cells_than_rows_can_be_or_than_the_limit() -> None:
    flags = [variable(f"flag{i}", 3) for i in range(20)]
    for most in (10**9, 500, 2):
        made = replace(data_set(YEAR, LA, *flags), max_rows=most)
        assert all(prod(shape_of(made, axes)) <= min(most, MOST_CELLS) for axes in chosen(made))


def test_a_variable_that_cannot_be_asked_for_is_in_none() -> None:
    assert {"days", "score"} & {name for axes in chosen(CENSUS) for name in axes} == {"score"}


def test_the_catalogue_may_say() -> None:
    said = school.CATALOGUE.replace('sort_by = ["la"]', 'sort_by = ["la"]\ncubes = [["la", "sex"], ["need"]]')
    (census,) = load_catalogue(said).data_sets
    assert chosen(census) == (("year", "sex", "la"), ("year", "need"))


def test_a_cube_that_is_too_large_is_refused_with_its_size() -> None:
    codes = ", ".join(f'"{i}"' for i in range(2000))
    said = school.CATALOGUE.replace('codes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]', "codes = [@]")
    said = said.split("[data_sets.census.variables.need.bandings.some]")[0] + "".join(
        "[data_sets.census.variables.score]" + said.split("[data_sets.census.variables.score]")[1]
    )
    other = '[data_sets.census.variables.other]\ntype = "category"\nlabel = "Other"\nidentifiability = 5\n'
    other += f'sensitivity = "E"\ncodes = [{codes}]\n'
    said = said.replace("[@]", f"[{codes}]") + other
    with pytest.raises(CatalogueRefused, match=r"cubes\[0\]: wants at most 4,000,000 cells; .* has 12,000,000"):
        load_catalogue(said.replace('sort_by = ["la"]', 'cubes = [["need", "other"]]'))


def test_counts_are_wide_enough_for_all_rows_there_can_be() -> None:
    assert dtype_of(CENSUS) == np.uint32
    assert dtype_of(replace(CENSUS, max_rows=2**32)) == np.uint64


def test_a_cube_is_a_secret() -> None:
    cube = Cube(("year",), np.array([7, 11, 13], np.uint32))
    assert repr(cube) == str(cube) == "<Cube>"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never"):
            leak(cube)


@pytest.mark.parametrize("axes", [("year",), ("year", "year"), ("year", "la", "sex")])
def test_axes_are_those_of_the_counts(axes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="one dimension for each axis"):
        Cube(axes, np.zeros((3, 5), np.uint32))
