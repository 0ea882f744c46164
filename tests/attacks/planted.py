"""Builds with one bug each, and the detector that must catch it. Each bug is a thin wrapper around real parts.

The table `PLANTED` at the end holds every bug of the project's list of attacks, and more; `test_planted_bugs.py` runs
every detector on the real build, which must pass, and on its bug, which must not.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlglot import exp

from datasets.answer import Answer, finish
from datasets.contribution import contribution
from datasets.known import Measured
from datasets.plan import Plan
from datasets.sql import _from_origin as from_origin
from datasets.sql import _total as summed
from datasets.validate import ValidQuery
from disclosure.aggregates import Aggregate, Count, Sum, contributors
from disclosure.noise import NoiseSource, add_noise
from disclosure.policy import Policy
from disclosure.protect import protect
from disclosure.sensitivity import Contribution, reach
from disclosure.tables import ExactTable, Integers, Noise
from privacy_api.ports import Engine, Request, Reserved, StoredRelease
from privacy_api.service import document
from privacy_api.service.cuts import HostedCut
from privacy_api.service.questions import Priced, priced
from privacy_api.stores.caps import refuse_overspending
from privacy_api.stores.database import reading
from privacy_api.stores.ledger import SqlLedger
from tests.attacks import detectors
from tests.attacks.builds import Build


def quarter(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
    """The noise of sixteen times the price."""
    return add_noise(values, distance, 16 * nano_rho, law=law)


def one_row_too_few(*given: Any) -> Contribution:
    """Off by one in the rows that a pupil may have."""
    claimed = contribution(*given)
    return replace(claimed, blocks=tuple(max(1, rows - 1) for rows in claimed.blocks))


def half_a_bound(aggregate: Aggregate) -> int:
    """The sensitivity of half the clamp bounds."""
    return reach(aggregate) // 2 if isinstance(aggregate, Sum) else reach(aggregate)


class Noting:
    """An engine that remembers the last table it gave, as no engine should."""

    def __init__(self) -> None:
        self.last: ExactTable | None = None

    def __call__(self, inner: Engine) -> Engine:
        self._inner = inner
        return self

    def aggregate(self, plan: Plan) -> ExactTable:
        self.last = self._inner.aggregate(plan)
        return self.last

    def close(self) -> None:
        self._inner.close()


def keys_from_data() -> Build:
    """Only cells in which somebody is are shown."""
    noting, real = Noting(), document.rows

    def rows(*given: Any) -> Any:
        assert noting.last is not None
        counts = noting.last[Count()][:, 0]
        return (row for row, count in zip(real(*given), counts, strict=True) if count)

    return Build(engine=noting, patches={"privacy_api.service.document.rows": rows})


def suppression_on_truth() -> Build:
    """Cells are hidden by their true count, and shown whatever the noise made of them."""

    def masking(exact: ExactTable, prices: Any, who: Contribution, policy: Policy, noise: NoiseSource) -> Any:
        table = protect(exact, prices, who, policy, noise)
        return {
            a: replace(m, masked=np.broadcast_to(exact[contributors(a)] < policy.minimum_count, m.values.shape))
            for a, m in table.items()
        }

    def showing(valid: ValidQuery, measured: Measured, policy: Policy) -> Answer:
        return finish(valid, measured, replace(policy, minimum_count=0))

    place = "privacy_api.service.answer_query"
    return Build(patches={f"{place}.protect": masking, f"{place}.finish": showing})


class ChecksThenCharges(SqlLedger):
    """Looks whether there is budget, and charges a moment later without looking again."""

    def reserve(self, request: Request) -> Reserved:
        cost = sum(wanted.event.nano_rho for wanted in request.wanted)
        with reading(self._engine) as connection:
            refuse_overspending(connection, self._tail(connection, request), request, cost, self._clock())
        time.sleep(0.02)
        return super().reserve(replace(request, cut_cap=2**60))


class BudgetPerAccount(SqlLedger):
    def reserve(self, request: Request) -> Reserved:
        return super().reserve(replace(request, cut=f"{request.cut}:{request.principal.project.id}"))


class ChargesNothing(SqlLedger):
    def reserve(self, request: Request) -> Reserved:
        free = tuple(replace(each, event=replace(each.event, nano_rho=0)) for each in request.wanted)
        reserved = super().reserve(replace(request, wanted=free))
        missing = {each.question for each in reserved.missing}
        return replace(reserved, missing=tuple(each for each in request.wanted if each.question in missing))


class ChargesAfterwards(SqlLedger):
    def reserve(self, request: Request) -> Reserved:
        missing = self.missing(request.cut, request.wanted)
        return Reserved(request, None, sum(each.event.nano_rho for each in missing), {}, missing)

    def store(self, reserved: Reserved, measured: Any, body: bytes, table: Any = None) -> StoredRelease:
        return super().store(super().reserve(reserved.request), measured, body, table)


def keyed_on_text(valid: ValidQuery, cut: HostedCut, table: Any) -> Priced:
    """Questions are told apart by how they were written."""
    written, price = repr(valid.query.criteria), priced(valid, cut, table)
    events = {
        q: replace(e, question=hashlib.sha256((e.question + written).encode()).hexdigest())
        for q, e in price.events.items()
    }
    return replace(price, events=events)


def keyed_on_records(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
    """Equal records get equal noise, as a cell key gives it."""
    seed = int.from_bytes(hashlib.sha256(values.tobytes()).digest())
    scale = math.sqrt(distance * 1e9 / (2 * nano_rho))
    return values + np.rint(np.random.default_rng(seed).normal(0, scale, values.shape)).astype(np.int64)


def coalesced(part: Sum) -> exp.Expr:
    """A missing value becomes the lower bound, as it does where LEAST and GREATEST leave NULL out."""
    bound = exp.Literal.number(part.origin - part.lower)
    return exp.Coalesce(this=from_origin(part), expressions=[exp.Neg(this=bound)])


def unguarded(value: exp.Expr, present: Sequence[str]) -> exp.Expr:
    """Sums of numbers over all rows; rows are still counted where there is a value."""
    if isinstance(value, exp.Literal):
        return summed(value, present)
    total = exp.cast(exp.Sum(this=value), exp.DataType.Type.BIGINT)
    return exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])


class Slow:
    """0.3 ms more where the only child with need k is there."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner

    def aggregate(self, plan: Plan) -> ExactTable:
        exact = self._inner.aggregate(plan)
        until = time.perf_counter() + 0.0003 * (exact[Count()].sum() % 2)
        while time.perf_counter() < until:
            pass
        return exact

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True)
class Bug:
    """words: what the detector says when it catches this, and not when something else is wrong."""

    build: Callable[[], Build]
    detector: detectors.Detector
    words: str


