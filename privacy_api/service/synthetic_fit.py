"""A model of a hosted data set: fitted once, charged to the cut's ledger before anything is counted, and stored.

A fit is one measurement to the ledger, with one price: the fit's whole ρ. Its release is the model itself, so that
asking again with the same columns, criteria, ρ, settings and version of the cut gives the stored one for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from datasets.plan import Axis, EngineFailed
from datasets.query import Criteria, InvalidQuery, Measure, Problem, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.accounting import LEAST_PRICE, NANO, Event, rho
from disclosure.aggregates import Count
from disclosure.policy import Mode
from disclosure.sensitivity import l2_squared
from disclosure.tables import Measurement
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import (
    MODEL,
    BudgetExhausted,
    Engine,
    InProgress,
    LedgerBroken,
    Outdated,
    Principal,
    Project,
    Request,
    Reserved,
    Suspended,
    Wanted,
)
from privacy_api.service.answer_query import refuse_frozen
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import population
from privacy_api.service.identity import suspended
from privacy_api.service.project_terms import held_to, scope_in
from privacy_api.service.services import Services
from synthetic.drawn.file import MOST, ModelFile, Origin, column_name, written
from synthetic.fidelity.margins import Variable
from synthetic.model import Clique, Domain, Model, Settings, fit
from synthetic.model.artefact import FORMAT

MECHANISM = "synthetic_fit"
"""In the ledger: discrete Gaussian margins and choices by noisy maximum, together ρ-zCDP for one pupil with one row."""
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """columns: variables, bandings or geographic levels, as a query would group by them. nano_rho: the price of
    the whole fit."""

    columns: tuple[str, ...]
    criteria: Criteria | None
    nano_rho: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class FittedModel:
    """body: the model's file (`synthetic.drawn.file`). nano_rho: what this request was charged; 0 if it was there."""

    release: str
    body: str
    nano_rho: int


class HostedCounter:
    """The port `synthetic.model.Counter` on a hosted data set: question, valid question, plan, engine.

    Raises InvalidQuery for columns that cannot be counted so, before anything is counted.
    """

    def __init__(self, hosted: HostedDataSet, wish: Wish, project: Project, engine: Engine) -> None:
        self._hosted, self._wish, self._grants, self._engine = hosted, wish, project.grants, engine
        self._scope = scope_in(hosted, project)
        alone = {name: self._valid((name,)) for name in wish.columns}
        for index, (name, valid) in enumerate(alone.items()):
            _refuse_holes(valid, name, f"columns[{index}]")
        self.population = next(iter(alone.values())).predicate.canonical()
        self.told = _in_words(population(next(iter(alone.values()))))
        self.columns = {name: _column(name, alone[name].layouts[0].axes[0]) for name in alone}
        self.codes = {name: column.codes for name, column in self.columns.items()}
        order = {v.name: place for place, v in enumerate(hosted.data_set.domain)}
        names = sorted(alone, key=lambda name: (order[name.partition(".")[0]], alone[name].layouts[0].axes[0].groups))
        self.domain = Domain(names, (len(self.codes[name]) for name in names))

    def count_cells(self, clique: Clique, domain: Domain) -> Any:
        valid = self._valid(clique)
        table = self._engine.aggregate(valid.plan(0, [Count()]))
        return np.array(table[Count()]).reshape(domain.shape(clique))

    def _valid(self, clique: Clique) -> ValidQuery:
        query = Query(self._hosted.data_set.id, (Measure("n", "count"),), clique, self._wish.criteria)
        largest = max(self._wish.settings.largest, 1 << 16)
        limits = Limits(largest, self._wish.settings.width)
        valid = validate(query, self._hosted.data_set, self._grants, limits, scope=self._scope)
        if l2_squared(Count(), valid.layouts[0].contribution) != 1:
            message = "A pupil may have more than one row here: add criteria that leave one, such as one period."
            raise InvalidQuery((Problem("ManyRows", message, "criteria"),))
        return valid


