"""A project's policy can only be tighter than its cut's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.policy import load_policy, tighten, tightening_problems
from disclosure.policy.tighten import looser, places
from tests.lib.policies import EVERY_DP_RULE, EVERY_OFFICIAL_RULE

DP, OFFICIAL = load_policy(EVERY_DP_RULE), load_policy(EVERY_OFFICIAL_RULE)
NUMBERS = ("minimum_count", "rounding_base", "minimum_denominator")


def test_what_is_shown_is_coarser_and_another_release() -> None:
    found = tighten(DP, {"minimum_count.value": 50, "rounding.base": 20})
    assert (found.minimum_count, found.rounding_base, found.minimum_denominator) == (50, 20, DP.minimum_denominator)
    assert found.digest != DP.digest
    assert found.digest == tighten(DP, {"rounding.base": 20, "minimum_count.value": 50}).digest
    assert found.digest != tighten(DP, {"rounding.base": 25, "minimum_count.value": 50}).digest
    assert found.of_a_measurement == DP.of_a_measurement, "nothing is measured anew"
    assert (found.default_price, found.query_cap, found.cut_cap) == (DP.default_price, DP.query_cap, DP.cut_cap)


@pytest.mark.parametrize("policy", [DP, OFFICIAL])
def test_limits_say_what_may_be_asked_and_change_no_answer(policy: object) -> None:
    assert policy in (DP, OFFICIAL)
    for each in (DP, OFFICIAL):
        found = tighten(each, {"limits.cells": 5, "limits.group_by": 1})
        assert (found.max_cells, found.max_group_by, found.digest, found.shown_coarser) == (5, 1, each.digest, ())


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"minimum_count.value": DP.minimum_count - 1}, "is not tighter"),
        ({"minimum_count.value": DP.minimum_count}, "is not tighter"),
        ({"rounding.base": 1}, "is not tighter"),
        ({"limits.cells": DP.max_cells + 1}, "is not tighter"),
        ({"limits.cells": True}, "a whole number"),
        ({"limits.cells": "5"}, "a whole number"),
        ({"minimum_count.value": 5000}, "from 0 to 1000"),
        ({"budget.query_rho": 1}, "cannot be tightened for a project"),
        ({"mechanism.noise": "laplace"}, "cannot be tightened for a project"),
    ],
)
def test_what_is_no_tightening_is_refused_by_name(wanted: dict[str, object], says: str) -> None:
    (told,) = tightening_problems(DP, wanted)
    assert told.startswith(f"{next(iter(wanted))}: ")
    assert says in told


def test_an_official_table_is_shown_one_way_only() -> None:
    """Counts that are rounded to 5 and to 7 tell more together than either."""
    assert tightening_problems(OFFICIAL, {"rounding.base": 100, "minimum_count.value": 100}) != []
    assert tighten(OFFICIAL, {"rounding.base": 100, "minimum_count.value": 100}) == OFFICIAL
    assert places(OFFICIAL.mode) == ("limits.cells", "limits.group_by")


WANTED = st.dictionaries(st.sampled_from([*places(DP.mode), "budget.query_rho"]), st.integers(0, 2000))


@given(WANTED)
def test_nothing_is_ever_looser(wanted: dict[str, int]) -> None:
    """Also where the cut's policy was made tighter after the project's was."""
    for policy in (DP, OFFICIAL):
        found = tighten(policy, wanted)
        assert all(getattr(found, name) >= getattr(policy, name) for name in NUMBERS)
        assert found.max_cells <= policy.max_cells
        assert found.max_group_by <= policy.max_group_by
        assert (found.digest == policy.digest) == (not found.shown_coarser)


def test_what_a_change_gives_up() -> None:
    before = {"rounding.base": 20, "limits.cells": 100}
    assert looser(before, before) == ()
    assert looser(before, {"rounding.base": 30, "limits.cells": 50, "limits.group_by": 1}) == ()
    assert looser(before, {"rounding.base": 10, "limits.cells": 100}) == ("rounding.base",)
    assert looser(before, {"limits.cells": 101}) == ("rounding.base", "limits.cells")
