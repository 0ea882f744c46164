"""A release as a page shows it: title, headline, charts, how it was protected and is cited. From its document alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privacy_api.web.asking.measure_words import Labels, question_title
from privacy_api.web.asking.released import (
    Document,
    code_label,
    grouping_words,
    groupings,
    interval_of,
    worded,
    words_of,
)
from privacy_api.web.charts import Chart, chart_of
from privacy_api.web.charts.scale import number

MOST_CHARTS = 4


def title_of(document: Document, labels: Labels) -> str:
    """ "Number of rows by Region and Sex"."""
    measures = [words_of(document, m, labels) for m in document["measures"]]
    return question_title(measures, [grouping_words(d, labels) for d in groupings(document)])


def headline(document: Document, labels: Labels) -> str:
    """The answer in a sentence: the number itself where there is one, else from where to where they go."""
    first = document["measures"][0]
    rows = [r for r in document["results"] if r["measure"] == first["id"] and r["value"] is not None]
    finest = [r for r in rows if all(r[d["name"]] is not None for d in groupings(document))]
    words = words_of(document, first, labels)
    if not rows:
        return f"{words}: nothing can be shown under the policy of this data set."
    if len(finest) == 1 and len(rows) == 1:
        return f"{words}: {_told(rows[0])}."
    if not finest or first["outputs"]:
        return f"{words}: {len(rows):,} numbers are shown."
    low, high = min(finest, key=lambda r: r["value"]), max(finest, key=lambda r: r["value"])
    return f"{words}: from {_told(low)} ({_where(low, document)}) to {_told(high)} ({_where(high, document)})."


def _told(row: Mapping[str, Any]) -> str:
    interval = interval_of(row)
    return f"{number(row['value'])} (between {interval})" if interval else number(row["value"])


def _where(row: Mapping[str, Any], document: Document) -> str:
    return ", ".join(code_label(d, row[d["name"]]) for d in groupings(document))


def charts_of(document: Document, labels: Labels) -> list[Chart]:
    document = worded(document, labels)
    by = [str(d["label"]) for d in groupings(document)]
    found = []
    for n, measure in enumerate(document["measures"][:MOST_CHARTS]):
        words = words_of(document, measure, labels)
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
