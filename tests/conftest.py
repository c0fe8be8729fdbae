"""What every test needs: an environment that says nothing about the machine, and certificates of its own."""

import gc
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("netlab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("netlab")

# Textual reads these at import and at start; either one changes every snapshot.
for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_FPS", "TEXTUAL_ANIMATIONS"):
    os.environ.pop(name, None)

# The suite keeps each processor busy: servers and wires that run only while one is idle would hardly run.
os.environ["NETLAB_PRIORITY"] = "normal"

# The tests start thousands of programs. Without byte code each compiles all modules again, which doubles its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell ignores ctrl+c for what it runs in the background, and so would every program that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


LONG = ("test_hangups.py", "test_any_keys.py", "test_hints.py", "test_leaving_and_clearing.py")
"""Files with tests of many seconds each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: at the end one of them would leave a processor idle."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """The garbage collector passes over what is imported by now: looking at it costs the screens' tests a fifth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 50)


@pytest.fixture(scope="session", autouse=True)
def own_certificates(tmp_path_factory):
    """No test makes certificates where a person's are, in a checkout's certs/ or the user's data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETLAB_CERTIFICATES", str(tmp_path_factory.mktemp("lab") / "certs"))
        yield
