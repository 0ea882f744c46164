"""Accuracy at equal (ε, δ) on real files: ours, SmartNoise SQL and OpenDP Polars. `make bench-accuracy`."""
