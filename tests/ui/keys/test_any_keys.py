"""No order of keys breaks the app: random sequences of them, from every place, on two sizes of the screen.

A sequence costs some 0.3 s of processor time: 2,000 take five minutes of two cores, a third of what
all checks together may take.
``NETLAB_TEST_SEQUENCES=250`` types them all; without it the first ones of each seed are typed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.support.screen.typing_at_random import ESC, PLACES, Sequence, Typist, code, sequences

EACH = int(os.environ.get("NETLAB_TEST_SEQUENCES", "20"))
"""Sequences of one seed; there are eight."""

TOGETHER = 5
"""Sequences between two looks whether all is well: the look costs as much as a few of them."""

SIZES = {"120x40": (120, 40), "80x24": (80, 24)}

pytestmark = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="the app is run in a pseudo-terminal")


def _batches(seed: int) -> Iterator[list[Sequence]]:
    found = sequences(seed, EACH)
    while batch := list(islice(found, TOGETHER)):
        yield batch


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("size", SIZES)
def test_no_sequence_of_keys_breaks_it(tmp_path: Path, size: str, seed: int) -> None:
    typist, batch = Typist(tmp_path, *SIZES[size]), list[Sequence]()
    try:
        for batch in _batches(seed):
            for sequence in batch:
                typist.type(ESC * 6 + PLACES[sequence.place])
                typist.type("".join(map(code, sequence.keys)))
            if not typist.console_takes_a_line():  # `quit` was among them, and confirmed
                assert typist.ended() == 0, "it ended with an error"
                typist.close()
                typist = Typist(tmp_path, *SIZES[size])
        typist.type("".join(map(code, [*batch[-1].keys, "ctrl+q"])))
        assert typist.ended() == 0, "it ended with an error"
    except AssertionError as broken:
        typed = "\n".join(f"from {each.place}: {' '.join(each.keys)}" for each in batch)
        pytest.fail(f"{broken}. Seed {seed}, {size}:\n{typed}\n{typist.screen}", pytrace=False)
    finally:
        typist.close()
