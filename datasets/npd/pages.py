"""A catalogue as Markdown: one page for each data set, and an index. Made from the catalogue alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from datasets.catalogue import Catalogue, DataSet, Link
from datasets.npd.words import rule
from datasets.variables import Banding, Code, Numbers, Variable

SHORT = 24
"""Most codes that are written out."""
NEW = "\n"
MADE = "<!-- Made by: privacy-api catalogue pages. Change the catalogue, not this page. -->"
Years = tuple[int, int | None] | None


def pages(catalogue: Catalogue) -> dict[str, str]:
    """File name → text."""
    return {"README.md": _index(catalogue), **{f"{d.id}.md": _page(d) for d in catalogue.data_sets}}


def _index(catalogue: Catalogue) -> str:
    own = sum(v.linked is None for d in catalogue.data_sets for v in d.variables)
    rows = (
        f"| [{d.title}]({d.id}.md) | `{d.id}` | {years(d.populated)} | {_made(d.variables)} | {row_of(d)} |"
        for d in catalogue.data_sets
    )
    return _joined(
        MADE,
        f"# {catalogue.title}: data sets and variables",
        f"{len(catalogue.data_sets)} data sets, {own} variables of their own; with linked ones "
        f"{sum(len(d.variables) for d in catalogue.data_sets)}. Years are those in which the academic year ends.",
        "\n".join(["| data set | name | years | variables | one row for each |", "|---|---|---|---|---|", *rows]),
    )


def _page(data_set: DataSet) -> str:
    names = data_set.by_name
    own = (_variable(v, names) for v in data_set.variables if v.linked is None)
    return _joined(MADE, f"# {data_set.title} (`{data_set.id}`)", data_set.description, _facts(data_set), *own,
                   _links(data_set))  # fmt: skip


def _facts(data_set: DataSet) -> str:
    stages = ", ".join(f"{stage} ({month})" for stage, month in data_set.releases)
    facts = {
        "One row for each": row_of(data_set),
        "Source": data_set.source,
        "Years": years(data_set.populated),
        "Released": stages,
        "Variables": _made(data_set.variables),
        "Public": "no pupils; open to all" if data_set.public else "",
    }
    return "\n".join(f"* {name}: {text}" for name, text in facts.items() if text)


def row_of(data_set: DataSet) -> str:
    key = data_set.key
    names = [] if key.unit is None else ["pupil"]
    return " × ".join([*names, *(f"`{name}`" for name in (key.time, *key.also) if name)])


def _made(variables: Sequence[Variable]) -> str:
    own, derived = sum(v.is_own for v in variables), sum(v.derived is not None for v in variables)
    linked = len(variables) - own - derived
    return ", ".join([f"{own} of files", *[f"{n} {how}" for n, how in ((derived, "derived"), (linked, "linked")) if n]])


def _variable(variable: Variable, names: dict[str, Variable]) -> str:
    facts = "\n".join(
        f"* {name}:{text if text[0] == NEW else f' {text}'}" for name, text in _said(variable, names) if text
    )
    return _joined(f"## `{variable.name}` {variable.label}", variable.description, facts).rstrip("\n")


def _said(variable: Variable, names: dict[str, Variable]) -> Iterator[tuple[str, str]]:
    yield "Class", _class(variable)
    yield "Years", years(variable.populated)
    yield "Concept", variable.concept
    yield "NPD names", "; ".join(f"`{a.pattern}` {years((a.first, a.last))}" for a in variable.aliases)
    yield "Geographic level", f"`{variable.level}`" if variable.level else ""
    lines = rule(variable, names)
    yield "Derived", lines[0] if len(lines) == 1 else "".join(f"\n  * {one}" for one in lines)
    yield "Numbers", numbers_words(variable.numbers) if variable.numbers else ""
    yield "Codes", "" if variable.numbers else _periods(variable.atoms) if variable.is_time else _codes(variable.atoms)
    yield "An empty value is", f"`{variable.missing}`" if variable.missing else ""
    yield "Bandings", "".join(f"\n  * {_banding(one)}" for one in variable.bandings)


def _class(variable: Variable) -> str:
    notes = [f"{variable.identifiability}{variable.sensitivity}"]
    notes += ["asked for in bands only"] if variable.needs_banding else []
    notes += ["needs a grant"] if variable.sensitivity.needs_grant else []
    notes += ["needs justification"] if variable.needs_justification else []
    return ", ".join(notes)


def years(years: Years) -> str:
    if years is None:
        return ""
    first, last = years
    return f"from {first}" if last is None else str(first) if first == last else f"{first} to {last}"


def numbers_words(numbers: Numbers) -> str:
    lowest, highest = (f"{(numbers.step * end).normalize():f}" for end in (numbers.lowest, numbers.highest))
    ends = [f"{(numbers.step * end).normalize():f}" for end in numbers.clamp]
    unit = f" {numbers.unit}" if numbers.unit else ""
    clamped = f"; sums count {ends[0]} to {ends[1]}" if numbers.clamp != (numbers.lowest, numbers.highest) else ""
    bins = f"; {len(numbers.edges) - 1} bins" if numbers.edges else ""
    return f"{lowest} to {highest}{unit}, step {numbers.step:f}{clamped}{bins}{'; may be missing' * numbers.optional}"


def _codes(codes: Sequence[Code]) -> str:
    if len(codes) > SHORT:
        return f"{len(codes)}, from {_code(codes[0])} to {_code(codes[-1])}"
    return f"{len(codes)}: {'; '.join(map(_code, codes))}"


def _periods(periods: Sequence[Code]) -> str:
    return f"{len(periods)}: {', '.join(f'`{period.code}`' for period in periods)}"


def _code(code: Code) -> str:
    said = f" {code.label}" if code.label != code.code else ""
    when = " to ".join(text for text in (code.since, code.until) if text)
    prefix = "" if code.since and code.until else "since " if code.since else "until "
    return f"`{code.code}`{said}" + (f" ({prefix}{when})" if when else "")


def _banding(banding: Banding) -> str:
    level = f", level `{banding.level}`" if banding.level else ""
    return f"`{banding.name}` {banding.label}{level}; {_codes(banding.codes)}"


def _links(data_set: DataSet) -> str:
    if not data_set.links:
        return ""
    return _joined("## Linked variables", *(_link(link) for link in data_set.links)).rstrip("\n")


def _link(link: Link) -> str:
    on = [f"`{own}`" if own == theirs else f"`{own}` = `{theirs}`" for own, theirs in link.on]
    where = [f"`{name}` is `{code}`" for name, code in link.where]
    when = "the academic year before" if link.years_before == 1 else f"{link.years_before} academic years before"
    before = [when] if link.years_before else []
    missing = f" Without such a record: `{link.missing.code}` {link.missing.label}." if link.missing else ""
    taken = ", ".join(f"`{here}`" if here == theirs else f"`{here}` (`{theirs}`)" for theirs, here in link.take)
    match = "; ".join([f"by {', '.join(on)}", *before, *where])
    return f"* `{link.name}`: [{link.to}]({link.to}.md), {match}.{missing}\n  Gives {taken}."


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in _filled(parts)) + "\n"


def _filled(parts: Iterable[str]) -> Iterator[str]:
    return (part for part in parts if part)
