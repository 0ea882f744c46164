"""Charts as markup: well-formed, every number in its place, none that is hidden, nothing that a page forbids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import Any
from xml.etree import ElementTree

import pytest

from privacy_api.web.charts import Chart, Kind, chart_of
from privacy_api.web.charts.figure import MOST_MARKS, Mark
from privacy_api.web.charts.scale import number, scale_of

SVG = "{http://www.w3.org/2000/svg}"
Codes = Sequence[str]


def release(
    statistic: str,
    groups: Mapping[str, Codes],
    outputs: Codes = (),
    hidden: Codes = (),
    role: Mapping[str, str] | None = None,
    value: float = 100.0,
) -> dict[str, Any]:
    """A release document with a number for every cell; those of the codes in `hidden` are `c`."""
    rows = []
    for n, key in enumerate(product(*groups.values())):
        for place, output in enumerate(outputs or [None]):  # type: ignore[list-item]
            gone = bool({*key, output} & set(hidden))
            at = value + 10 * n + place
            numbers = {"value": None, "lower": None, "upper": None, "status": "c"}
            shown = {"value": at, "lower": at - 5, "upper": at + 5, "status": ""}
            rows.append(dict(zip(groups, key, strict=True), measure="m", output=output, **(numbers if gone else shown)))
    return {
        "query": {"groupBy": list(groups)},
        "protection": {"mode": "dp"},
        "dimensions": [
            {"name": name, "label": name, "codes": [{"code": c, "label": f"label {c}"} for c in codes]}
            | ({"role": role[name]} if role and name in role else {})
            for name, codes in groups.items()
        ],
        "measures": [
            {
                "id": "m",
                "statistic": statistic,
                "variable": "v",
                "unit": "points",
                "confidence": 0.95,
                "outputs": [{"code": o, "label": f"output {o}"} for o in outputs],
            }
        ],
        "results": rows,
    }


def drawn(document: Mapping[str, Any]) -> Chart:
    chart = chart_of(document, "m", "A title")
    assert chart is not None
    return chart


def root_of(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg)  # noqa: S314


def parts(chart: Chart, part: str) -> list[ElementTree.Element]:
    return [e for e in root_of(chart).iter() if e.get("data-part") == part]


def texts(chart: Chart) -> list[str]:
    return [e.text or "" for e in root_of(chart).iter(f"{SVG}text")]


AREAS = tuple("abcde")
CASES: dict[str, tuple[dict[str, Any], Kind, str]] = {
    "one grouping": (release("count", {"la": AREAS}), Kind.BARS, "bar"),
    "no grouping, several outputs": (release("histogram", {}, "pqr"), Kind.BARS, "bar"),
    "two groupings": (release("percentage", {"la": AREAS, "sex": "FM"}), Kind.GROUPED, "bar"),
    "a mean": (release("mean", {"la": AREAS}), Kind.DOTS, "dot"),
    "means of two groupings": (release("mean", {"la": AREAS, "sex": "FM"}), Kind.DOTS, "dot"),
    "over time": (release("count", {"year": "123", "sex": "FM"}, role={"year": "time"}), Kind.LINES, "dot"),
    "quantiles": (release("quantile", {"la": AREAS}, ("0.25", "0.5", "0.75")), Kind.DOTS, "dot"),
    "coefficients": (
        release("ols", {}, ("intercept", "sex=M", "noise_se:intercept", "se:sex=M", "n", "r_squared")), Kind.DOTS, "dot"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "kind", "part"), CASES.values(), ids=CASES.keys())
def test_every_number_is_drawn_with_its_interval(document: dict[str, Any], kind: Kind, part: str) -> None:
    chart = drawn(document)
    wanted = 2 if document["measures"][0]["statistic"] == "ols" else len(document["results"])
    assert chart.kind is kind
    keys = len(document["dimensions"][-1]["codes"]) if kind is Kind.LINES else 0
    series = 3 if document["measures"][0]["statistic"] == "quantile" else 0
    series = 2 if kind is Kind.DOTS and len(document["dimensions"]) == 2 else series
    assert len(parts(chart, part)) == wanted + keys + series, "one for each number, and one for each series in the key"
    assert len(parts(chart, "interval")) == wanted
    assert "95% intervals" in chart.told


def test_an_interval_of_official_mode_is_certain() -> None:
    noisy = release("count", {"la": "AB"})
    official = {**noisy, "protection": {"mode": "official"}}
    assert "95% intervals" in drawn(noisy).told
    assert "95%" not in drawn(official).told and "true number lies" in drawn(official).told


def test_a_transition_matrix_is_a_heat_map() -> None:
    chart = drawn(release("distribution", {"ks2": "lmh"}, ("1", "2", "3", "4"), hidden="2"))
    assert chart.kind is Kind.HEAT
    assert len(parts(chart, "cell")) == 12
    assert texts(chart).count("c") == 3
    assert "3 of 12 numbers are not shown" in chart.told


def test_bars_are_as_long_as_their_numbers() -> None:
    bars = parts(drawn(release("count", {"la": "ab"}, value=10)), "bar")
    short, long = (float(bar.get("width", "")) for bar in bars)
    assert long / short == pytest.approx(2, rel=0.01)
    assert len({bar.get("x") for bar in bars}) == 1, "from zero"


def test_negative_bars_go_the_other_way() -> None:
    down, up = parts(drawn(release("sum", {"la": "ab"}, value=-5)), "bar")
    assert float(down.get("x", "")) + float(down.get("width", "")) == pytest.approx(float(up.get("x", "")), abs=0.2)


def test_what_is_hidden_is_a_symbol_and_no_mark() -> None:
    chart = drawn(release("count", {"la": AREAS}, hidden="b"))
    assert len(parts(chart, "bar")) == 4
    assert "c" in texts(chart)
    assert "1 of 5 numbers are not shown" in chart.told


def test_a_line_breaks_where_a_number_is_hidden() -> None:
    document = release("mean", {"year": "1234", "sex": "F"}, role={"year": "time"}, hidden="3")
    (line,) = parts(drawn(document), "line")
    assert (line.get("d") or "").count("M") == 2
    assert "c" in texts(drawn(document))


def test_nothing_to_draw() -> None:
    assert chart_of(release("count", {"la": "ab"}, hidden="ab"), "m", "") is None
    assert chart_of(release("count", {}), "m", "") is None, "one number is said, not drawn"
    assert chart_of(release("count", {"la": "ab"}), "other", "") is None


def test_many_groups_are_cut_and_that_is_said() -> None:
    document = release("count", {"la": [f"x{n}" for n in range(100)], "sex": "FM"})
    chart = drawn(document)
    assert len(parts(chart, "bar")) == MOST_MARKS
    assert "The first 30 of 100 groups; the table has all." in chart.told


def test_rows_of_totals_are_not_drawn() -> None:
    document = release("count", {"la": AREAS})
    total = {"la": None, "measure": "m", "output": None, "value": 9e9, "lower": 9e9, "upper": 9e9, "status": ""}
    assert drawn(document | {"results": [*document["results"], total]}).svg == drawn(document).svg


@pytest.mark.parametrize(("document", "kind", "part"), CASES.values(), ids=CASES.keys())
def test_markup_needs_no_exception(document: dict[str, Any], kind: Kind, part: str) -> None:
    """No style, script, event or address: only presentation attributes. Every id begins with the chart's name."""
    chart = chart_of(document, "m", "A title", "second")
    assert chart is not None
    root = root_of(chart)
    assert root.get("role") == "img"
    named = (root.get("aria-labelledby") or "").split()
    assert [e.tag for e in root.iter() if e.get("id") in named] == [f"{SVG}title", f"{SVG}desc"]
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            "svg", "title", "desc", "defs", "pattern", "g", "path", "rect", "line", "circle", "text",
        }  # fmt: skip
        assert not {"style", "class", "href"} & set(element.keys())
        assert not any(name.startswith("on") for name in element.attrib)
        assert (element.get("id") or "second-").startswith("second-")
    used = set(re.findall(r"url\(#([^)]+)\)", chart.svg))
    assert used <= {e.get("id") for e in root.iter()}