PLANTED: dict[str, Bug] = {
    "noise/4": Bug(lambda: Build(noise=quarter), detectors.loses_no_more_than_claimed, "mu >= .* claimed"),
    "sensitivity off by one: rows per pupil": Bug(
        lambda: Build(patches={"datasets.validate.contribution": one_row_too_few}),
        detectors.moves_no_further_than_claimed,
        "further than was claimed",
    ),
    "sensitivity off by one: clamp bounds": Bug(
        lambda: Build(patches={"disclosure.sensitivity.reach": half_a_bound}),
        detectors.moves_no_further_than_claimed,
        "further than was claimed",
    ),
    "group keys taken from the data": Bug(keys_from_data, detectors.shows_the_same_keys, "depends on one pupil"),
    "check-then-charge race": Bug(
        lambda: Build(ledger=ChecksThenCharges),
        detectors.spends_no_more_than_there_is_at_once,
        "answers for the budget",
    ),
    "budget kept per account": Bug(
        lambda: Build(ledger=BudgetPerAccount), detectors.releases_no_more_than_the_cap, "answers for the budget"
    ),
    "no charge at all": Bug(
        lambda: Build(ledger=ChargesNothing), detectors.releases_no_more_than_the_cap, "answers for the budget"
    ),
    "0.3 ms latency leak": Bug(lambda: Build(engine=Slow), detectors.takes_as_long_with_as_without, "ms tell"),
    "noise keyed on the query text": Bug(
        lambda: Build(patches={"privacy_api.service.answer_query.priced": keyed_on_text}),
        detectors.answers_rewrites_alike,
        "other words",
    ),
    "noise keyed on the record set": Bug(
        lambda: Build(noise=keyed_on_records), detectors.tells_nothing_by_equal_answers, "nobody stands between"
    ),
    "suppression decided on true counts": Bug(
        suppression_on_truth, detectors.hides_the_same_cells, "decided on the true count"
    ),
    "missing value counted as a bound": Bug(
        lambda: Build(patches={"datasets.sql._total": unguarded, "datasets.sql._from_origin": coalesced}),
        detectors.leaves_out_what_is_missing,
        "Sum",
    ),
    "charge after the answer": Bug(
        lambda: Build(ledger=ChargesAfterwards), detectors.charges_before_it_touches_data, "before the charge"
    ),
}
