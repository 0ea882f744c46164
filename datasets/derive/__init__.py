"""Derived variables: expressions over other variables of the data set, written once in the catalogue.

`expression` is what may be said, `parse` reads it, `check` types it against the catalogue, `sql` compiles it for an
engine, and `evaluate` computes it in plain Python, which the tests hold the other against.
"""
