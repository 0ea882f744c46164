"""The catalogue of the National Pupil Database: TOML and code lists in this folder."""
