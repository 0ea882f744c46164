"""`privacy-api`. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import typer

from privacy_api.cli import (
    budgets,
    catalogues,
    cuts,
    deciding,
    demo,
    output_check,
    policies,
    query,
    serve,
    spending,
    synthetic,
    tables,
    versions,
)

app = typer.Typer(
    name="privacy-api",
    help="Aggregate queries on pupil data, with disclosure control and an auditable privacy budget.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("ingest")(cuts.ingest)
app.add_typer(versions.cut_app, name="cut")
app.add_typer(catalogues.catalogue_app, name="catalogue")
app.add_typer(policies.policy_app, name="policy")
app.add_typer(budgets.project_app, name="project")
app.add_typer(budgets.person_app, name="person")
app.add_typer(deciding.application_app, name="application")
app.add_typer(deciding.proposal_app, name="proposal")
app.add_typer(budgets.key_app, name="key")
app.add_typer(budgets.ledger_app, name="ledger")
app.add_typer(spending.budget_app, name="budget")
app.add_typer(tables.table_app, name="table")
app.add_typer(synthetic.synthetic_app, name="synthetic")
app.command("serve")(serve.serve)
app.command("openapi")(serve.openapi)
app.command("query")(query.query)
app.command("output-check")(output_check.output_check)
app.command("demo")(demo.demo)
