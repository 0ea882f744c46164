"""Our differentially private synthetic data and that of peers: the same rows, the same budget, one run."""
