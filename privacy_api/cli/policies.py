"""Policies: what they say, what another version changes, and which cut they protect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import HomeOption, fail, read_text, refusals, settings_for
from privacy_api.cli.cuts import bind

if TYPE_CHECKING:
    from disclosure.policy import CellKey, Difference, Policy

policy_app = typer.Typer(help="Protect a cut.", no_args_is_help=True)


@policy_app.command("check")
def check_policy(policy: Path) -> None:
    """Validate a policy; all problems at once."""
    with refusals():
        from disclosure.policy import load_policy

        loaded = load_policy(read_text(policy))
        typer.echo(f"{loaded.name} version {loaded.version}, mode {loaded.mode}: the policy is good")


@policy_app.command("explain")
def explain_policy(policy: Path) -> None:
    """What a policy says, in its own plain words, where it is from, and what its budget means."""
    with refusals():
        from disclosure.policy import load_policy

        loaded = load_policy(read_text(policy))
        for name, rule in loaded.rules.items():
            typer.echo(f"{name}: {rule.plain} [{'verified' if rule.verified else 'not verified'}; {rule.owner}]")
            typer.echo(f"  source: {rule.source}")
        if loaded.acknowledged_risk:
            typer.echo(f"ad_hoc: free queries are answered; the risk: {loaded.acknowledged_risk}")
        if loaded.cell_key:
            typer.echo(_variances(loaded.cell_key))
        if loaded.cut_cap:
            typer.echo(_budget(loaded))


def _variances(cell_key: CellKey) -> str:
    """Rows near zero may have less than the policy's variance, which is an upper bound."""
    realised = cell_key.table().variances[1:]
    least, last = min(realised), realised[-1]
    return (
        f"The perturbation has variance {least:.2f} for a count of {realised.index(least) + 1}, where it has least, "
        f"and {last:.2f} for large counts. It is no privacy guarantee."
    )


def _budget(policy: Policy) -> str:
    from disclosure.accounting import coin_flip_accuracy, epsilon

    eps, delta = epsilon(policy.cut_cap, policy.delta), policy.delta_with(policy.listed_at_most(0))
    return (
        f"At the cap epsilon is {eps:.2f} (delta {delta:g}): someone who knows everything else about a "
        f"child is right about one coin-flip fact at most {100 * coin_flip_accuracy(eps):.1f} % of the time."
    )


@policy_app.command("ptable")
def perturbation_table(
    policy: Path, out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write (CSV).")] = None
) -> None:
    """The perturbation table of a policy with `cell_key`: which key changes which count by how much."""
    with refusals():
        from disclosure.cell_key import to_csv
        from disclosure.policy import load_policy

        cell_key = load_policy(read_text(policy)).cell_key
    if cell_key is None:
        fail(f"{policy}: has no cell_key, so it perturbs nothing")
    text = to_csv(cell_key.table())
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@policy_app.command("diff")
def diff_policies(before: Path, after: Path) -> None:
    """What AFTER changes in BEFORE, rule by rule, and which way.

    The last line names what loosens and what tightens. Exit code 1 if anything loosens or cannot be ordered, so that a
    script can stop there; 1 as well, with the problems, if a file is refused; 0 otherwise.
    """
    with refusals():
        from disclosure.policy import compare

        differences = compare(read_text(before), read_text(after))
    for difference in differences:
        typer.echo(str(difference))
    loosening, tightening = (_places(differences, change) for change in ("loosens", "tightens"))
    typer.echo(f"loosens: {loosening or 'nothing'}; tightens: {tightening or 'nothing'}")
    if loosening:
        raise typer.Exit(1)


def _places(differences: tuple[Difference, ...], change: str) -> str:
    return ", ".join(d.place for d in differences if d.change == change)


@policy_app.command("bind")
def bind_policy(cut: str, policy: Path, home: HomeOption = None) -> None:
    """Bind a policy to a cut; the server takes it up when it next starts."""
    with refusals():
        from datasets.ingest import list_cuts

        settings = settings_for(home)
        if cut not in list_cuts(settings.cuts):
            fail(f"{cut}: no such cut is published; ingest it first")
        bind(settings.policies, cut, read_text(policy))
        typer.echo(f"{cut}: policy bound")
