"""Writes docs/analyses.md from the JSON files beside this one: python examples/analyses/page.py"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "analyses.md"
HEAD = """# Fifteen analyses

What researchers ask of the National Pupil Database, as questions to this API on the catalogue in `datasets/npd`. No
question has a join: attainment at primary school, the school's authority, free school meals and the like are variables
of the data set, linked or derived when a cut is made.

This page is made from the files in `examples/analyses/` by `python examples/analyses/page.py`. Each file has what it
answers, the data set, the body to send (`query`) and notes. The tests ask all fifteen of a cut of made-up pupils, under
the default policy and within its whole budget of ρ 0.5, and compare with exact answers, computed from the source files
by joins written for the purpose.

To try them, make such a cut (some minutes), and serve it:

```
mkdir home
privacy-api synthetic make made --catalogue datasets/npd
privacy-api ingest made/catalogue $(for f in made/*/*.parquet; do echo $(basename $(dirname $f))=$f; done) --home home
privacy-api serve --home home --mode demo &
URL=http://127.0.0.1:8000
KEY=$(curl -s -X POST $URL/v1/sandbox/keys | jq -r .key)     # for a day, with every grant and a budget of ρ 0.5
```

It is the synthetic twin of NPD's own: where real pupils are hosted, the same questions go to `npd.` in place of
`npd-synthetic.`. In a cut of 20,000 pupils many cells of local authorities are `c` or `u`: what you see there is
protection at work. Each answer has the columns named, and `value`, `lower`, `upper`, `status` ([api.md](api.md)).
"""


def page() -> str:
    return "\n".join([HEAD, *(section(path) for path in sorted(HERE.glob("*.json")))])


def section(path: Path) -> str:
    analysis = json.loads(path.read_text(encoding="utf-8"))
    query = analysis["query"]
    return f"""## {int(path.name[:2])}. {analysis["title"]}

{analysis["answers"]}

```
jq .query examples/analyses/{path.name} | curl -s "$URL/v1/data-sets/{twin(analysis["dataSet"])}/query?format=csv" \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d @-
```

* By {listed(query["groupBy"])}{totals(query)}.
* Measures: {", ".join(measure(m) for m in query["measures"])}.
* Columns: {listed(columns(query))}, `measure`, `output`.

{analysis["notes"]}
"""


def twin(data_set: str) -> str:
    """Of made-up pupils: what anybody can make and ask."""
    return data_set.replace("npd.", "npd-synthetic.", 1)


def columns(query: dict[str, Any]) -> list[str]:
    """groupBy, and what totals have beside it."""
    return list(dict.fromkeys([*query["groupBy"], *(name for total in query.get("totals", []) for name in total)]))


def totals(query: dict[str, Any]) -> str:
    found = [" × ".join(f"`{name}`" for name in total) or "all" for total in query.get("totals", [])]
    return f", with totals by {'; '.join(found)}" if found else ""


def measure(of: dict[str, Any]) -> str:
    name = of.get("id", of["statistic"])
    what = of.get("variable") or " / ".join(part["variable"] for part in of.get("of", []))
    return f"`{name}` ({of['statistic']}{f' of `{what}`' if what else ''})"


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