def test_series_differ_by_more_than_colour() -> None:
    bars = parts(drawn(release("count", {"la": "abc", "sex": "FMUX"})), "bar")
    assert len({bar.get("fill") for bar in bars[:4]}) == 4
    assert sum("url(" in (bar.get("fill") or "") for bar in bars[:4]) == 2, "two of them are patterns, one is empty"
    lines = parts(drawn(release("mean", {"year": "123", "la": AREAS}, role={"year": "time"})), "line")
    assert len({line.get("stroke-dasharray") for line in lines}) == 5


def test_labels_are_escaped_and_stay_readable() -> None:
    wild = "<script>\"&'\u0000</script>"
    document = release("count", {"la": ["a", "b"]})
    document["dimensions"][0]["codes"][0]["label"] = wild
    chart = chart_of(document, "m", wild)
    assert chart is not None
    assert "<script" not in chart.svg
    title = root_of(chart).find(f"{SVG}title")
    assert title is not None
    assert title.text == wild.replace("\u0000", "")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (3, 3), (-2.5, 9), (0.001, 0.002), (9_000, 1_234_567)])
def test_scales_hold_every_value_between_round_ends(low: float, high: float) -> None:
    scale = scale_of([Mark(low, None, None, ""), Mark(high, None, None, "")], 0, 100, False)
    ticks = scale.ticks()
    assert scale.low <= low <= high <= scale.high
    assert 3 <= len(ticks) <= 9
    assert (ticks[0], ticks[-1]) == pytest.approx((scale.low, scale.high))
    steps = {round(b - a, 9) for a, b in pairwise(ticks)}
    assert len(steps) == 1


def test_numbers_in_words() -> None:
    assert [number(x) for x in (0, -3.5, 1234.4, 1234567, 0.1)] == ["0", "−3.5", "1,234", "1,234,567", "0.1"]
