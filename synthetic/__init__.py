"""Data with nobody in it, made from the same catalogue that describes the real cut."""
