"""T2: rows from tables that passed disclosure control, and from nothing else of the real data (docs/synthetic.md)."""