def fit_model(
    wish: Wish, hosted: HostedDataSet, principal: Principal, services: Services, told: Told = lambda *_: None
) -> FittedModel:
    """Raises ApiError: what is asked for is refused before the charge; after it, the charge stands."""
    refuse_frozen(hosted)
    wish = replace(wish, columns=tuple(hosted.data_set.levels.get(name, name) for name in wish.columns))
    try:
        _refuse(wish, hosted, principal.project)
        counter = HostedCounter(hosted, wish, principal.project, hosted.cut.engine)
    except InvalidQuery as invalid:
        raise ApiError(ErrorCode.INVALID_QUERY, invalid.problems) from None
    try:
        return _stored_or_fitted(wish, hosted, principal, counter, services, told)
    except BudgetExhausted as refused:
        left = (
            f"The budget of the {refused.scope} has {refused.balance.left} nano-rho left; {wish.nano_rho} are wanted."
        )
        raise ApiError(ErrorCode.BUDGET_EXHAUSTED, detail=left) from None
    except Suspended as found:
        raise suspended(found) from None
    except InProgress:
        raise ApiError(ErrorCode.IN_PROGRESS, retry_after=5) from None
    except Outdated:
        services.outdated()
        raise ApiError(ErrorCode.IN_PROGRESS, retry_after=1) from None
    except LedgerBroken:
        raise ApiError(ErrorCode.LEDGER_UNAVAILABLE) from None


def _stored_or_fitted(
    wish: Wish, hosted: HostedDataSet, principal: Principal, counter: HostedCounter, services: Services, told: Told
) -> FittedModel:
    """Under the terms of the cut that hold now, as any question."""
    record, cut = _record(wish, hosted, counter), hosted.cut
    release = MODEL + _digest(record)[:32]
    if stored := services.ledger.release(release, cut.terms):
        return FittedModel(release, stored.body.decode(), 0)
    event = Event(MECHANISM, 1, wish.nano_rho, _digest(["question", record]))
    text = json.dumps(record, sort_keys=True)
    reserved = services.ledger.reserve(
        Request(principal, cut.account, cut.cap, release, text, (Wanted(event),), terms=cut.terms)
    )
    if reserved.charge is None:  # somebody else has just had it fitted: nothing is counted without a charge
        raise InProgress
    return _fitted(wish, hosted, counter, reserved, services, told)


def _fitted(
    wish: Wish, hosted: HostedDataSet, counter: HostedCounter, reserved: Reserved, services: Services, told: Told
) -> FittedModel:
    """From here on the charge stands: whatever happens, it is recorded and never given back."""
    question = reserved.request.wanted[0].question
    try:
        with services.ledger.held(reserved):
            model = fit(
                counter, counter.domain, wish.nano_rho / NANO, settings=wish.settings, noise=services.noise, told=told
            )
        body = _file(model, hosted, counter, reserved, services.now())
        stored = services.ledger.store(reserved, {question: _measurement(model)}, body.encode())
        return FittedModel(stored.id, stored.body.decode(), reserved.nano_rho)
    except EngineFailed:
        services.ledger.fail(reserved)
        raise ApiError(ErrorCode.QUERY_FAILED) from None
    except BaseException:
        services.ledger.fail(reserved)
        raise


def _file(model: Model, hosted: HostedDataSet, counter: HostedCounter, reserved: Reserved, now: str) -> str:
    """The model's file: of public facts beside the noisy ones."""
    origin = Origin(
        release=reserved.request.release,
        cut=hosted.cut.id,
        data_set=hosted.data_set.id,
        title=hosted.data_set.title,
        population=counter.told,
        fitted=now,
        nano_rho=reserved.nano_rho,
        delta=hosted.cut.policy.delta,
    )
    return written(ModelFile(origin, tuple(counter.columns[name] for name in counter.domain.names), model))


