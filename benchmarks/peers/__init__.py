"""Times of ours and of peers on the same counts of the same million pupils, in one run."""
