"""inline, with Python's debugger at the line where a job raises.

Leaving the debugger with ``q`` goes on with the next job. Must not know what the jobs do.
"""

from __future__ import annotations

import pdb  # noqa: T100 - it is what this executor is for
import traceback

from mcmc_bench.executors.inline import Inline


class Debug(Inline):
    """Inline, with a debugger after each error."""

    def raised(self, error: BaseException) -> None:
        """Show where the error was raised, and stop there."""
        traceback.print_exception(error)
        pdb.post_mortem(error.__traceback__)


EXECUTOR = Debug
