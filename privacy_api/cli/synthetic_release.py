"""`privacy-api synthetic release`: four checks, a signature, and with the last signature wanted it is out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privacy_api.cli.budgets import ModeOption
from privacy_api.cli.common import HomeOption, fail, refusals, settings_for


def release(
    folder: Annotated[Path, typer.Argument(help="A directory with files, manifest and report.")],
    officer: Annotated[str, typer.Option(help="Who signs: a name that the record will hold.")],
    reason: Annotated[str, typer.Option(help="What was looked at, and why it may go out.")],
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Run the four checks, sign the release off where all are passed, and put it out when enough people have signed."""
    with refusals():
        from synthetic.release import tier_of
        from synthetic.tiers import SIGNATURES

        try:
            signed_for = _checked(folder)
            tier = tier_of(folder)
            signed = _sign(folder, signed_for, officer, reason, home, mode)
        except ValueError as wrong:
            fail(str(wrong))
            return
        wanted = SIGNATURES[tier]
        if len(signed) < wanted:
            typer.echo(f"signed by {len(signed)} of {wanted}: another person has to sign")
        else:
            typer.echo(f"released: signed by {', '.join(signed)}; read it at /v1/synthetic/releases/{signed_for[:16]}")


def _checked(folder: Path) -> str:
    """The digest of what passed all four, and of nothing else."""
    from privacy_api.cli.progress import Bar
    from synthetic.release import digest, gates

    gates_of = digest(folder)
    with Bar() as bar:
        found = gates(folder, bar.step)
    for gate in found:
        typer.echo(f"{'REFUSED' if gate.wrong else 'passed '}  {gate.check.value}")
        for sentence in gate.wrong:
            typer.echo(f"         {sentence}")
    if any(gate.wrong for gate in found):
        raise typer.Exit(1)
    if digest(folder) != gates_of:
        raise ValueError(f"{folder}: changed while it was checked")
    return gates_of


def _sign(folder: Path, digest: str, officer: str, reason: str, home: Path | None, mode: str | None) -> list[str]:
    """Who has signed, without `console:`. Who signed before and was interrupted may put it out without a signature."""
    from privacy_api.bootstrap import open_shelf, open_stores
    from privacy_api.service.coarse import is_released
    from privacy_api.service.synthetic_fit import is_paid
    from privacy_api.service.synthetic_releases import AlreadySigned, is_out, put_out, sign, signers
    from synthetic.release import tier_of
    from synthetic.tiers import SIGNATURES

    settings, actor, tier = settings_for(home, mode=mode), f"console:{officer}", tier_of(folder)
    stores, shelf = open_stores(settings), open_shelf(settings.synthetic)
    try:
        if not is_paid(folder, tier, stores.ledger):
            fail(f"{folder}: its model is none that this service fitted and charged")
        if not is_released(folder, tier, stores.ledger):
            fail(f"{folder}: is made from tables that this service did not release so")
        try:
            signed = sign(digest, actor, reason, tier, stores.audit)
        except AlreadySigned:
            signed = signers(digest, stores.audit)
            if len(signed) < SIGNATURES[tier] or is_out(digest, stores.audit, shelf):
                fail(f"{officer} has signed this release already: another person has to")
        if len(signed) >= SIGNATURES[tier] and not is_out(digest, stores.audit, shelf):
            put_out(folder, digest, actor, stores.audit, shelf)
    finally:
        stores.close()
    return [name.removeprefix("console:") for name in signed]
