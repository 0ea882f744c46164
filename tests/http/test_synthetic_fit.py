"""A model of a hosted data set: charged first, once, as the policy allows; the engine is all it can ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.engines.memory import MemoryEngine
from datasets.plan import EngineFailed, Plan
from datasets.query import And, Codes, Criteria, Operator
from datasets.scope import DataSetScope
from disclosure.tables import ExactTable, Integers, Noise
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Ledger, Principal
from privacy_api.service.caps import Scope, lower, planned
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.freezing import freeze_cut
from privacy_api.service.policy_effect import effect
from privacy_api.service.synthetic_counter import Wish
from privacy_api.service.synthetic_fit import FittedModel, fit_model
from privacy_api.service.terms import import_policy
from privacy_api.stores.database import open_database
from privacy_api.stores.ledger import SqlLedger
from privacy_api.wire.query_in import read_query
from synthetic.drawn.file import read, written
from synthetic.model import Settings
from tests.lib import school
from tests.lib.service import DATA_SET, POLICY, SYNTHETIC_MODEL, Service, pupils, running

ONE_ROW = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
FIRST_YEAR = Codes("year", Operator.EQ, ("202122",))
QUICK = Settings(steps=5, last_steps=20, probe=2_000, picks=2)
RHO = 10_000_000


def wish(
    *columns: str, rho: int = RHO, criteria: Criteria | None = FIRST_YEAR, never: tuple[dict[str, Any], ...] = ()
) -> Wish:
    impossible = tuple({name: tuple(codes) for name, codes in one.items()} for one in never)
    return Wish(columns or ("la.region", "sex", "need"), criteria, rho, QUICK, impossible)


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
    file = read(first.body)
    assert file.model.domain.names == ("la.region", "sex", "need")
    region = file.columns[0]
    assert (region.name, region.label) == ("la_region", "Local authority: Region")
    assert (region.codes, region.meanings) == (("N", "S"), ("North", "South"))
    assert (file.origin.cut, file.origin.data_set, file.origin.nano_rho) == ("school@1", "census", RHO)
    assert file.origin.population == "year 202122"
    assert file.model.nano_rho <= RHO
    assert written(file) == first.body
    service.services.ledger.verify()


def test_a_geographic_level_is_the_variable_or_banding_that_carries_it(service: Service) -> None:
    assert fitted(service, wish("REG", "sex")).nano_rho == RHO
    assert fitted(service, wish("la.region", "sex")).nano_rho == 0


def test_rules_of_the_request_and_of_the_catalogue_go_into_the_model(tmp_path: Path) -> None:
    said = ONE_ROW.replace('title = "Census"', 'title = "Census"\nimpossible = [{ sex = ["U"], la = ["A1", "A2"] }]')
    with running(tmp_path, pupils(300), POLICY + SYNTHETIC_MODEL, catalogue=said) as service:
        asked = ({"need": ("a", "b"), "REG": ("S",)},)
        first = fitted(service, wish("REG", "sex", "need", never=asked))
        assert {zero.of for zero in read(first.body).model.zeros.all} == {
            (("la.region", (0,)), ("sex", (2,))),
            (("la.region", (1,)), ("need", (0, 1))),
        }
        other = fitted(service, wish("REG", "sex", "need"))
        assert (other.nano_rho, other.release != first.release) == (RHO, True), "another model, which is charged"
        assert fitted(service, wish("REG", "sex", "need", never=asked)).nano_rho == 0
        two = (*asked, {"sex": ("F",), "need": ("c",)})
        assert [fitted(service, wish("sex", "need", "REG", never=t)).nano_rho for t in (two, two[::-1])] == [RHO, 0]
        alone = fitted(service, wish("sex", "need"))
        assert read(alone.body).model.zeros.all == (), "the rule is of columns that are not there"


DERIVED = """
[data_sets.census.variables.{name}]
type = "category"
label = "{label}"
identifiability = 5
sensitivity = "E"
codes = [["0", "No"], ["1", "Yes"]]
derived = "{expression}"
"""
NEED = "case when need = 'a' then '1' else '0' end"
LONG = f"case when {' or '.join([NEED[10:20]] * 150)} then '1' else '0' end"
DEEP = f"case when {'not ' * 60}need = 'a' then '1' else '0' end"


@pytest.mark.parametrize(
    ("name", "label", "expression", "told"),
    [
        ("late", "Key\u00a0stage", NEED, "Key stage"),
        ("late", "x" * 1_001, NEED, "x" * 1_000),
        ("la_region", "Taken", NEED, None),
        ("late", "Long", LONG, "Long"),
        ("late", "Deep", DEEP, None),
    ],
)
def test_what_no_file_can_say_is_left_out_and_spoils_no_fit(
    tmp_path: Path, name: str, label: str, expression: str, told: str | None
) -> None:
    score = "[data_sets.census.variables.score]"
    said = ONE_ROW.replace(score, DERIVED.format(name=name, label=label, expression=expression) + score)
    rows = [replace(row, atoms={**row.atoms, name: 0}) for row in pupils(300)]
    with running(tmp_path, rows, POLICY + SYNTHETIC_MODEL, catalogue=said) as service:
        derived = read(fitted(service, wish()).body).derived
    assert [d.variable.label for d in derived] == ([told] if told else [])


def test_a_column_that_no_file_can_say_is_refused_before_the_charge(tmp_path: Path) -> None:
    said = ONE_ROW.replace('["U", "Unknown"]', '["U\u200b", "Unknown"]')
    with running(tmp_path, pupils(300), POLICY + SYNTHETIC_MODEL, catalogue=said) as service:
        with pytest.raises(ApiError) as refused:
            fitted(service, wish())
        assert (refused.value.code, spent(service)) == (ErrorCode.INVALID_QUERY, 0)


def test_rules_of_the_catalogue_that_criteria_make_odd_refuse_nothing(tmp_path: Path) -> None:
    """Of the needs that are left, nobody of unknown sex has any: by the catalogue, so that it is no mistake."""
    rule = 'impossible = [{ sex = ["U"], need = ["a", "b", "c"] }]'
    said = ONE_ROW.replace('title = "Census"', f'title = "Census"\n{rule}')
    some = And((FIRST_YEAR, Codes("need", Operator.IN, ("a", "b"))))
    with running(tmp_path, pupils(300), POLICY + SYNTHETIC_MODEL, catalogue=said) as service:
        body = fitted(service, wish("sex", "need", criteria=some)).body
        assert len(read(body).model.zeros.all) == 1
        with pytest.raises(ApiError) as refused:
            fitted(service, wish("sex", "need", criteria=some, never=({"sex": "M", "need": "ab"},)))
    assert "nobody who could have 'M' of sex" in refused.value.problems[0].message


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
        (wish("LA", "REG"), "InvalidValue"),
        (wish("nothing"), "VariableNotFound"),
        (wish(never=({"sex": "F"},)), "InvalidValue"),
        (wish(never=({"sex": "F", "need": []},)), "InvalidValue"),
        (wish(never=({"sex": "F", "score": "a"},)), "InvalidValue"),
        (wish(never=({"sex": "F", "need": "z"},)), "InvalidValue"),
        (wish(never=({"sex": "F", "need": "abcdefghijk"},)), "InvalidValue"),
        (wish("REG", "sex", never=({"sex": "F", "REG": "N", "la.region": "S"},)), "InvalidValue"),
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
        model = read(fitted(service, wish()).body).model
    assert sum(prices) <= model.nano_rho <= RHO


def under_terms(service: Service) -> HostedDataSet:
    """The data set as a server hosts it: its policy is imported, so that the cut has terms."""
    services = service.services
    text = POLICY + SYNTHETIC_MODEL
    import_policy("school", text, services.now(), services)
    services.outdated()
    return services.data_sets[DATA_SET]


def test_a_fit_is_made_under_the_terms_of_the_cut(service: Service) -> None:
    under_terms(service)
    assert fitted(service, wish()).nano_rho == RHO
    assert fitted(service, wish()).nano_rho == 0


def test_a_frozen_cut_is_not_fitted(service: Service) -> None:
    under_terms(service)
    freeze_cut("school", "A complaint.", "u-aaaaaaaaaaaa", service.services)
    service.services.outdated()
    with pytest.raises(ApiError) as refused:
        fitted(service, wish())
    assert (refused.value.code, spent(service)) == (ErrorCode.FROZEN, 0)


def test_terms_that_changed_after_they_were_read_are_not_fitted_under(service: Service) -> None:
    before = under_terms(service)
    freeze_cut("school", "A complaint.", "u-aaaaaaaaaaaa", service.services)
    project = service.services.projects.project("tests")
    assert project
    with pytest.raises(ApiError) as refused:
        fit_model(wish(), before, Principal("fit", project), service.services)
    assert (refused.value.code, spent(service)) == (ErrorCode.IN_PROGRESS, 0)


def test_a_lowered_cap_of_the_cut_holds(service: Service) -> None:
    under_terms(service)
    lower(planned(Scope.CUT, "school", RHO - 1, service.services), "Enough.", "u-aaaaaaaaaaaa", service.services)
    service.services.outdated()
    with pytest.raises(ApiError) as refused:
        fitted(service, wish())
    assert (refused.value.code, spent(service)) == (ErrorCode.BUDGET_EXHAUSTED, 0)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"scope": {}}, "DataSetNotInScope"),
        ({"scope": {DATA_SET: DataSetScope(frozenset({"sex", "year"}), {})}}, "VariableNotInScope"),
        ({"tightening": {"rounding.base": 20}}, "NotOffered"),
    ],
)
def test_a_fit_keeps_to_what_its_project_may_ask(service: Service, terms: dict[str, Any], code: str) -> None:
    project = service.services.projects.project("tests")
    assert project
    service.services.projects.change_project(replace(project, **terms))
    with pytest.raises(ApiError) as refused:
        fitted(service, wish())
    assert code in [problem.code for problem in refused.value.problems]
    assert spent(service) == 0


def test_a_frozen_project_fits_nothing(service: Service) -> None:
    service.services.projects.freeze_project("tests", True)
    with pytest.raises(ApiError) as refused:
        fitted(service, wish())
    assert (refused.value.code, spent(service)) == (ErrorCode.FROZEN, 0)


def test_what_another_had_fitted_meanwhile_is_not_counted_again_uncharged(service: Service) -> None:
    first = fitted(service, wish())
    late = replace(service.services, ledger=Late(service.services.ledger))
    project = service.services.projects.project("tests")
    assert project
    with pytest.raises(ApiError) as refused:
        fit_model(wish(), service.services.data_sets[DATA_SET], Principal("fit", project), late, _never)
    assert refused.value.code is ErrorCode.IN_PROGRESS
    assert fitted(service, wish()).body == first.body


class Late:
    """The ledger, of one who looked for the release just before it was there."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def release(self, release: str, terms: object = None) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def _never(step: str, done: int, of: int) -> None:
    raise AssertionError("it was fitted again")


