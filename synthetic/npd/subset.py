"""A catalogue with some of its data sets and variables: those that are wanted, and what they need."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from datasets.derive.expression import names
from datasets.derive.parse import parse

Toml = dict[str, Any]


def subset(text: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """The text of a catalogue with the data sets `wanted`, and of each the variables named, or all where none are.

    Keys, and the variables that derived ones are made of, come along; links to data sets that are left out go, and
    derived variables that cannot do without them. Raises ValueError for what the catalogue does not have.
    """
    content = tomllib.loads(text)
    sets: Toml = content["data_sets"]
    strange = sorted(set(wanted) - set(sets))
    if strange:
        raise ValueError(f"tables: {strange[0]} is no data set of the catalogue; they are {', '.join(sets)}")
    content["data_sets"] = {name: _data_set(name, sets[name], wanted) for name in sets if name in wanted}
    _drop_broken_links(content["data_sets"])
    used = json.dumps(content["data_sets"])
    content["code_lists"] = {k: v for k, v in content["code_lists"].items() if f'"{k}"' in used}
    return dump(content)


def _data_set(name: str, given: Toml, wanted: Mapping[str, Sequence[str]]) -> Toml:
    variables: Toml = given["variables"]
    links = {k: v for k, v in given.get("links", {}).items() if v["to"] in wanted}
    lost = {k: v for k, v in given.get("links", {}).items() if k not in links}
    gone = {f"{k}_{v}" if isinstance(v, str) else v[1] for k, of in lost.items() for v in of["take"]}
    keep = set(wanted[name]) or set(variables)
    strange = sorted(keep - set(variables))
    if strange:
        raise ValueError(f"tables: {name} has no variable {strange[0]}")
    keep |= set(_key(given)) | {own for link in links.values() for own in link["on"]}
    keep = {v for v in keep if v in variables}
    keep = _closed(keep, variables)
    keep -= _unmakeable(keep, variables, gone)
    found = given | {"variables": {k: v for k, v in variables.items() if k in keep}, "links": links}
    found["sort_by"] = [v for v in given.get("sort_by", ()) if v in keep or v.startswith("school_")]
    for gone_too in ("cubes", "fixed", "impossible"):
        found.pop(gone_too, None)
    return found


def _key(given: Toml) -> list[str]:
    key = given["key"]
    return [*([key["time"]] if "time" in key else []), *key.get("also", [])]


def _needs(variable: Toml) -> frozenset[str]:
    return names(parse(variable["derived"])) if "derived" in variable else frozenset()


def _closed(keep: set[str], variables: Toml) -> set[str]:
    """With what derived variables are made of, however far back."""
    while True:
        more = {n for v in keep for n in _needs(variables[v]) if n in variables} - keep
        if not more:
            return keep
        keep = keep | more


def _unmakeable(keep: set[str], variables: Toml, gone: set[str]) -> set[str]:
    lost: set[str] = set()
    while True:
        more = {v for v in keep - lost if _needs(variables[v]) & (gone | lost)}
        if not more:
            return lost
        lost |= more


def _drop_broken_links(sets: Toml) -> None:
    """Links take only what is still there."""
    there = {name: _offered(given) for name, given in sets.items()}
    while True:
        before = json.dumps(there, sort_keys=True, default=sorted)
        for name, given in sets.items():
            for link in given.get("links", {}).values():
                link["take"] = [v for v in link["take"] if (v if isinstance(v, str) else v[0]) in there[link["to"]]]
            there[name] = _offered(given)
            lost = _unmakeable(set(given["variables"]), given["variables"], _missing(given, there[name]))
            given["variables"] = {k: v for k, v in given["variables"].items() if k not in lost}
            there[name] = _offered(given)
        if json.dumps(there, sort_keys=True, default=sorted) == before:
            break
    for given in sets.values():
        given["links"] = {k: v for k, v in given["links"].items() if v["take"]}
        given["sort_by"] = [v for v in given["sort_by"] if v in _offered(given)]


def _offered(given: Toml) -> set[str]:
    taken = {
        f"{link}_{v}" if isinstance(v, str) else v[1] for link, of in given.get("links", {}).items() for v in of["take"]
    }
    return set(given["variables"]) | taken


def _missing(given: Toml, offered: set[str]) -> set[str]:
    return {n for v in given["variables"].values() for n in _needs(v)} - offered


def dump(content: Toml, path: tuple[str, ...] = ()) -> str:
    """TOML: tables first with what is plain in them, then the tables in them."""
    plain = {k: v for k, v in content.items() if not isinstance(v, dict) or _inline(k)}
    lines = [f"[{'.'.join(path)}]"] if path and (plain or not content) else []
    lines += [f"{k} = {_value(v)}" for k, v in plain.items()]
    text = "\n".join(lines) + "\n\n" if lines else ""
    return text + "".join(dump(v, (*path, k)) for k, v in content.items() if k not in plain)


def _inline(name: str) -> bool:
    return name in ("key", "on", "where", "bins", "recode")


def _value(value: Any) -> str:
    if isinstance(value, str) and "\n" in value and "'''" not in value:
        return f"'''\n{value}'''"  # lists of schools are long, and escapes slow to read
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
