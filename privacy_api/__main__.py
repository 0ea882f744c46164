"""`python -m privacy_api` is `privacy-api`."""

from privacy_api.cli import app

app()
