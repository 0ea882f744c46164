"""Pure functions from exact tables to protected ones. No I/O, no logging, no clock; noise only from OpenDP."""
