"""The closed set of what the audit chain may hold: kinds of entries, and the facts of each.

A flat catalogue: a new kind is a line in _ALL, a new fact a line in FACTS. No fact is a number of the data, a result
or a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from privacy_api.ports.audit import Note, NotRecordable

MOST_TEXT = 2_000
"""Characters of a reason or a comment."""
MOST_WORDS = 1_000

_WORD = re.compile(r"[A-Za-z0-9][\w.,:/@+=%* -]{0,199}", re.ASCII)
_ACTOR = re.compile(r"[A-Za-z0-9][\w.:@-]{0,199}", re.ASCII)
_SUBJECT = re.compile(r"[a-z][a-z-]*(:[\w.@+/ -]{1,200})?", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
_SECRET = re.compile(r"npd_(test|live)_[a-z0-9]{8}_|eyJ[\w-]{8,}\.[\w-]+\.|-----BEGIN ")
"""What keys of ours, signed tokens and PEM files begin with."""


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(_WORD.fullmatch(value)) and not _SECRET.search(value)


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_TEXT or _SECRET.search(value):
        return False
    return all(letter.isprintable() or letter in "\n\r\t" for letter in value)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _are_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MOST_WORDS and all(map(_is_word, value))


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) <= MOST_WORDS and all(map(_is_word, value)) and _all_numbers(value)


def _all_numbers(value: Mapping[str, Any]) -> bool:
    return all(map(_is_number, value.values()))


@dataclass(frozen=True, slots=True)
class Form:
    """What a fact looks like, in words for whoever wrote another, and as a test."""

    words: str
    accepts: Callable[[Any], bool]


WORD = Form("up to 200 letters, digits and marks of a name or id", _is_word)
TEXT = Form(f"1 to {MOST_TEXT} printable characters, with no key, token or certificate among them", _is_text)
NUMBER = Form("a whole number from 0", _is_number)
DIGEST = Form("a SHA-256 in hexadecimal", lambda value: isinstance(value, str) and bool(_DIGEST.fullmatch(value)))
INSTANT = Form(
    "a date or an instant in ISO 8601", lambda value: isinstance(value, str) and bool(_INSTANT.fullmatch(value))
)
WORDS = Form(f"a list of at most {MOST_WORDS} words", _are_words)
COUNTS = Form("whole numbers by word", _are_counts)

FACTS: Mapping[str, Form] = {
    "account": WORD,
    "after": NUMBER,
    "application": WORD,
    "before": NUMBER,
    "cap": NUMBER,
    "code": WORD,
    "comment": TEXT,
    "counts": COUNTS,
    "data_set": WORD,
    "decision": WORD,
    "detector": WORD,
    "digest": DIGEST,
    "entries": NUMBER,
    "expires": INSTANT,
    "grants": WORDS,
    "issuer": TEXT,
    "kind": WORD,
    "label": TEXT,
    "loosens": WORDS,
    "minute": INSTANT,
    "mode": WORD,
    "permission": WORD,
    "person": WORD,
    "policy": DIGEST,
    "project": WORD,
    "proposal": WORD,
    "reason": TEXT,
    "role": WORD,
    "roles": WORDS,
    "roles_before": WORDS,
    "route": TEXT,
    "scope": WORDS,
    "sections": WORDS,
    "session": WORD,
    "severity": WORD,
    "step": WORD,
    "tables": DIGEST,
    "terms": NUMBER,
    "tightens": WORDS,
    "title": TEXT,
    "variables": WORDS,
    "verdict": WORD,
    "version": WORD,
    "way": WORD,
    "what": TEXT,
    "years": WORDS,
}
"""Every fact there is. before, after, cap: nano-ρ; counts: how often each code; way: how it came in."""


@dataclass(frozen=True, slots=True)
class AuditKind:
    """plain: in plain words, for people who read the record. needs: facts that it always has; may: that it can have."""

    name: str
    plain: str
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


def _kind(name: str, plain: str, needs: str = "", may: str = "") -> AuditKind:
    return AuditKind(name, plain, frozenset(needs.split()), frozenset(may.split()))


_ALL = (
    # the service itself
    _kind("bootstrap", "The first accounts were made, before there was anyone to approve", "what", "mode"),
    _kind("anchor-accepted", "A chain was accepted as it is, after its anchor was lost", "entries kind", "reason"),
    _kind("fence-restored", "Triggers that keep records from being changed were missing, and were put back", "what"),
    # sign-in and accounts
    _kind("sign-in", "Somebody signed in", "", "issuer way session roles"),
    _kind("sign-out", "Somebody signed out", "", "session way"),
    _kind("sign-in-refused", "Sign-ins were refused (counted by the minute)", "counts", "minute issuer code"),
    _kind("account-created", "An account was made", "", "issuer roles person title way reason"),
    _kind("account-held", "What an account asks counts against a person's cap", "person reason"),
    _kind("account-frozen", "An account was frozen", "reason"),
    _kind("account-unfrozen", "An account was unfrozen", "reason", "proposal"),
    _kind("roles-changed", "The roles of an account were changed", "roles", "roles_before reason proposal"),
    _kind(
        "access-refused",
        "What somebody may not see or do was refused (counted by the minute)",
        "counts",
        "minute permission route",
    ),
    # projects, people and keys
    _kind(
        "project-created", "A project was made", "", "application cap grants title expires scope reason way proposal"
    ),
    _kind("project-changed", "What a project may do was changed", "what", "grants scope expires reason proposal"),
    _kind("project-frozen", "A project was frozen: nothing is answered for it", "reason"),
    _kind("project-unfrozen", "A project was unfrozen", "reason", "proposal"),
    _kind("person-created", "A person was given a budget", "cap", "reason way account"),
    _kind("member-added", "An account was made a member of a project", "account", "role reason"),
    _kind("member-removed", "An account is no longer a member of a project", "account", "reason"),
    _kind("key-created", "An API key was made", "project", "label person role expires way"),
    _kind("key-revoked", "An API key was revoked", "", "project reason way"),
    _kind("key-frozen", "An API key was frozen", "reason", "project"),
    _kind("key-unfrozen", "An API key was unfrozen", "reason", "project"),
    # applications
    _kind("application-started", "An application was begun", "", "title project"),
    _kind("application-sent", "An application was sent", "", "title version variables years data_set digest project"),
    _kind("application-withdrawn", "An application was withdrawn by those who sent it", "", "reason"),
    _kind("application-commented", "Somebody commented on an application", "comment", "step sections"),
    _kind("application-returned", "An application was returned to be mended", "reason", "step sections comment"),
    _kind("application-decided", "An application was decided", "decision", "reason project proposal comment"),
    # two people
    _kind("proposal-made", "Something that wants a second person was proposed", "kind", "what reason proposal loosens"),
    _kind("proposal-approved", "A second person approved a proposal", "kind", "reason proposal what"),
    _kind("proposal-refused", "A second person refused a proposal", "kind", "reason proposal what"),
    _kind("proposal-withdrawn", "A proposal was withdrawn", "kind", "reason proposal what"),
    _kind("proposal-executed", "What was proposed and approved was done", "kind", "reason proposal what"),
    # budgets
    _kind("cut-cap-changed", "The budget of a cut was changed", "before after reason terms digest", "proposal"),
    _kind("project-cap-changed", "The budget of a project was changed", "before after reason", "proposal"),
    _kind("person-cap-changed", "The budget of a person was changed", "before after reason", "proposal"),
    # policies and cuts
    _kind("policy-imported", "A policy file became a cut's version 1", "version policy terms digest", "way reason"),
    _kind("policy-drafted", "A version of a policy was drafted", "version policy", "loosens tightens reason"),
    _kind(
        "policy-proposed", "A version of a policy was proposed", "version policy", "loosens tightens reason proposal"
    ),
    _kind("policy-withdrawn", "A version of a policy was given up unpublished", "version", "policy reason"),
    _kind(
        "policy-published",
        "A version of a policy came into force",
        "version policy terms digest",
        "loosens tightens reason proposal",
    ),
    _kind("cut-frozen", "A cut was frozen: no question of it is answered", "reason terms digest"),
    _kind("cut-unfrozen", "A cut was unfrozen", "reason terms digest", "proposal"),
    # questions
    _kind("query-refused", "Questions were refused (counted by the minute)", "counts", "minute project"),
    _kind("output-checked", "An output was checked", "verdict data_set version policy digest", "project"),
    _kind("table-registered", "A table was registered to be released", "data_set title policy"),
    _kind("table-withdrawn", "A registered table was withdrawn"),
    _kind("synthetic-signed", "Somebody signed a synthetic release off", "digest reason what"),
    _kind("synthetic-released", "A synthetic release was put out for anybody to read", "digest tables"),
    # watching
    _kind("flag-acknowledged", "A red flag was looked at", "detector reason", "severity"),
    _kind("record-exported", "The record was exported", "", "entries way"),
)

KINDS: Mapping[str, AuditKind] = {kind.name: kind for kind in _ALL}

TERMS_KINDS = frozenset({"policy-imported", "policy-published", "cut-cap-changed", "cut-frozen", "cut-unfrozen"})
"""Each is a change of the terms of a cut, and names it by number and digest."""

LEDGER_KINDS: Mapping[str, str] = {
    "charge": "A question was charged to the budget, before anything was measured",
    "release": "An answer was released",
    "failed": "A question that was charged came to nothing; its price stays charged",
}
"""Of the other chain, in the same plain words."""


def facts_text(note: Note) -> str:
    """The facts of a note as canonical JSON; NotRecordable for whatever is not in the catalogue."""
    kind = KINDS.get(note.kind)
    if kind is None:
        raise NotRecordable(f"the audit chain holds no {note.kind!r}")
    if not _ACTOR.fullmatch(note.actor) or not _SUBJECT.fullmatch(note.subject):
        raise NotRecordable(f"{note.kind}: want an actor such as u-1a2b and a subject such as cut:npd")
    _refuse_facts(kind, note.facts)
    return json.dumps(note.facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _refuse_facts(kind: AuditKind, facts: Mapping[str, Any]) -> None:
    if lacking := sorted(kind.needs - facts.keys()):
        raise NotRecordable(f"{kind.name}: wants {', '.join(lacking)}")
    if unknown := sorted(facts.keys() - kind.needs - kind.may):
        raise NotRecordable(f"{kind.name}: holds no {', '.join(unknown)}")
    for name, value in facts.items():
        if not FACTS[name].accepts(value):
            raise NotRecordable(f"{kind.name}: {name} wants {FACTS[name].words}")
