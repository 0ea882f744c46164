"""Who is admitted to which route: the only place that says so.

A route without a row, or a row without a route, refuses to start. What is whose (is it my project?) is decided in the
use cases, which answer 404 for what is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from privacy_api.governance.roles import Permission


class Admission(Enum):
    """PUBLIC: anybody. KEY: whoever may ask for a project: an API key; or a session or bearer token and a project.
    SIGNED_IN: any account."""

    PUBLIC = "public"
    KEY = "key"
    SIGNED_IN = "signed-in"


Access = Admission | Permission
"""A permission wants a caller that has it."""
Table = Mapping[tuple[str, str], Access]

PUBLIC, KEY, SIGNED_IN = Admission.PUBLIC, Admission.KEY, Admission.SIGNED_IN

_API: Table = {
    ("GET", "/openapi.json"): PUBLIC,
    ("HEAD", "/openapi.json"): PUBLIC,
    ("GET", "/health"): PUBLIC,
    ("HEAD", "/health"): PUBLIC,
    ("GET", "/v1/data-sets"): PUBLIC,
    ("GET", "/v1/data-sets/{data_set}"): PUBLIC,
    ("GET", "/v1/data-sets/{data_set}/meta"): PUBLIC,
    ("GET", "/v1/data-sets/{data_set}/odometer"): KEY,
    ("POST", "/v1/data-sets/{data_set}/query"): KEY,
    ("GET", "/v1/data-sets/{data_set}/query"): KEY,
    ("POST", "/v1/data-sets/{data_set}/query/preview"): KEY,
    ("GET", "/v1/data-sets/{data_set}/query/preview"): KEY,
    ("GET", "/v1/tables"): KEY,
    ("GET", "/v1/tables/{table}"): KEY,
    ("GET", "/v1/releases/{release}"): KEY,
    ("GET", "/v1/projects"): KEY,
    ("GET", "/v1/projects/{project}/budget"): KEY,
    ("GET", "/v1/projects/{project}"): SIGNED_IN,
    ("POST", "/v1/projects/{project}/freeze"): Permission.FREEZE,
    ("POST", "/v1/projects/{project}/unfreeze"): Permission.UNFREEZE,
    ("PUT", "/v1/projects/{project}/tightening"): Permission.SET_BUDGETS,
    ("POST", "/v1/projects/{project}/members"): Permission.DECIDE_APPLICATIONS,
    ("DELETE", "/v1/projects/{project}/members/{account}"): Permission.DECIDE_APPLICATIONS,
    ("GET", "/v1/applications"): SIGNED_IN,
    ("POST", "/v1/applications"): Permission.APPLY,
    ("GET", "/v1/applications/{application}"): SIGNED_IN,
    ("GET", "/v1/applications/{application}/submissions"): SIGNED_IN,
    ("PUT", "/v1/applications/{application}/steps/{step}"): Permission.APPLY,
    ("POST", "/v1/applications/{application}/submit"): Permission.APPLY,
    ("POST", "/v1/applications/{application}/withdraw"): SIGNED_IN,
    ("POST", "/v1/applications/{application}/comments"): SIGNED_IN,
    ("POST", "/v1/applications/{application}/return"): Permission.DECIDE_APPLICATIONS,
    ("POST", "/v1/applications/{application}/refuse"): Permission.DECIDE_APPLICATIONS,
    ("POST", "/v1/applications/{application}/approve"): Permission.DECIDE_APPLICATIONS,
    ("GET", "/v1/proposals"): Permission.STAFF,
    ("GET", "/v1/proposals/{proposal}"): Permission.STAFF,
    ("POST", "/v1/proposals/{proposal}/approve"): Permission.DECIDE_PROPOSALS,
    ("POST", "/v1/proposals/{proposal}/refuse"): Permission.DECIDE_PROPOSALS,
    ("POST", "/v1/proposals/{proposal}/withdraw"): Permission.STAFF,
    ("GET", "/v1/audit"): Permission.VIEW_AUDIT,
    ("GET", "/v1/audit/export"): Permission.VIEW_AUDIT,
    ("GET", "/v1/audit/verification"): Permission.VIEW_AUDIT,
    ("GET", "/v1/red-flags"): Permission.VIEW_RED_FLAGS,
    ("POST", "/v1/red-flags/{flag}/acknowledgement"): Permission.VIEW_RED_FLAGS,
    ("GET", "/v1/performance"): PUBLIC,
    ("GET", "/v1/budgets"): Permission.VIEW_BUDGETS,
    ("PUT", "/v1/budgets/{scope}/{name}"): Permission.SET_BUDGETS,
    ("GET", "/v1/cuts/{cut}/terms"): Permission.VIEW_POLICIES,
    ("POST", "/v1/cuts/{cut}/freezing"): Permission.FREEZE,
    ("POST", "/v1/cuts/{cut}/unfreezing"): Permission.UNFREEZE,
    ("GET", "/v1/cuts/{cut}/policies"): Permission.VIEW_POLICIES,
    ("POST", "/v1/cuts/{cut}/policies"): Permission.SET_POLICIES,
    ("GET", "/v1/cuts/{cut}/policies/{version}"): Permission.VIEW_POLICIES,
    ("GET", "/v1/cuts/{cut}/policies/{version}/effect"): Permission.VIEW_POLICIES,
    ("POST", "/v1/cuts/{cut}/policies/{version}/publication"): Permission.SET_POLICIES,
    ("POST", "/v1/cuts/{cut}/policies/{version}/withdrawal"): Permission.SET_POLICIES,
    ("POST", "/v1/output-checks"): Permission.CHECK_OUTPUTS,
    ("GET", "/v1/output-checks"): Permission.CHECK_OUTPUTS,
    ("GET", "/v1/synthetic/releases"): PUBLIC,
    ("GET", "/v1/synthetic/releases/{release}"): PUBLIC,
    ("GET", "/v1/synthetic/releases/{release}/report"): PUBLIC,
    ("GET", "/v1/synthetic/releases/{release}/download/{table}"): PUBLIC,
    ("HEAD", "/v1/synthetic/releases/{release}/download/{table}"): PUBLIC,
    ("GET", "/v1/keys"): Permission.OWN_KEYS,
    ("POST", "/v1/keys"): Permission.OWN_KEYS,
    ("DELETE", "/v1/keys/{key}"): Permission.OWN_KEYS,
    ("POST", "/v1/keys/{key}/freeze"): Permission.FREEZE,
    ("POST", "/v1/keys/{key}/unfreeze"): Permission.UNFREEZE,
    ("POST", "/v1/sandbox/keys"): PUBLIC,
    ("POST", "/v1/sandbox/reset"): KEY,
    ("GET", "/v1/accounts"): Permission.MANAGE_ACCOUNTS,
    ("PUT", "/v1/accounts/{account}/roles"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/v1/accounts/{account}/freeze"): Permission.FREEZE,
    ("POST", "/v1/accounts/{account}/unfreeze"): Permission.UNFREEZE,
}

_PAGES: Table = {
    ("GET", "/"): PUBLIC,
    ("HEAD", "/"): PUBLIC,
    **{
        (method, page): PUBLIC
        for method in ("GET", "HEAD")
        for page in (
            "/catalogue",
            "/catalogue/{data_set}",
            "/catalogue/{data_set}/{variable}",
            "/register",
            "/register/releases",
            "/q/{release}",
            "/q/{release}/{format}",
            "/performance",
            "/help/protection",
            "/accessibility",
            "/privacy",
            "/cookies",
            "/sandbox",
            "/synthetic",
        )
    },
    ("POST", "/sandbox"): PUBLIC,
    ("POST", "/sandbox/yours"): PUBLIC,
    ("GET", "/static/{digest}/{name}"): PUBLIC,
    ("HEAD", "/static/{digest}/{name}"): PUBLIC,
    ("GET", "/apply"): Permission.APPLY,
    ("HEAD", "/apply"): Permission.APPLY,
    ("POST", "/apply"): Permission.APPLY,
    ("GET", "/apply/{application}"): Permission.APPLY,
    ("HEAD", "/apply/{application}"): Permission.APPLY,
    ("GET", "/apply/{application}/check"): Permission.APPLY,
    ("HEAD", "/apply/{application}/check"): Permission.APPLY,
    ("GET", "/apply/{application}/people"): Permission.APPLY,
    ("HEAD", "/apply/{application}/people"): Permission.APPLY,
    ("GET", "/apply/{application}/data-sets"): Permission.APPLY,
    ("HEAD", "/apply/{application}/data-sets"): Permission.APPLY,
    ("GET", "/apply/{application}/data-sets/{data_set}"): Permission.APPLY,
    ("HEAD", "/apply/{application}/data-sets/{data_set}"): Permission.APPLY,
    ("GET", "/apply/{application}/sensitive"): Permission.APPLY,
    ("HEAD", "/apply/{application}/sensitive"): Permission.APPLY,
    ("GET", "/apply/{application}/{page}"): Permission.APPLY,
    ("HEAD", "/apply/{application}/{page}"): Permission.APPLY,
    ("POST", "/apply/{application}/send"): Permission.APPLY,
    ("POST", "/apply/{application}/withdraw"): Permission.APPLY,
    ("POST", "/apply/{application}/comments"): Permission.APPLY,
    ("POST", "/apply/{application}/people"): Permission.APPLY,
    ("POST", "/apply/{application}/data-sets"): Permission.APPLY,
    ("POST", "/apply/{application}/data-sets/{data_set}"): Permission.APPLY,
    ("POST", "/apply/{application}/sensitive"): Permission.APPLY,
    ("POST", "/apply/{application}/{page}"): Permission.APPLY,
    ("GET", "/docs"): PUBLIC,
    ("HEAD", "/docs"): PUBLIC,
    ("GET", "/docs/start.js"): PUBLIC,
    ("GET", "/docs/{asset}"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("HEAD", "/sign-in"): PUBLIC,
    ("GET", "/sign-in/start"): PUBLIC,
    ("GET", "/sign-in/callback"): PUBLIC,
    ("GET", "/sign-out"): PUBLIC,
    ("HEAD", "/sign-out"): PUBLIC,
    ("POST", "/sign-out"): PUBLIC,
}

_BUILDER = "/ask/{project}/{data_set}/{step}"
_ASKED: Table = {
    (method, path): Permission.ASK
    for path in (
        *("/ask", _BUILDER, "/answers/{release}", "/answers/{release}/since/{earlier}"),
        *("/my/releases", "/my/queries", "/budget"),
    )
    for method in ("GET", "HEAD")
}
"""The researcher's own pages."""
_ASKING: Table = {
    ("POST", _BUILDER): Permission.ASK,
    ("GET", "/answers/{release}/download/{format}"): Permission.ASK,
    ("GET", "/answers/{release}/chart/{number}"): Permission.ASK,
    ("POST", "/my/queries"): Permission.ASK,
}

