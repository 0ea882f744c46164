"""Measures of likeness against their definitions; a report that is complete, safe to open, the same every time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from synthetic.fidelity.association import associations, cramers_v
from synthetic.fidelity.document import to_json, uses_of
from synthetic.fidelity.groups import Outcome, group_table, transition
from synthetic.fidelity.margins import Margin, Measured, Rows, Variable, sets_of
from synthetic.fidelity.page import points, to_html
from synthetic.fidelity.report import About, Asked, Constraint, Kept, Price, Reference, Report, build
from synthetic.fidelity.variation import as_sample, total_variation, variation
from synthetic.tiers import Tier

SIZES = (2, 3, 4, 5)
VARIABLES = tuple(Variable(f"v{i}", f"Variable {i}", tuple(f"c{j}" for j in range(n))) for i, n in enumerate(SIZES))


def drawn(rows: int, seed: int) -> Rows:
    """v3 follows v2, v1 follows v0 a little."""
    rng = np.random.default_rng(seed)
    first, third = rng.integers(0, 2, rows), rng.integers(0, 4, rows)
    second = np.where(rng.random(rows) < 0.3, first, rng.integers(0, 3, rows))
    return Rows(VARIABLES, np.column_stack([first, second, third, third + (rng.random(rows) < 0.1)]))


@pytest.fixture(scope="module")
def pupils() -> Rows:
    return drawn(20_000, 1)


# Measures


def test_a_margin_counts_every_row_once(pupils: Rows) -> None:
    codes = np.column_stack([pupils.column(v.name) for v in VARIABLES])
    expected = np.histogramdd(codes[:, [3, 0]], bins=[np.arange(6), np.arange(3)])[0]
    assert (pupils.margin(("v3", "v0")).counts == expected).all()
    assert pupils.margin(("v1",)).counts.sum() == 20_000


def test_a_margin_summed_is_the_margin(pupils: Rows) -> None:
    """In any order of the variables, and with the noise of all cells that are summed."""
    whole = Margin(("v2", "v0", "v1"), pupils.margin(("v2", "v0", "v1")).counts, sigma=3.0)
    for names in (("v0",), ("v1", "v2"), ("v2", "v1"), ("v1", "v0", "v2")):
        assert (whole.onto(names).counts == pupils.margin(names).counts).all(), names
    assert whole.onto(("v0",)).sigma == pytest.approx(3.0 * 12**0.5)
    assert Measured(VARIABLES, [whole]).margin(("v3",)) is None


def test_total_variation_is_the_part_that_would_have_to_move() -> None:
    a, b = Margin(("x",), np.array([50.0, 30, 20])), Margin(("x",), np.array([5.0, 4, 1]))
    assert total_variation(a, b) == pytest.approx(0.1)
    assert total_variation(a, a) == 0
    assert total_variation(Margin(("x",), np.array([1.0, 0])), Margin(("x",), np.array([0.0, 9]))) == 1


@pytest.mark.parametrize("part", [0.02, 0.1, 0.5])
def test_a_sample_is_like_a_sample_of_its_size(pupils: Rows, part: float) -> None:
    """What many samples differ by on average is turned back into their size."""
    rng = np.random.default_rng(7)
    margins = [pupils.margin(names) for names in sets_of(VARIABLES, 2, 99)]
    codes = np.column_stack([pupils.column(v.name) for v in VARIABLES])
    apart = []
    for _ in range(200):
        some = Rows(VARIABLES, codes[rng.choice(len(codes), round(part * len(codes)), replace=False)])
        apart += [total_variation(some.margin(m.names), m) for m in margins]
    assert as_sample(float(np.mean(apart)), margins) == pytest.approx(part, rel=0.1)


def test_nothing_is_said_of_a_difference_that_is_only_noise(pupils: Rows) -> None:
    exact = pupils.margin(("v0", "v1"))
    noisy = Margin(exact.names, exact.counts + np.random.default_rng(1).normal(0, 50, exact.counts.shape), 50.0)
    found = variation(pupils, Measured(VARIABLES, [noisy]), 2)
    assert found is not None
    assert (found.compared, found.worst) == (1, ("v0", "v1"))
    assert found.noise == pytest.approx(6 * 50 * np.sqrt(2 / np.pi) / 2 / 20_000, rel=0.05)
    assert as_sample(found.noise / 2, [noisy]) is None


def test_the_largest_difference_is_where_it_was_made(pupils: Rows) -> None:
    codes = np.column_stack([pupils.column(v.name) for v in VARIABLES])
    codes[:, 3] = np.random.default_rng(3).permutation(codes[:, 3])
    broken = Rows(VARIABLES, codes)
    one, two = variation(broken, pupils, 1), variation(broken, pupils, 2)
    assert one is not None and two is not None
    assert one.mean == 0 and one.score == 1000
    assert two.worst == ("v2", "v3") and two.largest > 0.5
    assert associations(broken, pupils).largest[0][:2] == ("v2", "v3")


@pytest.mark.parametrize("apart", [0.0, 0.05, 0.4])
def test_cramers_v_of_a_noisy_table_is_about_that_of_the_pupils(apart: float) -> None:
    """Without taking the noise off, it would be far too large where little goes together."""
    draw = np.random.default_rng(7)
    whole = 20_000 * ((1 - apart) * np.outer([0.4, 0.3, 0.2, 0.1], np.full(6, 1 / 6)))
    whole[np.arange(4), np.arange(4)] += 20_000 * apart / 4
    exact, noisy = cramers_v(Margin(("a", "b"), whole)), whole + draw.normal(0, 100, (300, 4, 6))
    found = [cramers_v(Margin(("a", "b"), each, 100.0)) for each in noisy]
    assert np.mean(found) == pytest.approx(exact, abs=0.03)
    assert np.mean([cramers_v(Margin(("a", "b"), each)) for each in noisy]) > exact + 0.01 * (apart < 0.1)


def test_cramers_v_is_of_the_books(pupils: Rows) -> None:
    assert cramers_v(Margin(("a", "b"), np.diag([3.0, 5, 9]))) == pytest.approx(1)
    assert cramers_v(Margin(("a", "b"), np.outer([1.0, 2, 3], [4, 5]))) == pytest.approx(0)
    assert np.isnan(cramers_v(Margin(("a", "b"), np.array([[5.0, 4], [0, 0]]))))
    assert np.isnan(cramers_v(Margin(("a", "b"), np.array([[500.0, 400], [9, -8]]), 10.0)))
    table = pupils.margin(("v0", "v1")).counts
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    square = ((table - expected) ** 2 / expected).sum()
    assert cramers_v(pupils.margin(("v0", "v1"))) == pytest.approx((square / table.sum()) ** 0.5)


def test_sets_above_the_limit_are_a_seeded_sample() -> None:
    many = [Variable(f"x{i}", "", ("0",)) for i in range(12)]
    assert len(sets_of(many, 3, 1000)) == 220
    some = sets_of(many, 3, 50, seed=4)
    assert some == sets_of(many, 3, 50, seed=4) != sets_of(many, 3, 50, seed=5)
    assert len(set(some)) == 50


def test_rows_outside_the_public_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="v1: a value is outside the public code list"):
        Rows(VARIABLES, np.array([[0, 3, 0, 0]]))


def test_groups_and_transitions_are_shares_of_rows(pupils: Rows) -> None:
    other = drawn(20_000, 2)
    table = group_table(pupils, other, "v2", Outcome("c0 or c1", "v3", ("c0", "c1")))
    assert table is not None
    here = pupils.column("v2") == 1
    assert table.groups[1].pupils == here.sum()
    assert table.groups[1].source == pytest.approx((pupils.column("v3")[here] <= 1).mean())
    moved = transition(pupils, other, "v2", "v3")
    assert moved is not None
    assert np.allclose(moved.source.sum(axis=1), 1)
    assert transition(pupils, Measured(VARIABLES, []), "v2", "v3") is None


# Report


EVIL = '<script>alert("x")</script>&'


def report(source: Rows, reference: Rows | Measured, label: str = "Variable 0") -> Report:
    about = About(
        title="Pupils",
        tier=Tier.PRIVATE,
        release="pupils@1",
        pupils=len(source),
        digest="ab" * 32,
        provenance={"Seed": "1", EVIL: EVIL},
        kept=(Kept(("v0", "v1"), 12.5),),
        constraints=(Constraint("v3 is not less than v2", 1, 0),),
        price=Price(0.015, 1.0, 1e-9),
    )
    named = [Variable("v0", label, VARIABLES[0].codes, ("no", "yes")), *VARIABLES[1:]]
    renamed = Rows(named, np.column_stack([source.column(v.name) for v in named]))
    outcome = Outcome("v3 at c0", "v3", ("c0",))
    asked = Asked(transitions=(("v2", "v3"),), trends=(("v2", outcome),), subgroups=(("v0", outcome),))
    return build(about, renamed, reference, Reference.MEASURED, asked)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "rect", "circle", "line", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text(pupils: Rows) -> str:
    return to_html(report(pupils, drawn(20_000, 2), EVIL))


def test_the_page_is_whole_and_asks_for_nothing(text: str) -> None:
    page = Page(text)
    assert page.open == [], "every tag is closed"
    assert not {"script", "link", "img", "iframe", "object"} & {name for name, _ in page.tags}
    assert not [a for _, a in page.tags if {"src", "style", "onclick", "onload"} & a.keys()]
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}, "the name of a language, which nothing fetches"
    assert "url(" not in text and "@import" not in text


def test_words_of_the_data_cannot_be_markup(text: str) -> None:
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3


def test_the_page_can_be_read_aloud(text: str) -> None:
    """Language, headings in order, tables with captions and scopes, drawings with names; each name once."""
    page = Page(text)
    assert page.named("html")[0]["lang"] == "en-GB"
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1 and max(b - a for a, b in pairwise(levels)) <= 1
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(a.get("scope") in ("row", "col") for a in page.named("th"))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for drawing in page.named("svg"):
        if drawing.get("aria-hidden") != "true":
            assert drawing["role"] == "img"
            assert set((drawing["aria-labelledby"] or "").split()) <= set(ids)


def test_the_page_says_what_matters(text: str) -> None:
    for words in ("Nobody is in these rows", "Not allowed", "ε = 1.000", "1e-09", "± 24", "ab" * 32, "k² times"):
        assert words in text, words
    for use in uses_of(Tier.PRIVATE)["forbidden"]:
        assert use in text


def test_the_same_comparison_gives_the_same_bytes(pupils: Rows) -> None:
    one, two = (report(pupils, drawn(20_000, 2)) for _ in range(2))
    assert to_html(one) == to_html(two)
    assert to_json(one) == to_json(two)


def test_the_document_has_all_of_it_as_numbers(pupils: Rows) -> None:
    reference = drawn(20_000, 2)
    found = json.loads(to_json(report(pupils, reference)))
    assert found["synthetic"] is True
    assert [s["ways"] for s in found["scores"]] == [1, 2, 3]
    assert found["about"]["price"] == {"rho": 0.015, "epsilon": 1.0, "delta": 1e-9}
    assert found["margins"][2]["source"]["counts"] == pupils.margin(("v2",)).counts.tolist()
    assert found["associations"]["source"][0][0] is None, "NaN is not JSON"
    assert found["scores"][1]["kMarginalScore"] == pytest.approx(1000 * (1 - found["variations"][1]["mean"]))


def test_a_reference_that_tells_little_gives_a_short_report(pupils: Rows) -> None:
    told = Measured(VARIABLES, [Margin(("v0",), pupils.margin(("v0",)).counts, 10.0)])
    found = report(pupils, told)
    assert [v.ways for v in found.variations] == [1]
    assert (found.transitions, found.trends, found.subgroups) == ((), (), ())
    page = Page(to_html(found))
    assert page.open == []


def test_variables_that_are_not_compared_alone_have_their_labels_too(pupils: Rows) -> None:
    told = Measured(VARIABLES, [Margin(("v0", "v3"), pupils.margin(("v0", "v3")).counts)], ("v3",))
    found = report(pupils, told)
    assert [each.variable.name for each in found.margins] == ["v3"]
    page = to_html(found)
    assert "Variable 0 and Variable 3" in page
    assert "v0 and" not in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(tier=Tier.CALIBRATED), "price: a T3 release has one, others have none"),
        (dict(price=None), "price: a T3 release has one, others have none"),
        (dict(digest="XYZ"), "digest: wants a sha256"),
    ],
)
def test_what_is_said_of_a_release_must_be_whole(change: dict[str, object], message: str) -> None:
    whole = dict(title="P", tier=Tier.PRIVATE, release="p@1", pupils=1, digest="0" * 64, price=Price(0.015, 1.0, 1e-9))
    About(**whole)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        About(**whole | change)  # type: ignore[arg-type]


def test_differences_have_a_sign_only_where_there_is_one() -> None:
    assert [points(v) for v in (0.0123, -0.0123, 0.0001, -0.0001, None, float("nan"))] == [
        "+1.2", "−1.2", "0.0", "0.0", "–", "–",
    ]  # fmt: skip
