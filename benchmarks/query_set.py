"""The questions of the engine's benchmark, each as the API asks it and as one would write it by hand.

By hand: what DuckDB does best (places of codes rather than texts, clamps by CASE), with literals, fetched as arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.wide_census import BINNED
from datasets.catalogue import DataSet
from datasets.plan import Plan
from datasets.query import And, Codes, Criteria, Measure, Operator, Period, Periods, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum

LIMITS = Limits(cells=10**7, group_by=8)
SUM = "sum(case when attended < 0 then 0 when attended > 400 then 400 else attended end)::bigint"


@dataclass(frozen=True, slots=True)
class Question:
    """numbers, where, by: of the SQL by hand; criteria and aggregates: of ours."""

    name: str
    by: tuple[str, ...]
    criteria: Criteria | None
    where: str
    aggregates: tuple[Aggregate, ...] = (Count(),)
    numbers: str = "count(*)"

    def plan(self, data_set: DataSet) -> Plan:
        query = Query(data_set.id, (Measure("n", "count"),), tuple(b for b in self.by if b != f"{BINNED}.bin"))
        query = Query(data_set.id, query.measures, query.group_by, self.criteria)
        return validate(query, data_set, frozenset(), LIMITS).plan(0, self.aggregates)

    def sql(self, table: str) -> str:
        keys = ", ".join(f'"{column}"' for column in self.by)
        codes = ", ".join(f'enum_code("{column}")' for column in self.by)
        where = f"where {self.where}" if self.where else ""
        return f"select {codes}, {self.numbers} from {table} {where} group by {keys}"


def _years(*years: str) -> Criteria:
    return Periods(Operator.IN, tuple(Period(year, "CY") for year in years))


def _is(variable: str, *codes: str) -> Criteria:
    return Codes(variable, Operator.IN, codes)


def questions(data_set: DataSet) -> Sequence[Question]:
    one, one_sql = _years("2015"), "\"year\" = '2015'"
    three, three_sql = _years("2013", "2014", "2015"), "\"year\" between '2013' and '2015'"
    filters = And((one, _is("fsm", "1"), _is("sen", "0"), _is("eal", "0", "1")))
    filters_sql = f"{one_sql} and fsm = '1' and sen = '0' and eal between '0' and '1'"
    cohort, cohort_sql = And((one, _is("year_group", "11"))), f"{one_sql} and year_group = '11'"
    histogram = (BinnedCount(BINNED, tuple((i,) for i in range(len(data_set.by_name[BINNED].atoms)))),)
    total, pupils = (Sum(BINNED, 0, 400, 200),), (DistinctCount(),)
    return (
        Question("region × sex, 1 year", ("la.region", "sex"), one, one_sql),
        Question("LA × year group, 1 year", ("la", "year_group"), one, one_sql),
        Question("LA × year group, 1 year, 3 filters", ("la", "year_group"), filters, filters_sql),
        Question("one LA, all years", ("year",), _is("la", "77"), "la = '77'"),
        Question("year group, 20 years", ("year_group",), None, ""),
        Question("LA × year group × sex, 20 years", ("la", "year_group", "sex"), None, ""),
        Question("year × region × FSM × SEN, 20 years", ("year", "la.region", "fsm", "sen"), None, ""),
        Question("school × year group, 1 year", ("school", "year_group"), one, one_sql),
        Question("clamped sum by LA, 1 year", ("la",), one, one_sql, total, SUM),
        Question("clamped sum by LA, 20 years", ("la",), None, "", total, SUM),
        Question(
            "median by region, 1 year (ours: the histogram)", ("la.region",), one, one_sql, histogram,
            "quantile_cont(attended, 0.5)",
        ),
        Question("histogram by region, 1 year", ("la.region", f"{BINNED}.bin"), one, one_sql, histogram),
        Question("KS2 band × KS4 grade, 1 cohort", ("ks2", "ks4"), cohort, cohort_sql),
        Question("pupils by LA, 20 years", ("la",), None, "", pupils, "count(distinct unit)"),
        Question("pupils by LA, 3 years", ("la",), three, three_sql, pupils, "count(distinct unit)"),
    )  # fmt: skip