_KEYS: Table = {
    ("GET", "/keys"): Permission.OWN_KEYS,
    ("HEAD", "/keys"): Permission.OWN_KEYS,
    ("POST", "/keys"): Permission.OWN_KEYS,
    ("POST", "/keys/{key}/revoke"): Permission.OWN_KEYS,
}

_STAFF: Table = {
    ("GET", "/admin"): Permission.STAFF,
    ("HEAD", "/admin"): Permission.STAFF,
    ("GET", "/admin/applications"): Permission.REVIEW_APPLICATIONS,
    ("HEAD", "/admin/applications"): Permission.REVIEW_APPLICATIONS,
    ("GET", "/admin/applications/{application}"): Permission.REVIEW_APPLICATIONS,
    ("HEAD", "/admin/applications/{application}"): Permission.REVIEW_APPLICATIONS,
    ("POST", "/admin/applications/{application}/comments"): Permission.REVIEW_APPLICATIONS,
    ("POST", "/admin/applications/{application}/decision"): Permission.DECIDE_APPLICATIONS,
    ("GET", "/admin/proposals"): Permission.STAFF,
    ("HEAD", "/admin/proposals"): Permission.STAFF,
    ("GET", "/admin/proposals/{proposal}"): Permission.STAFF,
    ("HEAD", "/admin/proposals/{proposal}"): Permission.STAFF,
    ("POST", "/admin/proposals/{proposal}/decision"): Permission.STAFF,
    ("GET", "/admin/policies"): Permission.VIEW_POLICIES,
    ("HEAD", "/admin/policies"): Permission.VIEW_POLICIES,
    ("GET", "/admin/policies/{cut}"): Permission.VIEW_POLICIES,
    ("HEAD", "/admin/policies/{cut}"): Permission.VIEW_POLICIES,
    ("POST", "/admin/policies/{cut}"): Permission.SET_POLICIES,
    ("GET", "/admin/policies/{cut}/{version}"): Permission.VIEW_POLICIES,
    ("HEAD", "/admin/policies/{cut}/{version}"): Permission.VIEW_POLICIES,
    ("POST", "/admin/policies/{cut}/{version}/publication"): Permission.SET_POLICIES,
    ("POST", "/admin/policies/{cut}/{version}/withdrawal"): Permission.SET_POLICIES,
    ("GET", "/admin/budgets"): Permission.VIEW_BUDGETS,
    ("HEAD", "/admin/budgets"): Permission.VIEW_BUDGETS,
    ("GET", "/admin/budgets/{scope}/{name}"): Permission.VIEW_BUDGETS,
    ("HEAD", "/admin/budgets/{scope}/{name}"): Permission.VIEW_BUDGETS,
    ("POST", "/admin/budgets/{scope}/{name}"): Permission.SET_BUDGETS,
    ("GET", "/admin/data-sets"): Permission.STAFF,
    ("HEAD", "/admin/data-sets"): Permission.STAFF,
    ("GET", "/admin/data-sets/{cut}"): Permission.STAFF,
    ("HEAD", "/admin/data-sets/{cut}"): Permission.STAFF,
    ("POST", "/admin/data-sets/{cut}/freezing"): Permission.FREEZE,
    ("POST", "/admin/data-sets/{cut}/unfreezing"): Permission.UNFREEZE,
    ("GET", "/admin/people"): Permission.MANAGE_ACCOUNTS,
    ("HEAD", "/admin/people"): Permission.MANAGE_ACCOUNTS,
    ("GET", "/admin/people/{account}"): Permission.MANAGE_ACCOUNTS,
    ("HEAD", "/admin/people/{account}"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/admin/people/{account}/roles"): Permission.MANAGE_ACCOUNTS,
    ("POST", "/admin/people/{account}/freezing"): Permission.FREEZE,
    ("POST", "/admin/people/{account}/unfreezing"): Permission.UNFREEZE,
    ("GET", "/admin/audit"): Permission.VIEW_AUDIT,
    ("HEAD", "/admin/audit"): Permission.VIEW_AUDIT,
    ("GET", "/admin/audit/verification"): Permission.VIEW_AUDIT,
    ("HEAD", "/admin/audit/verification"): Permission.VIEW_AUDIT,
    ("GET", "/admin/red-flags"): Permission.VIEW_RED_FLAGS,
    ("HEAD", "/admin/red-flags"): Permission.VIEW_RED_FLAGS,
    ("GET", "/admin/red-flags/{flag}"): Permission.VIEW_RED_FLAGS,
    ("HEAD", "/admin/red-flags/{flag}"): Permission.VIEW_RED_FLAGS,
    ("POST", "/admin/red-flags/{flag}/acknowledgement"): Permission.VIEW_RED_FLAGS,
}

ACCESS: Table = {**_API, **_PAGES, **_KEYS, **_ASKED, **_ASKING, **_STAFF}

DEVELOPMENT: Table = {("POST", "/sign-in/development"): PUBLIC}
"""Routes that are there in demonstrations alone."""

ACTS: frozenset[tuple[str, str]] = frozenset({("GET", "/v1/data-sets/{data_set}/query")})
"""Reads by their method that do something (charge a budget): a link to one from another site must not."""


def wants_project(access: Access) -> bool:
    """Whether the caller asks for a project there, so that an account's must be known."""
    return access in (KEY, Permission.CHECK_OUTPUTS)


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def acts(method: str, path: str) -> bool:
    """Whether a browser's cookie alone is not enough."""
    return method not in SAFE_METHODS or (method, path) in ACTS


def is_page(path: str) -> bool:
    """Pages send who is not signed in to the sign-in page; the API says 401."""
    return not path.startswith(("/v1/", "/openapi.json", "/health", "/static/"))
