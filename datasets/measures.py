"""Measures: names looked up, parts checked against what the statistic takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from datasets.groupings import axis_of, left_out
from datasets.names import Names, some
from datasets.plan import Axis
from datasets.predicate import Predicate
from datasets.query import Measure
from datasets.statistics import STATISTICS, Statistic, Subject, Takes
from datasets.statistics.recipe import Part, Term, wanted_present
from datasets.variables import Variable

MOST_TERMS = 12
MOST_COLUMNS = 160
"""Coefficients of a model: what it needs is looked for in all pairs of them."""
_PARTS: dict[Takes, tuple[str, ...]] = {
    Takes.ROWS: (),
    Takes.NUMBER: ("variable",),
    Takes.TWO_NUMBERS: ("variable", "with"),
    Takes.DOMAIN: ("variable",),
    Takes.DOMAIN_AND_CODES: ("variable", "codes"),
    Takes.BINNED_NUMBER: ("variable",),
    Takes.BINNED_NUMBER_AND_PROBABILITIES: ("variable", "probabilities"),
    Takes.TWO_MEASURES: ("of",),
    Takes.MEASURE_AND_GROUPS: ("of", "variable", "codes"),
    Takes.NUMBER_AND_TERMS: ("variable", "terms"),
    Takes.DOMAIN_CODES_AND_TERMS: ("variable", "codes", "terms"),
}
_OF_NUMBERS = (Takes.NUMBER, Takes.TWO_NUMBERS, Takes.NUMBER_AND_TERMS)
_OF_BINS = (Takes.BINNED_NUMBER, Takes.BINNED_NUMBER_AND_PROBABILITIES)
_COMPARED = (Takes.TWO_MEASURES, Takes.MEASURE_AND_GROUPS)


def parts_of(statistic: Statistic) -> tuple[str, ...]:
    """Fields of a measure that this statistic wants, and no others."""
    return _PARTS[statistic.takes]


@dataclass(frozen=True, slots=True)
class Context:
    """What a measure is read against. official: the policy adds no noise."""

    names: Names
    predicate: Predicate
    axes: tuple[Axis, ...]
    most_probabilities: int
    official: bool


def read_measure(measure: Measure, context: Context) -> Part | None:
    """Problems go to the context's names."""
    statistic = STATISTICS.get(measure.statistic)
    if statistic is None:
        message = f"No such statistic. Accepted: {', '.join(STATISTICS)}."
        context.names.refuse("StatisticNotFound", message, f"{measure.path}.statistic")
        return None
    if context.official and not statistic.in_official:
        message = f"{statistic.name} is not given where protection is by suppression and rounding."
        context.names.refuse("StatisticNotFound", message, f"{measure.path}.statistic")
        return None
    if not _parts_fit(measure, statistic, context):
        return None
    subject = _subject(measure, statistic, context)
    return None if subject is None else Part(statistic, replace(subject, noiseless=context.official))


def _parts_fit(measure: Measure, statistic: Statistic, context: Context) -> bool:
    names, before = context.names, len(context.names.problems)
    given = {
        "variable": measure.variable is not None,
        "with": measure.other is not None,
        "codes": bool(measure.codes),
        "probabilities": bool(measure.probabilities),
        "terms": bool(measure.terms),
        "of": bool(measure.of),
    }
    wanted = parts_of(statistic)
    for part, is_given in given.items():
        if is_given != (part in wanted):
            names.refuse(
                "InvalidValue",
                f"{statistic.name} {'takes no' if is_given else 'wants'} {part}.",
                f"{measure.path}.{part}",
            )
    most = context.most_probabilities
    if len(measure.probabilities) > most or any(not 0 < p < 1 for p in measure.probabilities):
        message = f"Wants 1 to {most} probabilities above 0 and below 1."
        names.refuse("InvalidValue", message, f"{measure.path}.probabilities")
    return len(names.problems) == before


def _subject(measure: Measure, statistic: Statistic, context: Context) -> Subject | None:
    takes, before = statistic.takes, len(context.names.problems)
    found = Subject(measure)
    if takes in _COMPARED:
        found = replace(found, of=_compared(measure, statistic, context))
    if "variable" in parts_of(statistic):
        found = _of_variable(found, statistic, context) or found
    if takes is Takes.MEASURE_AND_GROUPS and len(context.names.problems) == before:
        found = replace(found, axes=_between(found, context))
    if "terms" in parts_of(statistic) and len(context.names.problems) == before:
        found = _explained(found, statistic, context)
    return found if len(context.names.problems) == before else None


def _of_variable(subject: Subject, statistic: Statistic, context: Context) -> Subject | None:
    measure, names = subject.measure, context.names
    path, reference = f"{measure.path}.variable", measure.variable or ""
    if statistic.takes in (*_OF_NUMBERS, *_OF_BINS):
        found = names.variable(reference, path)
        fits = found is None or _is_number(found, statistic, names, path)
    else:
        found = names.domain(reference, path)
        fits = found is None or _codes_fit(measure, statistic, found, names)
    if found is None or not fits:
        return None
    admitted = None if context.official else _admitted(found.named, context)
    other = _other(measure, statistic, names)
    return replace(subject, variable=found.variable, banding=found.banding, other=other, admitted=admitted)


