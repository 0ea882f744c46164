"""A policy is good or refused whole, with every reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from disclosure.policy import Differencing, ListedGroups, Mode, PolicyRefused, load_policy
from disclosure.tables import Noise
from privacy_api.cli.cuts import preset
from tests.lib.service import FREE_QUERIES, LISTED_GROUPS

DP, OFFICIAL = preset("dp-default"), preset("dfe-draft")
LAPLACE = DP.replace('noise = "gaussian"', 'noise = "laplace"')


@pytest.mark.parametrize("text", [DP, OFFICIAL, LAPLACE])
def test_presets_load(text: str) -> None:
    policy = load_policy(text)
    assert all(rule.plain and rule.source and rule.owner for rule in policy.rules.values())


def test_official_answers_free_queries_only_with_the_risk_acknowledged() -> None:
    assert load_policy(DP).answers_ad_hoc
    assert not load_policy(OFFICIAL).answers_ad_hoc
    opened = load_policy(OFFICIAL + FREE_QUERIES)
    assert opened.answers_ad_hoc
    assert opened.differencing == Differencing(100)


@pytest.mark.parametrize(
    ("edit", "replacement", "problem"),
    [
        (r"value = 10", "value = -1", "minimum_count.value: wants a whole number"),
        (r"value = 10", 'value = "10"', "minimum_count.value: wants a whole number"),
        (r"value = 10", "", "minimum_count.value: missing"),
        (r"base = 5", "base = 0", "rounding.base: wants"),
        (r"base = 5", "bas = 5", "rounding.bas: unknown"),
        (r"\[rounding\]", "[roundin]", "roundin: unknown"),
        (r"cut_rho = 0.5", "cut_rho = 0.001", "default_rho ≤ query_rho ≤ cut_rho"),
        (r"cut_rho = 0.5", "cut_rho = inf", "budget.cut_rho: wants"),
        (r"cut_rho = 0.5", "cut_rho = true", "budget.cut_rho: wants"),
        (r"default_rho = 0.005", "default_rho = 0.0000009", "budget.default_rho: wants at least 0.000001"),
        (r'noise = "gaussian"', 'noise = "laplacian"', "mechanism.noise: wants 'gaussian' or 'laplace'"),
        (r'noise = "gaussian"', "noise = []", "mechanism.noise: wants 'gaussian' or 'laplace'"),
        (r'noise = "gaussian"', 'noise = "none"', "mechanism.noise: wants 'gaussian' or 'laplace'"),
        (r'noise = "gaussian"', "", "mechanism.noise: missing"),
        (r"\[mechanism\]", "[mechanisms]", "mechanism.noise: missing"),
        (r"delta = 1e-10", "delta = 0.1", "budget.delta: wants"),
        (r'mode = "dp"', 'mode = "exact"', "mode: wants 'dp' or 'official'"),
        (r'mode = "dp"', "mode = []", "mode: wants 'dp' or 'official'"),
        (r'plain = "Counts that', 'plan = "Counts that', "minimum_count.plain: missing"),
        (r"version = 1", "version = 0", "version: a whole number"),
        (r'policy = "dp-default"', "policy = ", "not TOML"),
        (r"confidence = 0.95", "confidence = nan", "intervals.confidence: wants"),
    ],
)
def test_what_is_wrong_is_named(edit: str, replacement: str, problem: str) -> None:
    with pytest.raises(PolicyRefused, match=re.escape(problem)):
        load_policy(re.sub(edit, replacement, DP, count=1))


def test_all_problems_at_once() -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(DP.replace("base = 5", "base = 0").replace("cells = 10000", "cells = 0"))
    assert len(refused.value.problems) == 2


def test_a_zero_threshold_in_official_mode_is_refused() -> None:
    with pytest.raises(PolicyRefused, match="nothing else hides a child"):
        load_policy(OFFICIAL.replace("value = 10", "value = 0"))


def test_dp_rules_in_an_official_policy_are_unknown() -> None:
    with pytest.raises(PolicyRefused, match="budget: unknown"):
        load_policy(DP.replace('mode = "dp"', f'mode = "{Mode.OFFICIAL}"'))


def test_the_noise_is_the_policys_choice() -> None:
    gaussian, laplace, official = (load_policy(text) for text in (DP, LAPLACE, OFFICIAL))
    assert [p.noise for p in (gaussian, laplace, official)] == [Noise.GAUSSIAN, Noise.LAPLACE, Noise.NONE]
    assert [p.sells_precision for p in (gaussian, laplace, official)] == [True, False, False]
    dearer = load_policy(LAPLACE.replace("default_rho = 0.005", "default_rho = 0.006"))
    assert len({p.of_a_measurement for p in (gaussian, laplace, official, dearer)}) == 4
    shown = load_policy(LAPLACE.replace("base = 5", "base = 10"))
    assert shown.of_a_measurement == laplace.of_a_measurement, "display rules make no other measurement"


def test_the_least_default_price_is_taken() -> None:
    assert load_policy(DP.replace("default_rho = 0.005", "default_rho = 0.000001")).default_price == 1_000


LISTS = DP + LISTED_GROUPS


def test_listed_groups_are_an_option_that_is_taken_whole() -> None:
    assert load_policy(DP).listed_groups is None
    policy = load_policy(LISTS)
    assert policy.listed_groups == ListedGroups(10**6, 10**7, 1000)
    assert policy.rules["listed_groups"].plain
    assert policy.delta_with(10**7) == pytest.approx(1.1e-10, rel=1e-12)
    assert (policy.listed_at_most(5), policy.listed_at_most(10**8)) == (10**7, 10**8)
    assert load_policy(DP).listed_at_most(5) == 5


@pytest.mark.parametrize(
    ("edit", "replacement", "problem"),
    [
        ("delta = 1e-12", "delta = 1e-4", "listed_groups.delta: wants a number above 1e-15"),
        ("delta = 1e-12", "delta = 1e-16", "listed_groups.delta: wants a number above 1e-15"),
        ("delta = 1e-12", "delta = 0", "listed_groups.delta: wants"),
        ("delta = 1e-12", "", "listed_groups.delta: missing"),
        ("delta = 1e-12", "delta = 2e-11", "listed_groups: wants delta ≤ delta_total"),
        ("delta_total = 1e-11", "delta_total = 0.001", "listed_groups.delta_total: wants"),
        ("most_groups = 1000", "most_groups = 0", "listed_groups.most_groups: wants a whole number"),
        ("most_groups = 1000", "most_groups = 10\nthreshold = 5", "listed_groups.threshold: unknown"),
        ('plain = "Groups of', 'plan = "Groups of', "listed_groups.plain: missing"),
        ("[listed_groups]", "[listed_group]", "listed_group: unknown"),
        ('noise = "gaussian"', 'noise = "laplace"', "listed_groups: wants mechanism.noise 'gaussian'"),
    ],
)
def test_what_is_wrong_with_listed_groups_is_named(edit: str, replacement: str, problem: str) -> None:
    head, rule = (DP, LISTED_GROUPS) if edit in LISTED_GROUPS else (DP.replace(edit, replacement, 1), LISTED_GROUPS)
    with pytest.raises(PolicyRefused, match=re.escape(problem)):
        load_policy(head + rule.replace(edit, replacement, 1))


def test_official_lists_no_groups() -> None:
    with pytest.raises(PolicyRefused, match="listed_groups: unknown"):
        load_policy(OFFICIAL + LISTED_GROUPS)


def test_the_rule_in_the_documents_can_be_taken_as_it_stands(root: Path) -> None:
    text = (root / "docs" / "policy.md").read_text(encoding="utf-8")
    rule = text[text.index("[listed_groups]") :].split("```")[0]
    assert load_policy(DP + "\n" + rule).listed_groups is not None
