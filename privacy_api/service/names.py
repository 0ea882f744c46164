"""Accounts as people know them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from privacy_api.service.identity import ON_PAGES
from privacy_api.service.services import Services


def names_of(accounts: Collection[str], services: Services) -> Mapping[str, str]:
    """By id, or the id of whoever asks on pages; what is no account (a key, a console) keeps its id."""
    found = {each: services.accounts.account(each.removeprefix(ON_PAGES)) for each in accounts}
    return {each: account.name if account else each for each, account in found.items()}
