"""A model of a hosted data set: fitted once, charged to the cut's ledger before anything is counted, and stored.

A fit is one measurement to the ledger, with one price: the fit's whole ρ. Its release is the model itself, so that
asking again with the same columns, criteria, ρ, settings and version of the cut gives the stored one for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue import DataSet
from datasets.derive.expression import names
from datasets.plan import EngineFailed
from datasets.query import InvalidQuery, Problem
from disclosure.accounting import LEAST_PRICE, NANO, Event, rho
from disclosure.policy import Mode
from disclosure.tables import Measurement
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import (
    MODEL,
    BudgetExhausted,
    InProgress,
    Ledger,
    Principal,
    Project,
    Request,
    Reserved,
    Wanted,
)
from privacy_api.service.answer_query import refuse_frozen
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.project_terms import held_to
from privacy_api.service.refusals import ledger_errors
from privacy_api.service.services import Services
from privacy_api.service.synthetic_counter import HostedCounter, Wish
from privacy_api.service.synthetic_rules import is_worked_out
from synthetic.drawn.file import ModelFile, Origin, plain, read, written
from synthetic.folder import MODEL as MODEL_FILE
from synthetic.model import Model, fit
from synthetic.model.artefact import FORMAT
from synthetic.tiers import Tier

MECHANISM = "synthetic_fit"
"""In the ledger: discrete Gaussian margins and choices by noisy maximum, together ρ-zCDP for one pupil with one row."""
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FittedModel:
    """body: the model's file (`synthetic.drawn.file`). nano_rho: what this request was charged; 0 if it was there."""

    release: str
    body: str
    nano_rho: int


def fit_model(
    wish: Wish, hosted: HostedDataSet, principal: Principal, services: Services, told: Told = lambda *_: None
) -> FittedModel:
    """Raises ApiError: what is asked for is refused before the charge; after it, the charge stands."""
    refuse_frozen(hosted)
    try:
        wish = _by_reference(wish, hosted.data_set.levels)
        _refuse(wish, hosted, principal.project)
        counter = HostedCounter(hosted, wish, principal.project, hosted.cut.engine)
    except InvalidQuery as invalid:
        raise ApiError(ErrorCode.INVALID_QUERY, invalid.problems) from None
    try:
        with ledger_errors(services):
            return _stored_or_fitted(wish, hosted, principal, counter, services, told)
    except BudgetExhausted as refused:
        left = (
            f"The budget of the {refused.scope} has {refused.balance.left} nano-rho left; {wish.nano_rho} are wanted."
        )
        raise ApiError(ErrorCode.BUDGET_EXHAUSTED, detail=left) from None


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
                counter,
                counter.domain,
                wish.nano_rho / NANO,
                settings=wish.settings,
                zeros=counter.zeros,
                noise=services.noise,
                told=told,
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
        title=plain(hosted.data_set.title) or hosted.data_set.id,
        population=counter.told,
        fitted=now,
        nano_rho=reserved.nano_rho,
        delta=hosted.cut.policy.delta,
    )
    columns = tuple(counter.columns[name] for name in counter.domain.names)
    return written(ModelFile(origin, columns, counter.empty, model, counter.derived))


def is_paid(folder: Path, tier: Tier, ledger: Ledger) -> bool:
    """Whether the model behind a T3 release is, byte for byte, one that this service fitted and charged.

    Raises LedgerBroken."""
    if tier is not Tier.PRIVATE:
        return True
    ledger.verify()
    text = (folder / MODEL_FILE).read_bytes()
    stored = ledger.release(read(text.decode()).origin.release)
    return stored is not None and stored.body == text


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
    problems += (p for name in wish.columns for p in _worked_out(hosted.data_set, name))
    if problems:
        raise InvalidQuery(tuple(problems))


def _worked_out(data_set: DataSet, name: str) -> Iterator[Problem]:
    variable = data_set.by_name.get(name.partition(".")[0])
    if variable is not None and variable.derived is not None and is_worked_out(variable, data_set):
        made_of = ", ".join(sorted(names(variable.derived)))
        told = f"{variable.name} is worked out from {made_of}, not modelled: leave it out, and take those."
        yield Problem("InvalidValue", told, "columns")


def _by_reference(wish: Wish, levels: Mapping[str, str]) -> Wish:
    """Geographic levels as what carries them. Raises InvalidQuery where a rule has one column twice, so named."""
    for place, one in enumerate(wish.impossible):
        if len({levels.get(name, name) for name in one}) != len(one):
            told = "Names one column twice, as a level and as what carries it."
            raise InvalidQuery((Problem("InvalidValue", told, f"impossible[{place}]"),))
    return replace(
        wish,
        columns=tuple(levels.get(name, name) for name in wish.columns),
        impossible=tuple({levels.get(name, name): codes for name, codes in one.items()} for one in wish.impossible),
    )


def _record(wish: Wish, hosted: HostedDataSet, counter: HostedCounter) -> dict[str, Any]:
    """What makes a fit the same: all of it public."""
    return {
        "format": FORMAT,
        "file": 3,
        "cut": hosted.cut.id,
        "dataSet": hosted.data_set.id,
        "columns": {name: list(codes) for name, codes in counter.codes.items()},
        "impossible": [list(zero.of) for zero in counter.zeros],
        "population": counter.population,
        "nanoRho": wish.nano_rho,
        "settings": asdict(wish.settings),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
