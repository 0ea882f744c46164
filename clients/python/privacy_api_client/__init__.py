"""Python client of the Privacy Controlling API: protected aggregates of pupil data.

from privacy_api_client import Client, percentage, where

with Client("http://127.0.0.1:8000", key) as client:
    result = client.query(
        "npd-synthetic.absence_year",
        measures=["count", percentage("persistent", "1")],
        group_by=["REG", "census_fsm_eligible"],
        criteria=where(school_phase_type="secondary"),
    )
frame = result.to_pandas()
"""

from privacy_api_client._version import __version__
from privacy_api_client.catalogue import Banding, Code, DataSet, Meta, Number, TimePeriod, Variable, Variables
from privacy_api_client.client import Client
from privacy_api_client.costs import Balance, Budget, Charge, Expected, Preview, Price
from privacy_api_client.errors import (
    BudgetExhausted,
    ConnectionFailed,
    InvalidQuery,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PrivacyApiError,
    Problem,
    QueryFailed,
    ServerError,
    TooBusy,
)
from privacy_api_client.query import Criteria, count, gap, mean, measure, percentage, periods, pupils, ratio, where
from privacy_api_client.results import Result, ResultMeasure
from privacy_api_client.synthetic import SyntheticRelease, SyntheticTable
from privacy_api_client.tables import RegisteredTable

__all__ = [
    "Balance",
    "Banding",
    "Budget",
    "BudgetExhausted",
    "Charge",
    "Client",
    "Code",
    "ConnectionFailed",
    "Criteria",
    "DataSet",
    "Expected",
    "InvalidQuery",
    "Meta",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Number",
    "Preview",
    "Price",
    "PrivacyApiError",
    "Problem",
    "QueryFailed",
    "RegisteredTable",
    "Result",
    "ResultMeasure",
    "ServerError",
    "SyntheticRelease",
    "SyntheticTable",
    "TimePeriod",
    "TooBusy",
    "Variable",
    "Variables",
    "__version__",
    "count",
    "gap",
    "mean",
    "measure",
    "percentage",
    "periods",
    "pupils",
    "ratio",
    "where",
]
