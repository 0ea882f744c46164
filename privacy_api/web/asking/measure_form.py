"""The form of one measure: which fields its statistic wants, and the measure that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from datasets.measures import parts_of
from datasets.query import Problem
from datasets.statistics import STATISTICS, Statistic
from privacy_api.web.asking import items
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.measure_words import statistic_words
from privacy_api.web.asking.offer import Offered
from privacy_api.web.pages_base import render

if TYPE_CHECKING:
    from privacy_api.web.asking.question import Builder

INNER = ("count", "pupils", "sum", "mean", "rate")
"""What a gap can be of, in the form; of anything else it is written as the API takes it."""


def measure_from(fields: Fields) -> dict[str, Any]:
    """As the API takes it; whether it can be asked is for the validator to say."""
    statistic = fields.get("statistic")
    wanted = parts_of(STATISTICS[statistic]) if statistic in STATISTICS else ()
    made: dict[str, Any] = {"statistic": statistic}
    for part in ("variable", "with"):
        if part in wanted and fields.get(part):
            made[part] = fields.get(part)
    for part in ("codes", "terms"):
        if part in wanted and fields.all(part):
            made[part] = [each for each in fields.all(part) if each]
    if "probabilities" in wanted:
        made["probabilities"] = _probabilities(fields.get("probabilities"))
    if "of" in wanted:
        inner = {"statistic": fields.get("inner")} | ({"variable": v} if (v := fields.get("inner-variable")) else {})
        made["of"] = [inner]
    return made


def _probabilities(text: str) -> list[str]:
    """ "25, 50" per cent is 0.25 and 0.5; what is no number goes on as it is, to be refused."""
    found = []
    for each in text.replace("%", "").replace(";", ",").split(","):
        plain = each.strip()
        is_number = plain.isascii() and plain.replace(".", "", 1).isdigit()
        found.append(f"{float(plain) / 100:g}" if is_number else plain or "0")
    return found


def measure_page(
    builder: Builder, request: Request, typed: Fields | None = None, wrong: Sequence[Problem] = ()
) -> Response:
    """typed: what was sent and is wrong; else the measure at a place of the question, or a new one of a statistic."""
    place = _place(request, typed)
    known = dict(builder.draft.measures[place]) if place is not None and place < len(builder.draft.measures) else {}
    shown = measure_from(typed) if typed else known | _chosen(request)
    statistic = STATISTICS.get(str(shown.get("statistic", "")))
    if statistic is None or statistic.name not in {s.name for s in builder.offer.statistics()}:
        statistic = STATISTICS["count"]
    subjects = builder.offer.subjects(statistic)
    of = next((each for each in subjects if each.reference == shown.get("variable")), None)
    frame = builder.with_problems("measures", {_field(p.path): p.message for p in wrong})
    inner = (shown.get("of") or [{}])[0]
    return render(
        request,
        "ask/measure.html",
        422 if wrong else 200,
        **frame | {"title": statistic_words(statistic.name)},
        about=statistic.summary,
        statistic=statistic,
        wants=parts_of(statistic),
        place=place,
        shown=shown,
        subjects=subjects,
        of=of,
        needs_variable="codes" in parts_of(statistic) and of is None,
        variable_label="What it is between" if "of" in parts_of(statistic) else "Of what?",
        inner_items=[{"value": n, "text": n.capitalize(), "selected": n == inner.get("statistic")} for n in INNER],
        inner_variable=inner.get("variable", ""),
        code_items=lambda codes, n: items.code_items(codes, n, shown.get("codes") or ()),
        percents=items.percents(shown.get("probabilities") or ()),
        numbers=builder.offer.numbers(),
        term_boxes=items.term_boxes(_terms(builder, statistic), shown.get("terms") or ()),
        kept_query=list(request.query_params.multi_items()),
    )


def _place(request: Request, typed: Fields | None) -> int | None:
    return (typed or Fields({"place": request.query_params.getlist("place")})).number("place")


def _chosen(request: Request) -> dict[str, Any]:
    """What earlier pages of this form asked."""
    return {name: request.query_params[name] for name in ("statistic", "variable") if name in request.query_params}


def _terms(builder: Builder, statistic: Statistic) -> list[Offered]:
    """A number stands once: as a slope in a linear model, by its bins in a logistic one."""
    if "terms" not in parts_of(statistic):
        return []
    numbers = builder.offer.numbers(binned="codes" in parts_of(statistic))
    known = {each.reference for each in numbers}
    return [*numbers, *(each for each in builder.offer.groupings() if each.reference not in known)]


def _field(path: str) -> str:
    """The id of the field in this form: "measures[0].codes[1]" is codes, "measures[0].of[0].variable" of."""
    name = path.split("].", 1)[-1].split("[")[0].split(".")[0]
    return name if name in FIELDS else "variable"


FIELDS = ("of", "variable", "with", "codes", "probabilities", "terms")