def _admitted(variable: Variable, context: Context) -> int | None:
    """Where nothing is protected by its place in a table of all codes, codes that cannot occur are left out."""
    domain = context.names.data_set.domain
    return context.predicate.admitted(domain.index(variable)) if variable.atoms else None


def _other(measure: Measure, statistic: Statistic, names: Names) -> Variable | None:
    if measure.other is None:
        return None
    path = f"{measure.path}.with"
    found = names.variable(measure.other, path)
    if found is None or not _is_number(found, statistic, names, path):
        return None
    if measure.other == measure.variable:
        names.refuse("InvalidValue", "Wants two different numbers.", path)
    return found.variable


def _is_number(found: Subject, statistic: Statistic, names: Names, path: str) -> bool:
    variable = found.named
    if variable.numbers is None or found.banding is not None:
        accepted = [v.name for v in names.data_set.variables if v.numbers]
        names.refuse("NotANumber", f"{statistic.name} wants a number. Accepted: {some(accepted) or 'none'}.", path)
        return False
    if statistic.takes in _OF_BINS and variable.needs_banding:
        names.refuse("BandingRequired", f"{variable.name} is used only in bands, which {statistic.name} is not.", path)
        return False
    if statistic.takes in _OF_BINS and not variable.numbers.edges:
        names.refuse("NotBanded", f"{variable.name} has no declared bins, which {statistic.name} needs.", path)
        return False
    return True


def _codes_fit(measure: Measure, statistic: Statistic, found: Subject, names: Names) -> bool:
    before, path = len(names.problems), f"{measure.path}.codes"
    names.atoms(measure.codes, found, path)
    if len(names.problems) > before:
        return False
    if statistic.takes is Takes.MEASURE_AND_GROUPS:
        if len(set(measure.codes)) != 2 or len(measure.codes) != 2:
            names.refuse("InvalidValue", "A gap is between two codes: the first minus the second.", path)
    elif measure.codes and len(set(measure.codes)) >= len(found.codes):
        names.refuse("InvalidValue", "All codes together are always 100 %.", path)
    elif statistic.name == "distinct" and found.banding is not None:
        names.refuse(
            "InvalidValue",
            f"Distinct codes are of a variable. Accepted: {found.named.name} itself.",
            f"{measure.path}.variable",
        )
    return len(names.problems) == before


def _compared(measure: Measure, statistic: Statistic, context: Context) -> tuple[Part, ...]:
    wanted = 2 if statistic.takes is Takes.TWO_MEASURES else 1
    if len(measure.of) != wanted:
        context.names.refuse("InvalidValue", f"{statistic.name} is of {wanted} measure(s).", f"{measure.path}.of")
        return ()
    found = []
    for inner in measure.of:
        part = read_measure(inner, context)
        if part is not None and _comparable(part, statistic, inner.path, context.names):
            found.append(part)
    return tuple(found)


def _comparable(part: Part, statistic: Statistic, path: str, names: Names) -> bool:
    """What has one way to its interval, by redrawn noise, and no groupings of its own."""
    plain = part.statistic.estimate is None and part.statistic.takes not in _COMPARED
    single = len(part.statistic.outputs(part.subject)) == 1
    if plain and (single or statistic.takes is not Takes.TWO_MEASURES):
        return True
    message = f"{statistic.name} does not take {part.statistic.name}: wants a count, sum, mean, share or the like."
    names.refuse("InvalidValue", message, f"{path}.statistic")
    return False


def _between(subject: Subject, context: Context) -> tuple[Axis, ...]:
    axis = axis_of(subject, context.predicate, context.names)
    path = f"{subject.measure.path}.codes"
    shown = {code.code for code in axis.codes}
    if any(code not in shown for code in subject.measure.codes):
        context.names.refuse("CriteriaSelectNobody", "The criteria leave one of the two groups out.", path)
    _refuse_grouped((axis,), f"{subject.measure.path}.variable", context)
    return (axis,)


def _refuse_grouped(axes: Sequence[Axis], path: str, context: Context) -> None:
    grouped = {axis.variable.name for axis in context.axes}
    for axis in axes:
        if axis.variable.name in grouped:
            message = f"{axis.variable.name} is in groupBy: within one of its groups there is nothing to compare."
            context.names.refuse("RepeatedGroup", message, path)


