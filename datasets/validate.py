"""Query × data set × grants → ValidQuery, or every problem at once. Pure, and a function of public things only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets.catalogue import DataSet
from datasets.contribution import contribution, one_row_each
from datasets.criteria import predicate_of
from datasets.names import Names, some
from datasets.plan import Axis, Plan
from datasets.predicate import Predicate
from datasets.query import InvalidQuery, Measure, Query
from datasets.statistics import STATISTICS, Statistic, Subject, Takes
from disclosure.aggregates import Aggregate, Count, DistinctCount, as_json, bins_of


@dataclass(frozen=True, slots=True)
class Limits:
    """Public limits of a request. cells: numbers in all aggregates together, and in the answer."""

    cells: int
    group_by: int
    measures: int = 20
    probabilities: int = 99


@dataclass(frozen=True, slots=True)
class ValidMeasure:
    """aggregates: what is measured for it, in the order of the recipe's needs."""

    subject: Subject
    statistic: Statistic
    aggregates: tuple[Aggregate, ...]

    @property
    def id(self) -> str:
        return self.subject.measure.id


@dataclass(frozen=True, slots=True)
class ValidQuery:
    """A question that may be asked. ``order[i]``: the place in ``plan.axes`` of the i-th grouping asked for.

    The plan is canonical, so that the order of asking changes nothing that is measured.
    """

    query: Query
    plan: Plan
    order: tuple[int, ...]
    measures: tuple[ValidMeasure, ...]


def validate(query: Query, data_set: DataSet, grants: frozenset[str], limits: Limits) -> ValidQuery:
    """Raises InvalidQuery with all problems found."""
    names = Names(data_set)
    predicate = predicate_of(query.criteria, names)
    asked = _axes(query.group_by, predicate, names, limits)
    measures = _measures(query.measures, names, limits)
    names.check_grants(grants)
    if names.problems:
        raise InvalidQuery(tuple(names.problems))
    ranked = sorted(range(len(asked)), key=lambda i: (data_set.domain.index(asked[i].variable), asked[i].groups))
    axes = tuple(asked[i] for i in ranked)
    aggregates = tuple(sorted({a for m in measures for a in m.aggregates}, key=lambda a: str(as_json(a))))
    plan = Plan(data_set, predicate, axes, aggregates, contribution(data_set, predicate, axes))
    _check_size(plan, measures, names, limits)
    return ValidQuery(query, plan, tuple(ranked.index(i) for i in range(len(asked))), measures)


def _check_size(plan: Plan, measures: Sequence[ValidMeasure], names: Names, limits: Limits) -> None:
    """What is measured, and what is shown: both are bounded."""
    shown = sum(len(m.statistic.outputs(m.subject)) for m in measures)
    numbers = plan.cells * max(shown, sum(bins_of(a) for a in plan.aggregates))
    if numbers > limits.cells:
        message = (
            f"The answer would have {numbers} numbers; at most {limits.cells} are given. Group by less or coarser."
        )
        names.refuse("TooManyCells", message, "groupBy")
        raise InvalidQuery(tuple(names.problems))


def _axes(references: Sequence[str], predicate: Predicate, names: Names, limits: Limits) -> list[Axis]:
    if len(references) > limits.group_by:
        names.refuse("TooManyGroups", f"Wants at most {limits.group_by} groupings.", "groupBy")
        return []
    subjects = [names.domain(reference, f"groupBy[{i}]") for i, reference in enumerate(references)]
    axes = [_axis(s, predicate, names.data_set) for s in subjects if s is not None]
    for axis in axes:
        if not axis.codes:
            names.refuse("CriteriaSelectNobody", f"No group of {axis.reference} could meet the criteria.", "groupBy")
    if len({(a.variable.name, a.groups) for a in axes}) < len(axes):
        names.refuse("RepeatedGroup", "Two groupings are the same.", "groupBy")
    return axes


def _axis(subject: Subject, predicate: Predicate, data_set: DataSet) -> Axis:
    """Only codes that the criteria can admit are keys: that is public, and no noise is spent on the impossible."""
    variable, banding = subject.named, subject.banding
    admitted = predicate.admitted(data_set.domain.index(variable))
    codes, groups = subject.codes, subject.groups
    shown = [i for i, group in enumerate(groups) if any(admitted >> atom & 1 for atom in group)]
    return Axis(
        reference=f"{variable.name}.{banding.name}" if banding else variable.name,
        variable=variable,
        column=variable.stored_banding(banding) if banding else variable.stored_atoms,
        codes=tuple(codes[i] for i in shown),
        positions=tuple(shown),
        groups=tuple(groups[i] for i in shown),
    )