def _column(reference: str, axis: Axis) -> Variable:
    banding = axis.variable.banding(reference.partition(".")[2])
    label = f"{axis.variable.label}: {banding.label}" if banding else axis.variable.label
    return Variable(
        column_name(reference), label, tuple(c.code for c in axis.codes), tuple(c.label or c.code for c in axis.codes)
    )


def _in_words(alternatives: list[dict[str, list[str]]]) -> str:
    """Which rows, by the codes that the criteria leave: a long list by its number alone."""
    several = [" and ".join(f"{name} {_listed(codes)}" for name, codes in each.items()) for each in alternatives]
    return (" or ".join(several) or "all")[:MOST]


def _listed(codes: list[str]) -> str:
    return ", ".join(codes) if len(codes) <= 6 else f"in {len(codes)} codes"


def _measurement(model: Model) -> Measurement:
    """What the ledger keeps beside the model: its first margin, a noisy table of one column."""
    first = model.measured[0]
    values = first.counts.reshape(-1, 1)
    return Measurement(values, first.sigma, np.zeros(values.shape, dtype=np.bool_))


def _refuse(wish: Wish, hosted: HostedDataSet, project: Project) -> None:
    """By the policy, by how the project is held, and by the wish alone."""
    policy = hosted.cut.policy
    problems = []
    if held_to(hosted, project).cut.policy.shown_coarser:
        told = "This project is shown rounded numbers only, and a model has numbers that are not."
        problems.append(Problem("NotOffered", told, "dataSet"))
    if policy.mode is not Mode.DP or not policy.model_cap:
        problems.append(Problem("NotOffered", "The policy of the cut lets no model be fitted.", "dataSet"))
    elif not LEAST_PRICE * 100 <= wish.nano_rho <= policy.model_cap:
        most = f"Wants rho from {rho(LEAST_PRICE * 100):f} to {rho(policy.model_cap):f}, which the policy sets."
        problems.append(Problem("PriceOutOfRange", most, "rho"))
    if not 1 <= len(wish.columns) <= 64 or len(set(wish.columns)) != len(wish.columns):
        problems.append(Problem("InvalidValue", "Wants 1 to 64 different columns.", "columns"))
    if len({name.partition(".")[0] for name in wish.columns}) != len(wish.columns):
        problems.append(Problem("InvalidValue", "Wants each variable once, by itself or by a banding.", "columns"))
    if derived := [n for n in wish.columns if _is_derived(hosted, n)]:
        message = f"Derived variables are worked out afterwards, not modelled: leave out {', '.join(derived)}."
        problems.append(Problem("InvalidValue", message, "columns"))
    if problems:
        raise InvalidQuery(tuple(problems))


def _is_derived(hosted: HostedDataSet, name: str) -> bool:
    variable = hosted.data_set.by_name.get(name.partition(".")[0])
    return variable is not None and variable.derived is not None


def _refuse_holes(valid: ValidQuery, name: str, path: str) -> None:
    """Each pupil must be in a cell of every table, or tables would not add up to the same pupils."""
    axis = valid.layouts[0].axes[0]
    covered = sum(1 << atom for group in axis.groups for atom in group)
    admitted = valid.predicate.admitted(valid.data_set.domain.index(axis.variable))
    if admitted & ~covered:
        message = f"{name} leaves some codes in no band: take the variable itself, or another banding."
        raise InvalidQuery((Problem("InvalidValue", message, path),))


def _record(wish: Wish, hosted: HostedDataSet, counter: HostedCounter) -> dict[str, Any]:
    """What makes a fit the same: all of it public."""
    return {
        "format": FORMAT,
        "file": 2,
        "cut": hosted.cut.id,
        "dataSet": hosted.data_set.id,
        "columns": {name: list(codes) for name, codes in counter.codes.items()},
        "population": counter.population,
        "nanoRho": wish.nano_rho,
        "settings": asdict(wish.settings),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
