"""A model of a hosted data set: charged first, once, as the policy allows; the engine is all it can ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from datasets.engines.memory import MemoryEngine
from datasets.plan import EngineFailed, Plan
from datasets.query import Codes, Operator
from disclosure.tables import ExactTable, Integers, Noise
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal
from privacy_api.service.synthetic_fit import FittedModel, Wish, fit_model, read_document
from synthetic.model import Settings
from tests.lib import school
from tests.lib.service import DATA_SET, POLICY, SYNTHETIC_MODEL, Service, pupils, running

ONE_ROW = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
FIRST_YEAR = Codes("year", Operator.EQ, ("202122",))
QUICK = Settings(steps=5, last_steps=20, probe=2_000, picks=2)
RHO = 10_000_000


def wish(*columns: str, rho: int = RHO, criteria: Codes | None = FIRST_YEAR) -> Wish:
    return Wish(columns or ("la.region", "sex", "need"), criteria, rho, QUICK)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, pupils(300), POLICY + SYNTHETIC_MODEL, catalogue=ONE_ROW) as service:
        yield service


def fitted(service: Service, wanted: Wish) -> FittedModel:
    project = service.services.projects.project("tests")
    assert project
    hosted = service.services.data_sets[DATA_SET]
    return fit_model(wanted, hosted, Principal("fit", project), service.services)


def spent(service: Service) -> int:
    return service.services.ledger.cut_balance("school", 10**9).spent


def test_a_fit_is_charged_once_and_stored(service: Service) -> None:
    first, again = fitted(service, wish()), fitted(service, wish())
    assert (first.nano_rho, again.nano_rho, spent(service)) == (RHO, 0, RHO)
    assert first.body == again.body
    model, codes, origin = read_document(first.body)
    assert model.domain.names == ("la.region", "sex", "need")
    assert codes["la.region"] == ["N", "S"]
    assert origin["cut"] == "school@1"
    assert model.nano_rho <= RHO
    service.services.ledger.verify()


def test_columns_in_another_order_are_the_same_fit(service: Service) -> None:
    assert fitted(service, wish("sex", "need")).nano_rho == RHO
    assert fitted(service, wish("need", "sex")).nano_rho == 0


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (wish(rho=20_000_000), "PriceOutOfRange"),
        (wish(rho=10), "PriceOutOfRange"),
        (wish(criteria=None), "ManyRows"),
        (wish("need.some", "sex"), "InvalidValue"),
        (wish("sex", "sex"), "InvalidValue"),
        (wish("la", "la.region"), "InvalidValue"),
        (wish("nothing"), "VariableNotFound"),
    ],
)
def test_what_cannot_be_fitted_is_refused_and_not_charged(service: Service, wanted: Wish, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        fitted(service, wanted)
    assert code in [problem.code for problem in refused.value.problems]
    assert spent(service) == 0


def test_a_policy_without_the_rule_lets_none_be_fitted(tmp_path: Path) -> None:
    with running(tmp_path, pupils(50), POLICY, catalogue=ONE_ROW) as service, pytest.raises(ApiError) as refused:
        fitted(service, wish())
    assert refused.value.problems[0].code == "NotOffered"


def test_the_caps_hold(tmp_path: Path) -> None:
    with running(tmp_path, pupils(50), POLICY + SYNTHETIC_MODEL, cap=RHO - 1, catalogue=ONE_ROW) as service:
        with pytest.raises(ApiError) as refused:
            fitted(service, wish())
        assert refused.value.code is ErrorCode.BUDGET_EXHAUSTED
        assert spent(service) == 0


def test_a_fit_that_fails_stays_charged(tmp_path: Path) -> None:
    class Failing(MemoryEngine):
        def aggregate(self, plan: Plan) -> ExactTable:
            raise EngineFailed

    policy = POLICY + SYNTHETIC_MODEL
    with running(tmp_path, policy=policy, engine=Failing({}), catalogue=ONE_ROW) as service:
        with pytest.raises(ApiError) as refused:
            fitted(service, wish())
        assert refused.value.code is ErrorCode.QUERY_FAILED
        assert spent(service) == RHO


def test_the_charge_is_durable_before_anything_is_counted(tmp_path: Path) -> None:
    seen: list[int] = []

    class Watching(MemoryEngine):
        def aggregate(self, plan: Plan) -> ExactTable:
            seen.append(spent(service))
            return super().aggregate(plan)

    policy = POLICY + SYNTHETIC_MODEL
    with running(tmp_path, policy=policy, engine=Watching({"census": pupils(50)}), catalogue=ONE_ROW) as service:
        fitted(service, wish())
    assert set(seen) == {RHO}


def test_the_margins_cost_no_more_than_was_charged(tmp_path: Path) -> None:
    prices: list[int] = []

    def noise(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        assert distance == 1
        prices.append(nano_rho)
        return np.asarray(values)

    policy = POLICY + SYNTHETIC_MODEL
    with running(tmp_path, pupils(50), policy, noise=noise, catalogue=ONE_ROW) as service:
        model, _, _ = read_document(fitted(service, wish()).body)
    assert sum(prices) <= model.nano_rho <= RHO
