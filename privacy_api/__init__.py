"""HTTP, identity, storage and the command line of the Privacy Controlling API. Imports nothing heavy by itself."""

__version__ = "0.1.0"
