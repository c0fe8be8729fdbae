"""``python -m netlab`` and the ``netlab`` command.

Until a command has its own way to end, and when it is over, ctrl+c just ends the process: a traceback out of an import
helps nobody.
"""

# `signal` itself takes milliseconds to import, in which ctrl+c would print one.
import _signal  # type: ignore[import-not-found]  # it has no stubs

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys

from netlab import cli


def main() -> int:
    """Run ``netlab`` with the process's arguments; return the exit status."""
    status = cli.main()
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    return status


if __name__ == "__main__":
    sys.exit(main())
