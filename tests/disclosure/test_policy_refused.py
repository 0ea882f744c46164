"""Nothing fails open: a policy that is not whole, not spelt as it should be or contradicts itself is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.fields import Field
from disclosure.policy import (
    TABLES,
    PolicyRefused,
    load_policy,
)
from disclosure.policy.contradictions import AGREEMENTS
from privacy_api.cli.cuts import preset
from tests.lib.policies import (
    CELL_KEY,
    EVERY_DP_RULE,
    EVERY_OFFICIAL_RULE,
    FIELDS,
    WHOLE,
    keyed_lines,
    table,
    with_line,
    with_value,
    with_values,
)
from tests.lib.service import FREE_QUERIES, SYNTHETIC_MODEL

DP, OFFICIAL, NHS = preset("dp-default"), preset("dfe-draft"), preset("nhs-1-7")


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_any_key_that_is_dropped_is_missed(text: str) -> None:
    load_policy(text)
    for place in keyed_lines(text):
        with pytest.raises(PolicyRefused):
            load_policy(with_line(text, place, ""))


@given(data=st.data(), name=st.sampled_from(sorted(WHOLE)))
def test_any_key_that_is_misspelt_is_refused(data: st.DataObject, name: str) -> None:
    """A letter lost, put in, changed or doubled, or another case, in a key or in the name of a table."""
    text = WHOLE[name]
    place = data.draw(st.sampled_from(keyed_lines(text)))
    line = text.splitlines()[place]
    word = re.search(r"\w+", line)
    assert word is not None
    at, letter = data.draw(st.integers(0, len(word[0]) - 1)), data.draw(st.sampled_from("aeknpqszZ_-1"))
    before, here, after = word[0][:at], word[0][at], word[0][at + 1 :]
    ways = [before + after, before + letter + here + after, before + letter + after, before + here.swapcase() + after]
    wrong = data.draw(st.sampled_from([w for w in ways if w != word[0]]))
    with pytest.raises(PolicyRefused):
        load_policy(with_line(text, place, line.replace(word[0], wrong, 1)))


JUNK = ["-1", "1e400", "nan", "-inf", "1_000_000_000_000", "true", '" "', '""', "[]", "{}", "2026-11-22"]


@pytest.mark.parametrize(("text", "name", "field"), FIELDS, ids=lambda v: getattr(v, "key", None))
def test_a_value_that_is_not_accepted_is_named(text: str, name: str, field: Field) -> None:
    for junk in JUNK:
        with pytest.raises(PolicyRefused, match=f"- {name}.{field.key}: wants"):
            load_policy(with_value(text, name, field.key, junk))


@pytest.mark.parametrize("place", ["dominance.k", "p_percent.p", "pq.p", "pq.q", "sparsity.most_share"])
def test_a_share_that_is_compared_exactly_has_no_endless_decimals(place: str) -> None:
    for value in ("1e-999999999", "0.0000001"):
        with pytest.raises(PolicyRefused, match=f"{place}: wants"):
            load_policy(with_value(EVERY_OFFICIAL_RULE, *place.split("."), value))


@pytest.mark.parametrize("name", [t.name for t in TABLES if t.optional and t.name not in ("ad_hoc", "differencing")])
def test_an_optional_rule_that_is_misspelt_is_not_taken_for_left_out(name: str) -> None:
    text = EVERY_OFFICIAL_RULE if f"[{name}]" in EVERY_OFFICIAL_RULE else EVERY_DP_RULE
    assert name not in load_policy(without(text, name)).rules, "it can be left out"
    with pytest.raises(PolicyRefused, match=f"{name}s: unknown; known are .*{name},"):
        load_policy(text.replace(f"[{name}]", f"[{name}s]"))


def without(text: str, name: str) -> str:
    """The file without one of its tables."""
    return re.sub(rf"^\[{name}\]\n(.+\n)*", "", text, flags=re.M)


@pytest.mark.parametrize("name", [t.name for t in TABLES])
def test_a_table_that_is_none_is_refused(name: str) -> None:
    """As a number, as a list of tables, and empty."""
    text = EVERY_OFFICIAL_RULE if f"[{name}]" in EVERY_OFFICIAL_RULE else EVERY_DP_RULE
    rest = without(text, name)
    for instead in (f"{name} = 5\n{rest}", f"{rest}\n[[{name}]]\n", f"{rest}\n[{name}]\n"):
        with pytest.raises(PolicyRefused, match=f"- {name}"):
            load_policy(instead)


CONTRADICTIONS = [
    (with_values(NHS, ("minimum_count", "value", "1")), "minimum_count: value wants at least 2 with zeros 'show'"),
    (with_values(OFFICIAL, ("minimum_count", "value", "0")), "minimum_count: value wants at least 1"),
    (
        with_values(OFFICIAL, ("minimum_count", "zeros", '"show"')),
        "class_disclosure: wants minimum_count.zeros 'hide'",
    ),
    (with_values(NHS, ("rounding", "base", "2")), "secondary.method: 'none' wants rounding.base at least 3"),
    (with_values(OFFICIAL, ("secondary", "method", '"none"')), "secondary.width: unknown; known are"),
    (with_values(OFFICIAL, ("secondary", "width", "0")), "secondary.width: wants a whole number from 1"),
    (OFFICIAL.replace("width = 9\n", ""), "secondary.width: missing; wants a whole number from 1"),
    (
        with_values(OFFICIAL, ("rounding", "base", "1"), ("rounding", "method", '"random"')),
        "rounding.base: wants at least 2",
    ),
    (with_values(OFFICIAL, ("limits", "group_by", "5")), "limits.group_by: wants at most 4 in official mode"),
    (OFFICIAL + table("pq", "p = 50", "q = 10"), "pq: wants p < q"),
    (
        with_values(OFFICIAL, ("rounding", "method", '"controlled"')) + CELL_KEY,
        "cell_key: wants rounding.method 'conv",
    ),
    (with_values(OFFICIAL, ("rounding", "method", '"random"')) + CELL_KEY, "cell_key: wants rounding.method 'conv"),
    (
        OFFICIAL + CELL_KEY.replace("variance = 5", "variance = 3.9"),
        "cell_key: variance: wants at least 4",
    ),
    (
        OFFICIAL + CELL_KEY.replace("max_noise = 7", "max_noise = 3"),
        "cell_key: max_noise: wants at least 4, more than not_shown",
    ),
    (OFFICIAL + FREE_QUERIES.split("[differencing]")[0], "differencing: wants to be there exactly where ad_hoc is"),
    (
        OFFICIAL + "[differencing]" + FREE_QUERIES.split("[differencing]")[1],
        "differencing: wants to be there exactly",
    ),
    (
        OFFICIAL + FREE_QUERIES.replace(" can be differenced against each other", ""),
        "ad_hoc.acknowledged_risk: wants",
    ),
    (with_values(OFFICIAL, ("rounding", "base", "20")), "minimum_count.value: wants more than half of rounding.base"),
    (
        with_values(OFFICIAL, ("rounding", "base", "11"), ("rounding", "method", '"random"')),
        "minimum_count.value: wants more than half of rounding.base",
    ),
    (OFFICIAL + CELL_KEY.replace("max_noise = 7", "max_noise = 8"), "cell_key.max_noise: wants to be less than min"),
    (with_values(DP, ("budget", "cut_rho", "0.01")), "budget: wants default_rho ≤ query_rho ≤ cut_rho"),
    (with_values(DP, ("budget", "default_rho", "0.0000009")), "budget.default_rho: wants at least 0.000001"),
    (EVERY_DP_RULE.replace("delta_total = 1e-11", "delta_total = 1e-13"), "listed_groups: wants delta ≤ delta_total"),
    (EVERY_DP_RULE.replace('"gaussian"', '"laplace"'), "listed_groups: wants mechanism.noise 'gaussian'"),
    (DP + SYNTHETIC_MODEL.replace("0.015", "50"), "synthetic_model: wants most_rho ≤ budget.cut_rho"),
    (DP.replace('"gaussian"', '"laplace"') + SYNTHETIC_MODEL, "synthetic_model: wants mechanism.noise 'gaussian'"),
]


@pytest.mark.parametrize(("text", "problem"), CONTRADICTIONS)
def test_what_cannot_stand_together_is_named(text: str, problem: str) -> None:
    assert any(told.startswith(problem) for told in problems_of(text))


def test_everything_that_must_agree_is_broken_once_above() -> None:
    told = {problem for text, _ in CONTRADICTIONS for problem in problems_of(text)}
    assert [agreement.wants for agreement in AGREEMENTS if agreement.wants not in told] == []


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(text)
    return refused.value.problems


def test_without_further_cells_perturbation_does_instead_of_rounding() -> None:
    unrounded = with_values(NHS, ("rounding", "base", "1"))
    with pytest.raises(PolicyRefused, match="or cell_key"):
        load_policy(unrounded)
    assert load_policy(unrounded + CELL_KEY).cell_key is not None


def test_a_width_above_the_threshold_is_taken() -> None:
    assert load_policy(with_values(OFFICIAL, ("secondary", "width", "50"))).secondary.width == 50


def test_problems_of_every_kind_are_told_at_once() -> None:
    """Head, unknown and missing tables, misspelt keys, values, contradictions within a rule and between rules."""
    text = with_values(
        OFFICIAL.replace("version = 1", "version = 0")
        .replace("[sparsity]", "[sparseness]")
        .replace("owner", "ovner", 1),
        ("secondary", "method", '"bok"'),
        ("denominators", "value", "-1"),
        ("limits", "group_by", "7"),
        ("p_percent", "p", "true"),
    )
    told = problems_of(text + table("pq", "p = 50", "q = 10") + table("minimum_schools", "value = 1"))
    wanted = [
        "version: a whole number",
        "sparseness: unknown; known are ad_hoc, cell_key, class_disclosure",
        "minimum_count.ovner: unknown; known are owner, plain, source, value, verified, zeros",
        "minimum_count.owner: missing; every rule has plain, source, verified, owner",
        "secondary.method: wants 'box', 'optimal' or 'none'",
        "denominators.value: wants a whole number from 0 to 1000",
        "p_percent.p: wants a number above 0 and at most 100",
        "minimum_schools.variable: missing; wants the name of a variable",
        "minimum_schools.value: wants a whole number from 2 to 100",
        "limits.group_by: wants at most 4",
        "pq: wants p < q",
    ]
    assert len(told) == len(wanted)
    assert [w for w in wanted if not any(p.startswith(w) for p in told)] == []
