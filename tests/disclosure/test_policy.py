"""A policy is good or refused whole, with every reason."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.policy import (
    TABLES,
    CellKey,
    Differencing,
    ListedGroups,
    Mode,
    PolicyRefused,
    Secondary,
    Sparsity,
    load_policy,
)
from disclosure.rounding import RoundingMethod
from disclosure.rules import (
    RULES,
    ClassDisclosure,
    Dominance,
    Evidence,
    MinimumCount,
    MinimumDenominator,
    MinimumSchools,
    PPercent,
    PriorPosterior,
    QuantileSides,
    ResidualDegreesOfFreedom,
)
from disclosure.suppression.problem import Method
from disclosure.tables import Noise
from privacy_api.cli.cuts import preset
from tests.lib.policies import (
    EVERY_DP_RULE,
    EVERY_OFFICIAL_RULE,
    PRESETS,
    table,
)
from tests.lib.service import FREE_QUERIES, LISTED_GROUPS

DP, OFFICIAL, NHS = preset("dp-default"), preset("dfe-draft"), preset("nhs-1-7")
LAPLACE = DP.replace('noise = "gaussian"', 'noise = "laplace"')


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load(name: str, root: Path) -> None:
    policy = load_policy(preset(name))
    assert policy.name == name
    assert all(rule.plain and rule.source and rule.owner for rule in policy.rules.values())
    assert sorted(path.stem for path in (root / "privacy_api" / "presets").glob("*.toml")) == list(PRESETS)


def test_an_officer_has_yet_to_confirm_the_draft() -> None:
    assert not any(rule.verified for rule in load_policy(OFFICIAL).rules.values())


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
    assert policy.listed_groups == ListedGroups(10**6, 10**7, 1000, policy.minimum_count)
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


def test_the_rules_in_the_documents_can_be_taken_as_they_stand(root: Path) -> None:
    text = (root / "docs" / "policy.md").read_text(encoding="utf-8")
    official, model, dp = re.findall(r"```toml\n(.*?)```", text, re.S)
    assert load_policy(DP + "\n" + dp).listed_groups is not None
    assert load_policy(DP + "\n" + model).model_cap == 15_000_000
    policy = load_policy(OFFICIAL + "\n" + official)
    assert (policy.answers_ad_hoc, policy.cell_key, policy.rule(MinimumSchools)) == (
        True,
        CellKey(7, 5, 3),
        MinimumSchools("school", 2),
    )


# Official statistics


@pytest.mark.parametrize(
    ("name", "least", "zeros", "secondary"),
    [
        ("dfe-draft", 10, "hide", Secondary(Method.BOX, 9, 5000)),
        ("nhs-1-7", 8, "show", Secondary(Method.NONE)),
        ("ofqual", 5, "show", Secondary(Method.NONE)),
        ("ons-10-5", 10, "hide", Secondary(Method.NONE)),
    ],
)
def test_presets_say_what_is_published(name: str, least: int, zeros: str, secondary: Secondary) -> None:
    policy = load_policy(preset(name))
    assert policy.primary[0] == MinimumCount(least, zeros)
    assert policy.minimum_count == least
    assert (policy.rounding_base, policy.rounding_method) == (5, RoundingMethod.CONVENTIONAL)
    assert policy.secondary == secondary


def test_every_rule_is_in_the_policy() -> None:
    policy = load_policy(EVERY_OFFICIAL_RULE)
    assert policy.primary == (
        MinimumCount(10, "hide"),
        ClassDisclosure(),
        Dominance(2, 90),
        PPercent(10),
        PriorPosterior(10, 50),
        MinimumSchools("school", 2),
        MinimumDenominator(20),
        QuantileSides(10),
        ResidualDegreesOfFreedom(10),
    )
    assert tuple(type(rule) for rule in policy.primary) == RULES
    assert policy.cell_key == CellKey(7, 5, 3)
    assert policy.sparsity == Sparsity(Decimal("0.5"))
    assert policy.differencing == Differencing(100)
    assert policy.acknowledged_risk.startswith("Free queries")
    assert set(policy.rules) == {t.name for t in TABLES if Mode.OFFICIAL in t.modes} - {"ad_hoc"}


def test_a_policy_knows_what_evidence_it_wants() -> None:
    policy = load_policy(NHS)
    assert policy.evidence == {Evidence.PUPILS, Evidence.STRUCTURAL, Evidence.DENOMINATOR}
    assert (policy.largest, policy.rule(Dominance)) == (0, None)
    every = load_policy(EVERY_OFFICIAL_RULE)
    assert every.evidence == set(Evidence)
    assert (every.largest, every.rule(Dominance)) == (2, Dominance(2, 90))


def test_dp_has_no_rules_on_true_counts() -> None:
    policy = load_policy(EVERY_DP_RULE)
    assert policy.primary == ()
    assert policy.evidence == set()
    assert policy.secondary == Secondary(Method.NONE)
    assert policy.rounding_method is RoundingMethod.CONVENTIONAL
    assert (policy.cell_key, policy.sparsity, policy.differencing) == (None, None, None)


@pytest.mark.parametrize("name", [t.name for t in TABLES if t.modes == (Mode.OFFICIAL,)])
def test_official_rules_are_unknown_in_a_dp_policy(name: str) -> None:
    with pytest.raises(PolicyRefused, match=f"- {name}: unknown; known are"):
        load_policy(DP + table(name))


@pytest.mark.parametrize("key", ["minimum_count.zeros", "rounding.method"])
def test_official_words_are_unknown_in_a_dp_policy(key: str) -> None:
    name, word = key.split(".")
    with pytest.raises(PolicyRefused, match=f"- {key}: unknown; known are"):
        load_policy(DP.replace(f"[{name}]", f"[{name}]\n{word} = 'x'"))


def test_secondary_and_cell_keys_check_themselves() -> None:
    for wrong in (
        lambda: Secondary(Method.NONE, 9),
        lambda: Secondary(Method.BOX, 9, 0),
        lambda: Secondary(Method.BOX),
        lambda: CellKey(3, 5, 3),
        lambda: CellKey(9, Decimal("1.9"), 2),
    ):
        with pytest.raises(ValueError, match=r"wants|has"):
            wrong()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(1, 30), st.integers(1, 99))
def test_a_table_is_too_sparse_when_more_than_its_share_is_small(counts: list[int], least: int, share: int) -> None:
    few, some = sum(0 < n < least for n in counts), sum(n > 0 for n in counts)
    found = Sparsity(Decimal(share) / 100).refuses(np.array(counts, np.int64), least)
    assert found == (100 * few > share * some)


def test_half_of_the_cells_small_is_not_more_than_half() -> None:
    sparsity = Sparsity(Decimal("0.5"))
    assert not sparsity.refuses(np.array([[0, 1], [0, 10]], np.int64), 10)
    assert sparsity.refuses(np.array([[0, 1], [2, 10]], np.int64), 10)
