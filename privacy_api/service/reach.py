"""Which cuts there are for whom. What does not exist for somebody answers like what does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from datasets.catalogue import Catalogue
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal, ProjectKind, StoredRelease
from privacy_api.service.cuts import SANDBOX, HostedCut, HostedDataSet
from privacy_api.service.services import Services


def find_data_set(name: str, services: Services) -> HostedDataSet:
    """As it is described to everybody."""
    hosted = services.data_sets.get(name)
    if hosted is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail="No such data set; /v1/data-sets lists them.")
    return hosted


def reach(name: str, principal: Principal, services: Services) -> HostedDataSet:
    """As the principal may ask it: not at all where it is real and only synthetic ones exist for them; a sandbox has a
    copy of its own, so that nobody's play uses up anybody else's budget or answers."""
    hosted = find_data_set(name, services)
    if principal.synthetic_only and not hosted.cut.catalogue.synthetic:
        return find_data_set("", services)
    return HostedDataSet(_own(hosted.cut, principal), hosted.data_set)


def twin(hosted: HostedDataSet, services: Services) -> HostedDataSet | None:
    """The same data set in the other cut of a pair: of made-up pupils, or real. The real one's catalogue names them."""
    own = hosted.cut.catalogue
    return next(
        (
            other
            for other in services.data_sets.values()
            if other.data_set.id == hosted.data_set.id
            and other.cut.catalogue.synthetic != own.synthetic
            and _pair(own, other.cut.catalogue)
        ),
        None,
    )


def _pair(one: Catalogue, other: Catalogue) -> bool:
    return one.twin == other.cut or other.twin == one.cut


def cuts_of(principal: Principal, services: Services) -> Mapping[str, HostedCut]:
    """By name."""
    cuts = {h.cut.catalogue.cut: h.cut for h in services.data_sets.values()}
    real_too = not principal.synthetic_only
    return {name: _own(cut, principal) for name, cut in cuts.items() if real_too or cut.catalogue.synthetic}


def _own(cut: HostedCut, principal: Principal) -> HostedCut:
    return replace(cut, sandbox=principal.project.id) if principal.project.kind is ProjectKind.SANDBOX else cut


def release_for(release: str, synthetic_only: bool, services: Services, project: str = "") -> StoredRelease:
    """404 unless it is there and its cut exists for whoever asks. project: whose sandbox may be looked into."""
    stored = services.ledger.release(release)
    if stored is None or stored.is_model or not _exists(stored.cut, synthetic_only, project, services):
        raise ApiError(ErrorCode.NOT_FOUND)
    return stored


def is_synthetic(account: str, services: Services) -> bool:
    """Whether the cut that the ledger names so is of made-up pupils."""
    name = account.partition(SANDBOX)[0]
    return any(h.cut.catalogue.synthetic for h in services.data_sets.values() if h.cut.catalogue.cut == name)


def may_read(account: str, principal: Principal, services: Services) -> bool:
    """Whether what the ledger keeps under this account of a cut is there for the principal."""
    return _exists(account, principal.synthetic_only, principal.project.id, services)


def _exists(account: str, synthetic_only: bool, project: str, services: Services) -> bool:
    """A sandbox's is its own."""
    name, apart, owner = account.partition(SANDBOX)
    if apart:
        return owner == project
    return not synthetic_only or any(
        h.cut.catalogue.synthetic for h in services.data_sets.values() if h.cut.catalogue.cut == name
    )
