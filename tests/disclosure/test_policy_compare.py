"""What another version of a policy changes, and which way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from disclosure.fields import Field
from disclosure.policy import (
    TABLES,
    Change,
    Policy,
    PolicyRefused,
    compare,
    load_policy,
)
from privacy_api.cli.cuts import preset
from tests.lib.policies import (
    CELL_KEY,
    FIELDS,
    table,
    with_value,
    with_values,
)
from tests.lib.service import FREE_QUERIES, LISTED_GROUPS, SYNTHETIC_MODEL

DP, OFFICIAL, NHS = preset("dp-default"), preset("dfe-draft"), preset("nhs-1-7")
LAPLACE = DP.replace('noise = "gaussian"', 'noise = "laplace"')

OTHER: dict[str, tuple[str, ...]] = {
    "budget.cut_rho": ("0.5", "1"), "budget.default_rho": ("0.005", "0.01"), "budget.query_rho": ("0.1", "0.2"),
    "budget.delta": ("1e-10", "1e-9"), "mechanism.noise": ('"laplace"', '"gaussian"'),
    "minimum_count.value": ("11", "10"), "minimum_count.zeros": ('"hide"', '"show"'), "denominators.value": ("20", "0"),
    "dominance.n": ("2", "1"), "dominance.k": ("90", "95.5"), "p_percent.p": ("10", "5"), "pq.p": ("10", "5"),
    "pq.q": ("50", "90"), "minimum_schools.variable": ('"school"', '"urn"'), "minimum_schools.value": ("3", "2"),
    "quantile_sides.value": ("10", "9"), "residual_dof.value": ("10", "1"),
    "secondary.method": ('"box"', '"optimal"', '"none"'), "secondary.width": ("9", "4"),
    "secondary.most_cells": ("5000", "6000"), "rounding.base": ("5", "3"),
    "rounding.method": ('"conventional"', '"random"', '"controlled"'), "cell_key.max_noise": ("7", "6"),
    "cell_key.variance": ("5", "4.5"), "cell_key.not_shown": ("3", "0"), "cell_key.zeros": ('"keep"',),
    "sparsity.most_share": ("0.5", "0.6"), "ad_hoc.acknowledged_risk": ('"a b c d e"', '"a b c d f"'),
    "differencing.most_populations": ("100", "101"), "listed_groups.delta": ("1e-12", "2e-12"),
    "listed_groups.delta_total": ("1e-11", "2e-11"), "listed_groups.most_groups": ("1000", "1001"),
    "synthetic_model.most_rho": ("0.01", "0.015"),
    "reliability.relative_margin": ("0.5", "0.6"), "intervals.confidence": ("0.95", "0.99"),
    "limits.cells": ("5000", "6000"), "limits.group_by": ("3", "4"),
}  # fmt: skip
"""Of every field some values, each looser than the one before where they can be ordered."""
UNORDERED = {"minimum_schools.variable", "rounding.method", "cell_key.zeros"}
OF_NO_PROTECTION = {
    "budget.delta", "ad_hoc.acknowledged_risk", "reliability.relative_margin", "intervals.confidence",
}  # fmt: skip


def test_every_field_has_a_direction_with_its_reason() -> None:
    fields = {f"{t.name}.{f.key}": f for t in TABLES for f in t.fields}
    assert set(fields) == set(OTHER)
    assert [place for place, field in fields.items() if len(field.direction.reason.split()) < 4] == []


@pytest.mark.parametrize("place", OTHER)
def test_directions_are_as_said(place: str) -> None:
    direction = next(f.direction for t in TABLES for f in t.fields if f"{t.name}.{f.key}" == place)
    values = [_toml(value) for value in OTHER[place]]
    for before, after in pairwise(values):
        there, back = direction.judge(before, after), direction.judge(after, before)
        if place in OF_NO_PROTECTION:
            assert (there, back) == (Change.NEITHER, Change.NEITHER)
        else:
            assert (there, back) == (Change.LOOSENS, Change.LOOSENS if place in UNORDERED else Change.TIGHTENS)
    assert all(direction.judge(value, value) is Change.NEITHER for value in values)


def _toml(value: str) -> Any:
    return value.strip('"') if value.startswith('"') else Decimal(value)


NOT_ALONE = {"cell_key.zeros", "minimum_count.zeros", "secondary.method", "rounding.method", "mechanism.noise"}
"""With these, other tables change as well: they are among the changes below."""
ALONE = [(text, name, field) for text, name, field in FIELDS if f"{name}.{field.key}" not in NOT_ALONE]


@pytest.mark.parametrize(("text", "name", "field"), ALONE, ids=lambda v: getattr(v, "key", None))
def test_every_field_changes_the_policy_and_is_compared(text: str, name: str, field: Field) -> None:
    """A field that nothing reads would be a promise that nothing keeps."""
    place = f"{name}.{field.key}"
    before, after = (with_value(text, name, field.key, value) for value in OTHER[place][:2])
    assert bare(before) != bare(after)
    (difference,) = compare(before, after)
    assert difference.place == place
    assert compare(before, before) == ()


def bare(text: str) -> Policy:
    return replace(load_policy(text), digest="")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            NHS,
            with_values(NHS, ("minimum_count", "zeros", '"hide"')),
            ["minimum_count.zeros: from 'show' to 'hide'; tightens (zeros that are shown tell that nobody is there)"],
        ),
        (
            OFFICIAL,
            with_values(OFFICIAL, ("minimum_count", "value", "8"), ("rounding", "base", "10")),
            [
                "minimum_count.value: from 10 to 8; loosens (the lower, the smaller the counts that are shown)",
                "rounding.base: from 5 to 10; tightens (the lower, the nearer to the truth is what is shown)",
            ],
        ),
        (
            NHS,
            NHS.replace('method = "none"', 'method = "optimal"\nwidth = 7\nmost_cells = 100'),
            [
                "secondary.method: from 'none' to 'optimal'; tightens "
                "('optimal' hides as little as it can, 'none' nothing more)"
            ],
        ),
        (
            OFFICIAL,
            with_values(OFFICIAL, ("rounding", "method", '"random"')),
            [
                "rounding.method: from 'conventional' to 'random'; loosens "
                "(methods leave an attacker different things to work on, and cannot be ordered)"
            ],
        ),
        (OFFICIAL, OFFICIAL + FREE_QUERIES, ["ad_hoc: added; loosens", "differencing: added; protects as before"]),
        (OFFICIAL, OFFICIAL + CELL_KEY, ["cell_key: added; tightens"]),
        (OFFICIAL + CELL_KEY, OFFICIAL, ["cell_key: taken away; loosens"]),
        (
            OFFICIAL,
            OFFICIAL + table("minimum_schools", "value = 2", "variable = 'school'"),
            ["minimum_schools: added; tightens"],
        ),
        (DP, DP + LISTED_GROUPS, ["listed_groups: added; loosens"]),
        (DP + LISTED_GROUPS, DP, ["listed_groups: taken away; tightens"]),
        (DP, DP + SYNTHETIC_MODEL, ["synthetic_model: added; loosens"]),
        (
            DP,
            LAPLACE,
            [
                "mechanism.noise: from 'gaussian' to 'laplace'; tightens "
                "(pure epsilon-DP is the stronger promise at the same rho)"
            ],
        ),
        (NHS, with_value(NHS, "rounding", "verified", "true"), ["rounding.verified: now true; protects as before"]),
        (NHS, with_value(NHS, "rounding", "owner", "'Ada'"), ["rounding.owner: now 'Ada'; protects as before"]),
        (NHS, NHS.replace("version = 1", "version = 2").replace("nhs-1-7", "ours"), []),
    ],
)
def test_a_change_is_told_in_words(before: str, after: str, told: list[str]) -> None:
    assert [str(difference) for difference in compare(before, after)] == told


def test_another_mode_cannot_be_compared_and_loosens() -> None:
    for before, after in ((DP, OFFICIAL), (OFFICIAL, DP)):
        (difference,) = compare(before, after)
        assert (difference.place, difference.change) == ("mode", Change.LOOSENS)


def test_only_whole_policies_are_compared() -> None:
    for before, after in ((DP, "mode = 1"), ("mode = 1", DP)):
        with pytest.raises(PolicyRefused):
            compare(before, after)