def test_a_fit_that_takes_longer_than_a_question_is_charged_once(tmp_path: Path) -> None:
    """Whoever asks for the same one meanwhile waits for it, however long."""
    met: list[ErrorCode] = []

    class Slow(MemoryEngine):
        def aggregate(self, plan: Plan) -> ExactTable:
            if not met:
                time.sleep(1.5)
                with pytest.raises(ApiError) as refused:
                    fitted(hasty, wish())
                met.append(refused.value.code)
            return super().aggregate(plan)

    policy, engine = POLICY + SYNTHETIC_MODEL, Slow({"census": pupils(50)})
    with running(tmp_path, policy=policy, engine=engine, catalogue=ONE_ROW) as service:
        database = open_database(f"sqlite:///{tmp_path / 'service.db'}")
        ledger = SqlLedger(database, tmp_path / "anchor.json", claim_seconds=0.5)
        hasty = replace(service, services=replace(service.services, ledger=ledger))
        assert fitted(hasty, wish()).nano_rho == RHO
        database.dispose()
        assert (met, spent(service)) == ([ErrorCode.IN_PROGRESS], RHO)


def test_a_model_breaks_no_page_and_is_no_answer(service: Service) -> None:
    model = fitted(service, wish()).release
    listed = service.client.get("/register/releases", headers={"Accept": "text/html"})
    assert (listed.status_code, model in listed.text) == (200, False)
    for path in (f"/q/{model}", f"/q/{model}/csv", f"/v1/releases/{model}", f"/v1/releases/{model}?format=csv"):
        assert service.client.get(path, headers=service.auth).status_code == 404


def test_no_policy_is_tried_on_a_model(service: Service) -> None:
    under_terms(service)
    fitted(service, wish())
    assert effect("school", 1, read_query, service.services).questions == 0
