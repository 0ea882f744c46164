"""What must hold of generated files, asked of the files themselves: `check` finds every rule that does not."""

from synthetic.checking.finding import Finding
from synthetic.checking.run import check

__all__ = ["Finding", "check"]
