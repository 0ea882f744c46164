"""Bodies to begin with, shown beside the routes that take them."""

from __future__ import annotations

EXAMPLES = {
    "count": {
        "summary": "Pupils by local authority and free-school-meal eligibility",
        "value": {"measures": [{"statistic": "count"}], "groupBy": ["LA", "fsm_eligible"]},
    },
    "criteria": {
        "summary": "A percentage, of some pupils, in one year",
        "value": {
            "measures": [{"statistic": "percentage", "variable": "sen_provision.any", "codes": ["1"]}],
            "groupBy": ["REG"],
            "criteria": {
                "and": [
                    {"filters": {"fsm_eligible": {"eq": "1"}}},
                    {"not": {"filters": {"year_group": {"in": ["12", "13"]}}}},
                    {"timePeriods": {"eq": {"period": "2023/2024", "code": "AY"}}},
                ]
            },
        },
    },
}
CHECKED = {
    "summary": "A table of two rows, and the query that made it",
    "value": {
        "dataSet": "npd.census",
        "query": {"measures": [{"statistic": "count"}], "groupBy": ["fsm_eligible"]},
        "table": "fsm_eligible,count\r\n0,24510\r\n1,c\r\n",
    },
}
