"""What the data is (catalogue), what may be asked (query), and how it is aggregated (plan, SQL, engines)."""
