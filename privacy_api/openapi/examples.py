"""Bodies to begin with, shown beside the routes that take them."""

from __future__ import annotations

EXAMPLES = {
    "count": {
        "summary": "Pupils by local authority and free-school-meal eligibility",
        "value": {"measures": [{"statistic": "count"}], "groupBy": ["LA", "fsm"]},
    },
    "criteria": {
        "summary": "A percentage, of some pupils, in one year",
        "value": {
            "measures": [{"statistic": "percentage", "variable": "absence.persistent", "codes": ["10 to 100"]}],
            "groupBy": ["REG"],
            "criteria": {
                "and": [
                    {"filters": {"fsm": {"eq": "Y"}}},
                    {"not": {"filters": {"year_group": {"in": ["12", "13"]}}}},
                    {"timePeriods": {"gte": {"period": "2022/2023", "code": "AY"}}},
                ]
            },
        },
    },
}
CHECKED = {
    "summary": "A table of two rows, and the query that made it",
    "value": {
        "dataSet": "demo.census",
        "query": {"measures": [{"statistic": "count"}], "groupBy": ["fsm"]},
        "table": "fsm,count\r\nN,24510\r\nY,c\r\n",
    },
}
