"""The tables of a chunk: which pupils have rows in a year, and what is known of each."""
