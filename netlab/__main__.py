"""``python -m netlab`` and the ``netlab`` command.

Until a command has its own way to end, and when it is over, ctrl+c just ends the process: a traceback out of an import
helps nobody.
"""

# `signal` itself takes milliseconds to import, in which ctrl+c would print one.
import _signal  # type: ignore[import-not-found]  # it has no stubs

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import gc
import os
import sys

from netlab import cli

ENDING_AT_ONCE = frozenset({"serve", "wire"})
"""Commands that close all that they opened. Taking the interpreter down after that costs a tenth of their start."""


def main() -> int:
    """Run ``netlab`` with the process's arguments; return the exit status."""
    gc.disable()  # until the command is imported: nothing that is made meanwhile is garbage
    status = cli.main()
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    if ENDING_AT_ONCE.intersection(sys.argv[1:2]):
        sys.stderr.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
