"""No order of keys breaks the app: 2,000 random sequences, from every place, on two sizes of the screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ui.typing_at_random import PLACES, Typist, code, sequences

EACH = int(os.environ.get("NETLAB_TEST_SEQUENCES", "250"))
"""Sequences of one seed; there are eight."""

SIZES = {"120x40": (120, 40), "80x24": (80, 24)}

pytestmark = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="the app is run in a pseudo-terminal")


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("size", SIZES)
def test_no_sequence_of_keys_breaks_it(tmp_path: Path, size: str, seed: int) -> None:
    typist = Typist(tmp_path, *SIZES[size])
    last: list[str] = []
    try:
        assert typist.console_takes_a_line()
        for place, keys in sequences(seed, EACH):
            last = [f"from {place}:", *keys]
            typist.type("\x1b[27u" * 6 + PLACES[place])
            typist.type("".join(map(code, keys)))
            if not typist.console_takes_a_line():  # `quit` was among them, and confirmed
                assert typist.ended() == 0
                typist.close()
                typist = Typist(tmp_path, *SIZES[size])
                assert typist.console_takes_a_line()
        typist.type("".join(map(code, [*last[1:], "ctrl+q"])))
        assert typist.ended() == 0
    except AssertionError as broken:
        pytest.fail(f"{broken}: seed {seed}, {' '.join(last)}\n{typist.screen}", pytrace=False)
    finally:
        typist.close()
