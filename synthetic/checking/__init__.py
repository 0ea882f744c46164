"""What must hold of generated files, asked of the files themselves: `check` finds every rule that does not."""

from synthetic.checking.run import Finding, check

__all__ = ["Finding", "check"]
