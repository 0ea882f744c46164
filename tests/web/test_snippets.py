"""The same query in four languages: each says exactly the JSON that was given, whatever characters it has."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given, settings

from datasets.query import Query
from privacy_api.service.document import asked
from privacy_api.web.snippets import KEY, snippets
from tests.lib import school
from tests.lib.strategies import queries

PLAIN = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}
CODES = ["it's", '"', "$HOME `id` \\n", ')"', ')--"']
WILD = {
    "measures": [{"id": "m", "statistic": "percentage", "variable": "v", "codes": CODES}],
    "criteria": {"filters": {"la": {"in": ["Š", "</script>", "${x}", "%s", "a\nb"]}}},
    "rho": 0.01,
}


def codes(query: dict[str, Any]) -> dict[str, str]:
    return {s.id: s.code for s in snippets("https://example.org/", "school.census", query)}


def read_back(code: dict[str, str]) -> list[Any]:
    """The JSON in each of them, as its language would read it."""
    in_shell = shlex.split(code["curl"].replace("\\\n", " "))
    tree = ast.parse(code["python"])
    literal = next(n.value for n in tree.body if isinstance(n, ast.Assign))
    raw = re.search(r'query <- r"(-*)\((.*?)\)\1"', code["r"], re.S)
    script = re.search(r"const query = (.*?);\n\nconst response", code["javascript"], re.S)
    assert raw
    assert script
    return [
        json.loads(in_shell[in_shell.index("--data-raw") + 1]),
        ast.literal_eval(literal),
        json.loads(raw[2]),
        json.loads(script[1]),
    ]


@pytest.mark.parametrize("query", [PLAIN, WILD])
def test_each_says_the_same_query(query: dict[str, Any]) -> None:
    assert read_back(codes(query)) == [query] * 4


@settings(max_examples=25)
@given(queries(school.census()))
def test_each_says_any_query(query: Query) -> None:
    value = json.loads(json.dumps(asked(query)))
    assert read_back(codes(value)) == [value] * 4


def test_the_key_comes_from_the_environment() -> None:
    assert all(KEY in code for code in codes(PLAIN).values())


def test_the_address_is_the_data_sets() -> None:
    for id, code in codes(PLAIN).items():
        assert (
            "https://example.org" if id == "python" else "https://example.org/v1/data-sets/school.census/query"
        ) in code