def _explained(subject: Subject, statistic: Statistic, context: Context) -> Subject:
    """The subject with its terms, and with the groupings that they need."""
    measure, before = subject.measure, len(context.names.problems)
    if len(measure.terms) > MOST_TERMS or len(set(measure.terms)) < len(measure.terms):
        message = f"Wants 1 to {MOST_TERMS} different terms."
        context.names.refuse("InvalidValue", message, f"{measure.path}.terms")
        return subject
    paths = [f"{measure.path}.terms[{i}]" for i in range(len(measure.terms))]
    terms = [_term(t, subject, statistic, p, context) for t, p in zip(measure.terms, paths, strict=True)]
    _refuse_without_main(measure.terms, paths, context)
    if len(context.names.problems) > before:
        return subject
    known = tuple(term for term in terms if term is not None)
    axes = {axis.reference: axis for term in known for axis in term.axes}
    for reference, axis in axes.items():
        _refuse_grouped((axis,), f"{measure.path}.terms", context)
        if axis.variable.name == subject.named.name:
            context.names.refuse("InvalidValue", f"{reference} is what is explained.", f"{measure.path}.terms")
    _refuse_overlap(list(axes.values()), f"{measure.path}.terms", context)
    _refuse_repeated(known, f"{measure.path}.terms", context)
    _refuse_wide(known, f"{measure.path}.terms", context)
    if statistic.takes is Takes.NUMBER_AND_TERMS:
        _refuse_left_out(known, f"{measure.path}.terms", context)
    return replace(subject, terms=known, axes=tuple(axes[r] for r in sorted(axes)))


def _refuse_without_main(terms: Sequence[str], paths: Sequence[str], context: Context) -> None:
    for term, path in zip(terms, paths, strict=True):
        lacking = [part for part in term.split(":") if part not in terms]
        if lacking:
            context.names.refuse("InvalidValue", f"An interaction wants its parts as terms too: {lacking[0]}.", path)


def _refuse_overlap(axes: Sequence[Axis], path: str, context: Context) -> None:
    if len({axis.variable.name for axis in axes}) < len(axes):
        context.names.refuse("RepeatedGroup", "Two terms are groupings of one variable.", path)


def _refuse_repeated(terms: Sequence[Term], path: str, context: Context) -> None:
    """One term under two names or in two orders would be columns that are the same."""
    parts = [
        [*([t.number.name] if t.number else []), *(axis.reference for axis in t.axes if axis.variable is not t.number)]
        for t in terms
    ]
    if len({frozenset(each) for each in parts}) < len(parts) or any(len(set(each)) < len(each) for each in parts):
        context.names.refuse("InvalidValue", "Two terms, or two parts of an interaction, are the same.", path)


def _refuse_wide(terms: Sequence[Term], path: str, context: Context) -> None:
    columns = 1 + sum(prod(len(a.codes) - 1 for a in t.axes if a.variable is not t.number) for t in terms)
    if columns > MOST_COLUMNS:
        message = f"The model would have {columns} coefficients; at most {MOST_COLUMNS}. Take fewer terms or bands."
        context.names.refuse("TooManyCells", message, path)


def _refuse_left_out(terms: Sequence[Term], path: str, context: Context) -> None:
    """Sums that are not split by a grouping count rows without a code too, unless such a row lacks a number anyway."""
    present = wanted_present(*(term.number for term in terms if term.number is not None))
    for reference, axis in {axis.reference: axis for term in terms for axis in term.axes}.items():
        without = left_out(axis, context.predicate, context.names)
        if axis.variable.name in present:
            without.discard(len(axis.variable.atoms) - 1)
        if without:
            message = f"Some rows have no code of {reference}; leave them out by criteria."
            context.names.refuse("InvalidValue", message, path)


def _term(text: str, subject: Subject, statistic: Statistic, path: str, context: Context) -> Term | None:
    """ "score", "sex", "score:sex": numbers are slopes, groupings are sets of codes; at most one number in a term."""
    factors = text.split(":")
    found = [_factor(factor, statistic, path, context) for factor in factors]
    if any(each is None for each in found) or len(factors) > 2:
        if len(factors) > 2:
            context.names.refuse("InvalidValue", "An interaction is of two.", path)
        return None
    known = [each for each in found if each is not None]
    numbers = [each.number for each in known if each.number is not None]
    if len(numbers) > 1:
        context.names.refuse("InvalidValue", "An interaction has at most one number; use bands of the other.", path)
        return None
    if numbers and numbers[0] == subject.variable:
        context.names.refuse("InvalidValue", f"{numbers[0].name} is what is explained.", path)
    return Term(text, numbers[0] if numbers else None, tuple(axis for each in known for axis in each.axes))


def _factor(reference: str, statistic: Statistic, path: str, context: Context) -> Term | None:
    found = context.names.variable(reference, path)
    if found is None:
        return None
    is_number = found.named.numbers is not None and found.banding is None and not reference.endswith(".bin")
    if is_number and statistic.takes is Takes.NUMBER_AND_TERMS:
        return Term(reference, found.named, ())
    grouped = context.names.domain(reference, path)
    if grouped is None:
        return None
    axis = axis_of(grouped, context.predicate, context.names)
    if len(axis.codes) < 2:
        context.names.refuse("CriteriaSelectNobody", f"The criteria leave fewer than two groups of {reference}.", path)
        return None
    return Term(reference, found.named if is_number else None, (axis,))
