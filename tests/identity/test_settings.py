"""Settings of sign-in: what would let in whom it should not, or nobody, refuses to start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from privacy_api.bootstrap import make_app, open_provider
from privacy_api.settings import SettingsRefused, load_settings

OIDC = {"oidc_issuer": "https://i.example", "oidc_client_id": "npd", "public_url": "https://npd.example"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"development_sign_in": True}, "DEVELOPMENT_SIGN_IN"),
        ({"development_sign_in": True, "mode": "demo", "host": "0.0.0.0"}, "DEVELOPMENT_SIGN_IN"),  # noqa: S104
        ({"oidc_client_id": "npd"}, "OIDC_CLIENT_ID"),
        (OIDC | {"public_url": ""}, "PUBLIC_URL"),
        (OIDC | {"oidc_client_id": ""}, "OIDC_CLIENT_ID"),
        (OIDC | {"oidc_issuer": "http://i.example"}, "OIDC_ISSUER"),
        (OIDC | {"oidc_audience": "npd"}, "OIDC_AUDIENCE"),
        (OIDC | {"oidc_client_secret_file": "/nonexistent"}, "OIDC_CLIENT_SECRET_FILE"),
        (OIDC | {"oidc_role_claim": "roles"}, "OIDC_ROLES"),
        (OIDC | {"oidc_role_claim": "roles", "oidc_roles": "officers"}, "OIDC_ROLES"),
        (OIDC | {"oidc_role_claim": "roles", "oidc_roles": "officers=king"}, "OIDC_ROLES"),
    ],
)
def test_each_that_is_refused(tmp_path: Path, given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsRefused, match=named):
        open_provider(load_settings({}, home=tmp_path, **given))


def test_a_provider_that_is_set_is_not_asked_at_the_start(tmp_path: Path) -> None:
    found = open_provider(load_settings({}, home=tmp_path, **OIDC))
    assert found is not None
    assert found.issuer == "https://i.example"


def test_made_up_people_sign_in_where_that_is_set_and_nowhere_else(tmp_path: Path) -> None:
    for wanted in (True, False):
        app = make_app(load_settings({}, home=tmp_path, mode="demo", development_sign_in=wanted))
        assert (("POST", "/sign-in/development") in app.state.access) is wanted
        app.state.services.close()
