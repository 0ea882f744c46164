"""Changes of a cut's terms: each is whole, recorded in the audit chain, and in force from its commit on, everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from disclosure.policy import Policy, load_policy
from privacy_api.ports import Audit, AuditBroken, CutTerms, PolicyState, PolicyVersion, Terms

SERVICE = "service"
"""The actor of what nobody decided."""


class Records(Protocol):
    """What a change is written to: `Services`, or the stores before there are any."""

    @property
    def terms(self) -> CutTerms: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def together(self) -> Callable[[], AbstractContextManager[None]]: ...


def change_terms(
    standing: Terms,
    kind: str,
    by: str,
    at: str,
    why: str,
    facts: Mapping[str, Any],
    records: Records,
    **changes: Any,
) -> Terms:
    """kind: of the entry in the audit chain, one of TERMS_KINDS. changes: fields of the terms."""
    with records.together():
        made = records.terms.append(replace(standing, by=by, at=at, reason=why, **changes))
        told = {"reason": why, **facts, "terms": made.number, "digest": made.digest}
        records.audit.record(kind, by, f"cut:{made.cut}", told)
    return made


def import_policy(cut: str, text: str, at: str, records: Records) -> Terms:
    """A cut's policy file becomes its first version. Whoever comes second finds it done."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    with records.together():
        if (standing := records.terms.of(cut)) is not None:
            return standing
        why = "the policy file at the first start"
        first = PolicyVersion(cut, 0, text, digest, why, SERVICE, at, PolicyState.PUBLISHED, SERVICE, at)
        made = records.terms.add_version(first)
        facts = {"version": str(made.version), "policy": digest, "way": "file"}
        now_in_force = {"version": made.version, "policy": digest}
        return change_terms(Terms(cut=cut), "policy-imported", SERVICE, at, why, facts, records, **now_in_force)


def policy_in_force(terms: Terms, kept: CutTerms) -> Policy:
    """AuditBroken if it is not what was published."""
    version = kept.version(terms.cut, terms.version)
    if version is None or hashlib.sha256(version.text.encode()).hexdigest() != terms.policy:
        raise AuditBroken(f"The policy in force for {terms.cut} is not in the service database as it was published.")
    return load_policy(version.text)
