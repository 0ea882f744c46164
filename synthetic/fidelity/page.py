"""The report as one HTML file: no script, nothing fetched, fit to be printed on A4."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthetic.fidelity import svg
from synthetic.fidelity.document import uses_of
from synthetic.fidelity.groups import GroupTable, Transition
from synthetic.fidelity.margins import Floats
from synthetic.fidelity.report import OneWay, Report
from synthetic.fidelity.variation import Variation

ROWS = 24
"""Codes of a variable that are shown; of more, those that differ most."""
MOST = 26
"""Variables in a heat map; of more, those with the largest associations or differences."""
PAIRS, KEPT = 12, 60
MINUS, NONE = "−", "–"


def to_html(report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("synthetic.fidelity"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"percent": percent, "points": points, "thousands": thousands, "decimal": decimal}
    environment.filters["labels"] = lambda names: _labels(report, names)
    return environment.get_template("report.html.jinja").render(
        report=report,
        about=report.about,
        uses=uses_of(report.about.tier),
        scores=[(v, sample(v), _labels(report, v.worst)) for v in report.variations],
        margins=[(m, *_codes(m)) for m in report.margins],
        missing=[c for c in report.coverage if c.missing],
        covered=1 - sum(len(c.missing) for c in report.coverage) / sum(len(c.variable.codes) for c in report.coverage),
        violations=sum(c.violations for c in report.about.constraints),
        associations=_associations(report),
        transitions=[_transition(i, t) for i, t in enumerate(report.transitions)],
        trends=[(t, _trend(i, t)) for i, t in enumerate(report.trends)],
        most_kept=KEPT,
    )


def percent(share: float | None, digits: int = 1) -> str:
    return NONE if share is None or math.isnan(share) else f"{100 * share:.{digits}f}"


def points(difference: float | None, digits: int = 1) -> str:
    """Percentage points with their sign; nothing that rounds to nothing has one."""
    if difference is None or math.isnan(difference):
        return NONE
    text = f"{100 * abs(difference):.{digits}f}"
    return text if not float(text) else f"{'+' if difference > 0 else MINUS}{text}"


def decimal(value: float, digits: int = 2) -> str:
    return NONE if math.isnan(value) else f"{value:.{digits}f}".replace("-", MINUS)


def thousands(number: float) -> str:
    return f"{number:,.0f}"


def sample(found: Variation) -> str:
    """The sub-sampling equivalent in words."""
    if found.mean == 0:
        return "no difference at all"
    if found.as_sample is None:
        return "less than the noise of what it is compared with"
    part = 100 * found.as_sample
    return (
        f"as far off as a random sample of {part:.0f} % of the pupils"
        if part >= 10
        else (f"as far off as a random sample of {part:.2g} % of the pupils")
    )


def _labels(report: Report, names: Iterable[str]) -> list[str]:
    of = [*(one.variable for one in report.coverage), *(one.variable for one in report.margins)]
    labels = {variable.name: variable.label for variable in of}
    return [labels.get(name, name) for name in names]


def _codes(one: OneWay) -> tuple[list[tuple[str, float, float, Markup]], int]:
    """Rows of the table of a variable, and how many codes are left out of it."""
    mine, theirs = one.source.shares, one.reference.shares
    order: Iterable[int] = range(len(mine))
    if len(mine) > ROWS:
        order = sorted(np.argsort(-np.abs(mine - theirs), kind="stable")[:ROWS].tolist())
    largest = float(max(mine.max(), theirs.max()))
    rows = [
        (
            one.variable.shown(one.variable.codes[i]),
            float(theirs[i]),
            float(mine[i]),
            svg.bullet(float(mine[i]), float(theirs[i]), largest),
        )
        for i in order
    ]
    return rows, len(mine) - len(rows)


def _associations(report: Report) -> dict[str, Any] | None:
    found = report.associations
    known = np.isfinite(found.differences)
    if not known.any():
        return None
    weight = np.where(known, np.abs(np.nan_to_num(found.reference)) + np.abs(np.nan_to_num(found.differences)), 0)
    kept = np.sort(np.argsort(-weight.sum(axis=0), kind="stable")[:MOST])
    kept = kept[known[kept].any(axis=1)]
    names = _labels(report, (found.names[i] for i in kept))
    both = _halves(found.reference[np.ix_(kept, kept)], found.source[np.ix_(kept, kept)])
    apart = found.differences[np.ix_(kept, kept)]
    limit = max(0.05, float(np.nanmax(np.abs(apart))))
    strong = [(*_labels(report, (a, b)), d, *_pair(report, a, b)) for a, b, d in found.largest[:PAIRS]]
    mean = float(np.nanmean(np.abs(found.differences)))
    return {
        "strength": svg.heat_map(
            "v", "Association of each pair of variables",
            "Cramér's V as hundredths. Above the diagonal the reference, below it the synthetic rows: a symmetrical "
            "picture means that associations are kept. The largest differences stand in the table that follows.",
            names, names, both, svg.rising, lambda v: f"{100 * v:.0f}",
        ),
        "differences": svg.heat_map(
            "d", "Difference in association of each pair of variables",
            "Cramér's V of the synthetic rows less that of the reference, in hundredths; below the diagonal only. "
            "The largest differences stand in the table that follows.",
            names, names, _lower(apart), svg.diverging(limit), lambda v: points(v, 0).lstrip("+"),
        ),
        "largest": strong, "mean": mean, "compared": int(known.sum() // 2), "all": len(found.names),
        "shown": len(names),
    }  # fmt: skip


def _pair(report: Report, first: str, second: str) -> tuple[float, float]:
    names = report.associations.names
    at = names.index(first), names.index(second)
    return float(report.associations.reference[at]), float(report.associations.source[at])


def _halves(upper: Floats, lower: Floats) -> Floats:
    found = np.where(np.triu(np.ones(upper.shape, np.bool_), 1), upper, lower)
    np.fill_diagonal(found, np.nan)
    return np.asarray(found)


def _lower(values: Floats) -> Floats:
    return np.where(np.tril(np.ones(values.shape, np.bool_), -1), values, np.nan)


def _transition(number: int, found: Transition) -> dict[str, Any]:
    rows, columns = (tuple(map(of.shown, of.codes)) for of in (found.rows, found.columns))
    largest = float(np.nanmax([np.nanmax(found.source), np.nanmax(found.reference)]))

    def drawn(name: str, who: str, values: Floats) -> Markup:
        return svg.heat_map(
            f"t{number}{name}", f"{found.rows.label} to {found.columns.label}: {who}",
            f"Percent of the pupils of each row who are in each column. Rows: {found.rows.label}. Columns: "
            f"{found.columns.label}. The numbers stand in the table that follows.",
            rows, columns, values, lambda v: svg.rising(v / largest), lambda v: f"{100 * v:.0f}", (25, 17),
        )  # fmt: skip

    apart = np.abs(found.differences)
    return {
        "of": found,
        "reference": drawn("r", "reference", found.reference),
        "source": drawn("s", "synthetic", found.source),
        "largest": float(np.nanmax(apart)),
        "mean": float(np.nanmean(np.nansum(apart, axis=1) / 2)),
    }


def _trend(number: int, found: GroupTable) -> Markup:
    return svg.lines(
        f"y{number}", f"Share with {found.outcome.label}, by {found.by.label}",
        "Percent of pupils: the synthetic rows as a full line with squares, the reference dashed with circles. The "
        "numbers stand in the table that follows.",
        [found.by.shown(g.code) for g in found.groups],
        [g.source for g in found.groups], [g.reference for g in found.groups],
    )  # fmt: skip
