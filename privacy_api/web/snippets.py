"""The same question in other people's hands: as a line of curl, and in Python, R and JavaScript. The key is in none."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any
from urllib.parse import quote

from privacy_api.service.cuts import HostedDataSet

KEY = "PRIVACY_API_KEY"
"""The environment variable that each of them takes the key from."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """name: of the language, for people. id: for addresses."""

    id: str
    name: str
    code: str


def snippets(base: str, data_set: str, query: Mapping[str, Any]) -> tuple[Snippet, ...]:
    """base: where the service is, as the reader's browser has it. query: as the API takes it."""
    url = f"{base.rstrip('/')}/v1/data-sets/{quote(data_set, safe='')}/query"
    return (
        Snippet("curl", "curl", curl(url, query)),
        Snippet("python", "Python", python(base.rstrip("/"), data_set, query)),
        Snippet("r", "R", r(url, query)),
        Snippet("javascript", "JavaScript", javascript(url, query)),
    )


def curl(url: str, query: Mapping[str, Any]) -> str:
    body = json.dumps(query, ensure_ascii=False)
    return "\n".join(
        [
            f"curl {shlex.quote(url + '?format=csv')} \\",
            f'  --header "Authorization: Bearer ${KEY}" \\',
            "  --header 'Content-Type: application/json' \\",
            f"  --data-raw {shlex.quote(body)}",
        ]
    )


def first_question(hosted: HostedDataSet, base: str, key: str) -> str:
    """A line to paste as it is, with its key: how many rows there are, by region where the data set has regions, in the
    last of its years, since fewer years have less noise."""
    by, latest = hosted.data_set.levels.get("REG"), hosted.cut.latest.get(hosted.data_set.id)
    query: dict[str, Any] = {"measures": [{"statistic": "count"}]} | ({"groupBy": [by]} if by else {})
    for each in hosted.data_set.time_periods:
        if each.code == latest:
            query["criteria"] = {"timePeriods": {"eq": {"period": each.period, "code": each.kind}}}
    address = f"{base.rstrip('/')}/v1/data-sets/{quote(hosted.id, safe='')}/query?format=csv"
    return (
        f"curl -s {shlex.quote(address)} -H {shlex.quote(f'Authorization: Bearer {key}')} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(query))}"
    )


def python(base: str, data_set: str, query: Mapping[str, Any]) -> str:
    """With the client of this project (clients/python)."""
    literal = pformat(dict(query), indent=1, width=88, sort_dicts=False)
    return "\n".join(
        [
            "import os",
            "",
            "from privacy_api_client import Client",
            "",
            f"query = {literal}",
            "",
            f'with Client({base!r}, os.environ["{KEY}"]) as client:',
            f"    result = client.query({data_set!r}, query)",
            "",
            "for row in result.rows:",
            "    print(row)",
        ]
    )


def r(url: str, query: Mapping[str, Any]) -> str:
    """With httr2. The body is a raw string: what R's lists become as JSON depends on their lengths."""
    body = json.dumps(query, indent=2, ensure_ascii=False)
    dashes = "-" * (1 + max((len(run) for run in re.findall(r"\)(-*)\"", body)), default=0))
    address = json.dumps(url)
    return "\n".join(
        [
            "library(httr2)",
            "",
            f'query <- r"{dashes}({body}){dashes}"',
            "",
            f"answer <- request({address}) |>",
            f'  req_auth_bearer_token(Sys.getenv("{KEY}")) |>',
            '  req_body_raw(query, type = "application/json") |>',
            "  req_retry(max_tries = 3) |>",
            "  req_perform() |>",
            "  resp_body_json(simplifyVector = TRUE)",
            "",
            "answer$results",
        ]
    )


def javascript(url: str, query: Mapping[str, Any]) -> str:
    body = json.dumps(query, indent=2, ensure_ascii=False)
    return "\n".join(
        [
            f"const query = {body};",
            "",
            f"const response = await fetch({json.dumps(url)}, {{",
            '  method: "POST",',
            "  headers: {",
            f"    Authorization: `Bearer ${{process.env.{KEY}}}`,",
            '    "Content-Type": "application/json",',
            "  },",
            "  body: JSON.stringify(query),",
            "});",
            "const answer = await response.json();",
            "if (!response.ok) throw new Error(answer.title);",
            "console.table(answer.results);",
        ]
    )
