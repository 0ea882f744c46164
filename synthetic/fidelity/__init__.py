"""How like the real pupils are those who do not exist: measures, and a report of them."""