def _measures(measures: Sequence[Measure], names: Names, limits: Limits) -> tuple[ValidMeasure, ...]:
    if not 1 <= len(measures) <= limits.measures:
        names.refuse("RequiredValue", f"Wants 1 to {limits.measures} measures.", "measures")
        return ()
    if len({m.id for m in measures}) < len(measures):
        names.refuse("InvalidValue", "Two measures have the same id.", "measures")
    return tuple(v for v in (_measure(m, names, limits) for m in measures) if v is not None)


def _measure(measure: Measure, names: Names, limits: Limits) -> ValidMeasure | None:
    statistic = STATISTICS.get(measure.statistic)
    if statistic is None:
        path = f"{measure.path}.statistic"
        names.refuse("StatisticNotFound", f"No such statistic. Accepted: {', '.join(STATISTICS)}.", path)
        return None
    if not _parts_fit(measure, statistic, names, limits):
        return None
    subject = _subject(measure, statistic, names)
    if subject is None:
        return None
    aggregates = tuple(_as_measured(a, names.data_set) for a in statistic.needs(subject))
    return ValidMeasure(subject, statistic, aggregates)


def _as_measured(aggregate: Aggregate, data_set: DataSet) -> Aggregate:
    """Where each row is one pupil, pupils and rows are one question."""
    return Count() if isinstance(aggregate, DistinctCount) and one_row_each(data_set) else aggregate


def _parts_fit(measure: Measure, statistic: Statistic, names: Names, limits: Limits) -> bool:
    """The measure has the parts that its statistic wants, and no others."""
    before = len(names.problems)
    wants = {
        "variable": (statistic.takes is not Takes.ROWS, measure.variable is not None, "a variable"),
        "codes": (statistic.takes is Takes.DOMAIN_AND_CODES, bool(measure.codes), "codes"),
        "probabilities": (statistic.name == "quantile", bool(measure.probabilities), "probabilities"),
    }
    for part, (wanted, given, what) in wants.items():
        if wanted != given:
            message = (
                f"{statistic.name} {'wants' if wanted else 'takes no'} {what.removeprefix('' if wanted else 'a ')}."
            )
            names.refuse("InvalidValue", message, f"{measure.path}.{part}")
    if len(measure.probabilities) > limits.probabilities or any(not 0 < p < 1 for p in measure.probabilities):
        message = f"Wants 1 to {limits.probabilities} probabilities above 0 and below 1."
        names.refuse("InvalidValue", message, f"{measure.path}.probabilities")
    return len(names.problems) == before


def _subject(measure: Measure, statistic: Statistic, names: Names) -> Subject | None:
    path, reference = f"{measure.path}.variable", measure.variable or ""
    match statistic.takes:
        case Takes.ROWS:
            return Subject(measure)
        case Takes.NUMBER | Takes.BINNED_NUMBER:
            found = names.variable(reference, path)
            fits = found is None or _is_number(found, statistic, names, path)
        case Takes.DOMAIN | Takes.DOMAIN_AND_CODES:
            found = names.domain(reference, path)
            fits = found is None or _codes_fit(measure, found, names)
    return replace(found, measure=measure) if found is not None and fits else None


def _is_number(found: Subject, statistic: Statistic, names: Names, path: str) -> bool:
    variable = found.named
    if variable.numbers is None or found.banding is not None:
        accepted = [v.name for v in names.data_set.variables if v.numbers]
        names.refuse("NotANumber", f"{statistic.name} wants a number. Accepted: {some(accepted) or 'none'}.", path)
        return False
    if statistic.takes is Takes.BINNED_NUMBER and variable.needs_banding:
        names.refuse("BandingRequired", f"{variable.name} is used only in bands, which {statistic.name} is not.", path)
        return False
    if statistic.takes is Takes.BINNED_NUMBER and not variable.numbers.edges:
        names.refuse("NotBanded", f"{variable.name} has no declared bins, which {statistic.name} needs.", path)
        return False
    return True


def _codes_fit(measure: Measure, found: Subject, names: Names) -> bool:
    before, path = len(names.problems), f"{measure.path}.codes"
    names.atoms(measure.codes, found, path)
    if len(names.problems) == before and len(set(measure.codes)) >= len(found.codes):
        names.refuse("InvalidValue", "All codes together are always 100 %.", path)
    return len(names.problems) == before
