"""A release of tier T3: pupils drawn from a fitted model, with the catalogue that reads them, manifest and report."""
