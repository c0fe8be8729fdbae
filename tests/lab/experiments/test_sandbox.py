"""Quoted code in its child process: what it may not do, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from netlab.capture.model import Endpoint
from netlab.lab.experiments.runner import RunStopped
from netlab.lab.experiments.sandbox import OUTPUT_LIMIT, Limits, SandboxedCode
from netlab.topics.experiment import SandboxResult
from tests.support.waiting import wait_until

SPIN = "while True: pass"


def run(code: str, limits: Limits | None = None) -> SandboxResult:
    return SandboxedCode(code, None, limits).wait()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_prints_and_ends() -> None:
    assert run("print('Hello'); import sys; print('oh', file=sys.stderr); sys.exit(3)") == SandboxResult(
        3, "Hello\noh\n", False
    )


def test_a_loop_without_end_is_ended_and_called_so() -> None:
    quoted = SandboxedCode("print('begin')\n" + SPIN, None, Limits(cpu_seconds=1, wall_seconds=60))
    assert quoted.wait() == SandboxResult(None, "begin\n", True)
    assert gone(quoted.pid)


def test_endless_waiting_is_ended_and_called_so() -> None:
    assert run("import time\nprint('waits')\ntime.sleep(3600)", Limits(wall_seconds=1.5)) == SandboxResult(
        None, "waits\n", False, True
    )


def test_it_ends_itself_where_nobody_is_left_to_end_it() -> None:
    """As after kill -9 of the process that started it."""
    starter = f"""
import os
from netlab.lab.experiments.sandbox import Limits, SandboxedCode
quoted = SandboxedCode("import time; time.sleep(3600)", None, Limits(wall_seconds=2.0))
print(quoted.pid, flush=True)
os.kill(os.getpid(), {signal.SIGKILL.value})
"""
    told = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=False)
    wait_until(lambda: gone(int(told.stdout)))


def test_memory_is_limited() -> None:
    result = run("x = bytearray(1 << 30)", Limits(memory=256 << 20))
    assert result.status == 1
    assert "MemoryError" in result.output


def test_output_is_bounded() -> None:
    result = run("import sys\nfor _ in range(64): sys.stdout.write('x' * 65536)")
    assert result.status == 0
    assert len(result.output) == OUTPUT_LIMIT


def test_output_cannot_steer_a_terminal() -> None:
    assert run(r"print('\x1b[2J')").output == "␛[2J\n"


def test_files_cannot_be_written() -> None:
    result = run("import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b'x' * 100000)")
    assert result.status != 0


def test_what_it_started_is_ended_too() -> None:
    code = "import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
    result = run(code + "print(p.pid)")
    wait_until(lambda: gone(int(result.output)))


def test_a_stop_ends_it() -> None:
    def stop() -> None:
        raise RunStopped

    quoted = SandboxedCode(SPIN)
    with pytest.raises(RunStopped):
        quoted.wait(stop)
    assert gone(quoted.pid)


def test_the_address_is_put_in_and_other_braces_stay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = Endpoint(*listener.getsockname()[:2])
        code = "import socket\ns = socket.create_connection(('{host}', {port}))\nprint({1: 2})"
        assert SandboxedCode(code, at).wait() == SandboxResult(0, "{1: 2}\n", False)


def test_its_input_can_be_written() -> None:
    quoted = SandboxedCode("print(input())")
    quoted.write("typed\n")
    assert quoted.wait().output == "typed\n"


def test_a_traceback_shows_the_quoted_line_and_nothing_of_ours() -> None:
    result = run("def f():\n    return 1 / 0\nf()")
    assert result.status == 1
    assert "return 1 / 0" in result.output
    assert "<string>" not in result.output
