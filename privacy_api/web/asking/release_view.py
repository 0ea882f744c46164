"""A release as a page shows it: headline, table, charts, how it was protected and is cited. From its document alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy_api.web.asking.measure_words import Labels, measure_words, question_title
from privacy_api.web.charts import Chart, chart_of
from privacy_api.web.charts.scale import number

Document = Mapping[str, Any]
MOST_ACROSS = 8
"""Columns of numbers; more measures than that go down the page."""
MOST_CHARTS = 4
TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class Cell:
    """text: the number, or nothing; interval: in words; status: a GSS symbol, or nothing."""

    text: str = ""
    interval: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """labels: of the groupings that go down. is_total: a row in which something is summed over."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    is_total: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """down: what the first columns are; across: heads of the columns of numbers."""

    down: tuple[str, ...]
    across: tuple[str, ...]
    lines: tuple[Line, ...]


def _words(document: Document, measure: Mapping[str, Any], labels: Labels) -> str:
    """ "Mean of Attainment 8 (points)"; as it was asked for."""
    asked = next((m for m in document["query"]["measures"] if m["id"] == measure["id"]), measure)
    named, unit = measure_words(asked, labels), measure["unit"]
    said = unit.lower() in named.lower() or (unit == "%" and "ercentage" in named)
    return named if not unit or said else f"{named} ({unit})"


def _worded(document: Document, labels: Labels) -> Document:
    """With words for groupings, variables and terms of models in place of their names."""
    dimensions = [{**d, "label": _grouping_words(d, labels)} for d in document["dimensions"]]
    measures = [
        {**m, "variable": labels.variable(m["variable"] or ""), "outputs": [_output(o, labels) for o in m["outputs"]]}
        for m in document["measures"]
    ]
    return {**document, "dimensions": dimensions, "measures": measures}


def _output(output: Mapping[str, Any], labels: Labels) -> Mapping[str, Any]:
    """ "coefficient of la.region=E12000002" is "coefficient of North West (Local authority: Region)"."""
    said = re.sub(r"([\w.]+)=([^\s:=]+)", lambda at: labels.term_code(at[1], at[2]), str(output["label"]))
    return {**output, "label": said}


def title_of(document: Document, labels: Labels) -> str:
    """ "Number of rows by Region and Sex"."""
    measures = [_words(document, m, labels) for m in document["measures"]]
    return question_title(measures, [_grouping_words(d, labels) for d in _groupings(document)])


def headline(document: Document, labels: Labels) -> str:
    """The answer in a sentence: the number itself where there is one, else from where to where they go."""
    first = document["measures"][0]
    rows = [r for r in document["results"] if r["measure"] == first["id"] and r["value"] is not None]
    finest = [r for r in rows if all(r[d["name"]] is not None for d in _groupings(document))]
    words = _words(document, first, labels)
    if not rows:
        return f"{words}: nothing can be shown under the policy of this data set."
    if len(finest) == 1 and len(rows) == 1:
        return f"{words}: {_told(rows[0])}."
    if not finest or first["outputs"]:
        return f"{words}: {len(rows):,} numbers are shown."
    low, high = min(finest, key=lambda r: r["value"]), max(finest, key=lambda r: r["value"])
    return f"{words}: from {_told(low)} ({_where(low, document)}) to {_told(high)} ({_where(high, document)})."


def _told(row: Mapping[str, Any]) -> str:
    interval = _interval(row)
    return f"{number(row['value'])} (between {interval})" if interval else number(row["value"])


def _where(row: Mapping[str, Any], document: Document) -> str:
    return ", ".join(_code_label(d, row[d["name"]]) for d in _groupings(document))


def _groupings(document: Document) -> list[Mapping[str, Any]]:
    """Of the finest table, in the order asked for."""
    named = {d["name"]: d for d in document["dimensions"]}
    return [named[name] for name in document["query"]["groupBy"]]


def _grouping_words(dimension: Mapping[str, Any], labels: Labels) -> str:
    """A banding is said with its variable, where the catalogue is at hand."""
    words = labels.variable(dimension["reference"])
    return words if words != dimension["reference"] else str(dimension["label"])


def _code_label(dimension: Mapping[str, Any], code: str) -> str:
    return next((str(c["label"]) for c in dimension["codes"] if c["code"] == code), code)


def _interval(row: Mapping[str, Any], places: int | None = None, between: str = "and") -> str:
    if row["lower"] is None or row["upper"] is None:
        return ""
    return f"{number(row['lower'], places)} {between} {number(row['upper'], places)}"


def sheet_of(document: Document, labels: Labels) -> Sheet:
    """Measures go across where they fit; the last of several groupings does where there is one number for each cell."""
    document = _worded(document, labels)
    outputs = sum(max(len(m["outputs"]), 1) for m in document["measures"])
    by = _groupings(document)
    crossed = outputs == 1 and len(by) > 1 and len(by[-1]["codes"]) <= MOST_ACROSS
    down = by[:-1] if crossed else by
    long = outputs > MOST_ACROSS
    places_of = _places_of(document)
    lines: dict[tuple[str, ...], dict[str, tuple[str, Cell]]] = {}
    named: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}
    for row in document["results"]:
        places = [_place(row, d, document) for d in down]
        measure = _column(row, document, labels)
        head = _place(row, by[-1], document) if crossed else ("", "Number") if long else measure
        places += [measure] if long else []
        key = tuple(place for place, _ in places)
        named.setdefault(key, (tuple(label for _, label in places), any(row[d["name"]] is None for d in down)))
        lines.setdefault(key, {})[head[0]] = (head[1], _cell(row, places_of[row["measure"], row["output"]]))
    heads = {place: label for line in lines.values() for place, (label, _) in line.items()}
    return Sheet(
        (*(_grouping_words(d, labels) for d in down), *(["Measure"] if long else [])),
        tuple(heads.values()),
        tuple(
            Line(named[key][0], tuple(line.get(place, ("", Cell()))[1] for place in heads), named[key][1])
            for key, line in sorted(lines.items(), key=lambda each: _summed_over(named[each[0]][0]))
        ),
    )


def _summed_over(labels: tuple[str, ...]) -> int:
    """Totals come after what they are of, the grand total last."""
    return labels.count(TOTAL)


def _place(row: Mapping[str, Any], dimension: Mapping[str, Any], document: Document) -> tuple[str, str]:
    """Where a row stands along a grouping, and its label: a code, that of a coarser grouping, or the total."""
    if (code := row[dimension["name"]]) is not None:
        return code, _code_label(dimension, code)
    for other in document["dimensions"]:
        same = other["reference"].partition(".")[0] == dimension["reference"].partition(".")[0]
        if same and (coarser := row[other["name"]]) is not None:
            return f"{other['name']} {coarser}", f"{_code_label(other, coarser)} ({TOTAL.lower()})"
    return "", TOTAL


def _column(row: Mapping[str, Any], document: Document, labels: Labels) -> tuple[str, str]:
    measure = next(m for m in document["measures"] if m["id"] == row["measure"])
    words = _words(document, measure, labels)
    output = next((o["label"] for o in measure["outputs"] if o["code"] == row["output"]), "")
    alone = output and len(document["measures"]) == 1
    return f"{row['measure']} {row['output']}", output if alone else f"{words}: {output}" if output else words


def heads_of(document: Document, labels: Labels) -> list[str]:
    """Of the columns that say which group a number is of."""
    return [_grouping_words(d, labels) for d in document["dimensions"]]


def columns_of(document: Document, labels: Labels) -> dict[tuple[str, str], str]:
    """(measure, output) → its words."""
    rows = {(row["measure"], row["output"]): row for row in document["results"]}
    return {key: _column(row, document, labels)[1] for key, row in rows.items()}


def _places_of(document: Document) -> dict[tuple[str, str], int | None]:
    """Decimals of a column: those of its longest number, so that figures stand under each other."""
    found: dict[tuple[str, str], int | None] = {}
    for row in document["results"]:
        key = (row["measure"], row["output"])
        shown = [number(row[part]) for part in ("value", "lower", "upper") if row[part] is not None]
        before = found.setdefault(key, 0)
        in_powers = before is None or any("e" in text for text in shown)
        found[key] = None if in_powers else max([before or 0, *(len(text.partition(".")[2]) for text in shown)])
    return found


def _cell(row: Mapping[str, Any], places: int | None) -> Cell:
    text = "" if row["value"] is None else number(row["value"], places)
    return Cell(text, _interval(row, places, "to"), row["status"])


def charts_of(document: Document, labels: Labels) -> list[Chart]:
    document = _worded(document, labels)
    by = [str(d["label"]) for d in _groupings(document)]
    found = []
    for n, measure in enumerate(document["measures"][:MOST_CHARTS]):
        words = _words(document, measure, labels)
        chart = chart_of(document, measure["id"], question_title([words], by), f"chart-{n + 1}")
        found += [chart] if chart else []
    return found


def protection_of(document: Document) -> list[tuple[str, str]]:
    """Terms and what they are, for a summary list."""
    told = document["protection"]
    policy = document["policy"]
    named = ("Policy", f"{policy['name']}, version {policy['version']}")
    if told["mode"] != "dp":
        return [named, ("Promise", told["guarantee"]), ("Known risk", told["risk"] or "none stated")]
    return [
        named,
        ("Who is protected", f"each {told['unit']}, all rows of theirs together"),
        ("How", f"{told['mechanism']} noise, drawn once and for all; then small numbers are hidden and others rounded"),
        ("Price", f"{told['rho']:g} ρ, which is ε {told['epsilon']:g} at δ {told['delta']:g}"),
        (
            "What that means",
            "Somebody who guesses one fact about one pupil by a coin is right 50 times in 100. Having read this answer "
            f"and nothing else, they are right at most {100 * told['coinFlipAccuracy']:.1f} times in 100.",
        ),
        (
            "Intervals",
            "count noise, hiding and rounding; each holds the true number "
            f"{100 * document['measures'][0]['confidence']:g} times in 100",
        ),
    ]


def bibtex_of(document: Document, labels: Labels, url: str) -> str:
    """url: of the page that this is cited by."""
    release, data, policy = document["id"], document["dataSet"], document["policy"]
    fields = {
        "title": f"{{{_plain(title_of(document, labels))}. {_plain(data['title'])}}}",
        "year": document["created"][:4],
        "version": data["version"],
        "note": _plain(
            f"Release {release} of {document['created'][:10]}, data version {data['version']}, "
            f"policy {policy['name']} {policy['version']}" + ("; synthetic data" if data["synthetic"] else "")
        ),
        "url": url,
    }
    inner = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{{release},\n{inner}\n}}"


def _plain(text: str) -> str:
    """Without what BibTeX would take for its own."""
    return "".join(f"\\{c}" if c in "&%$#_" else "" if c in "{}\\" else c for c in text)
