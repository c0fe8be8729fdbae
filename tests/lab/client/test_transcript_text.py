from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.lab.client.transcript_text import constructed, cut, error_line, meaning, progress, shown, spelt, written
from netlab.topics.client_call import Call


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Hello", "b'Hello'"),
        ("a\x1b[31m", "'a\\x1b[31m'"),
        (b"x" * 40, f"b'{'x' * 21}' … 19 more bytes"),
        (bytes(40), "b'" + r"\x00" * 5 + "' … 35 more bytes"),
        ("y" * 1_000_010, f"'{'y' * 10}' … 1,000,000 more characters"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5,  … 51 more characters"),
    ],
)
def test_results_are_bounded_and_say_what_is_missing(value: object, text: str) -> None:
    assert shown(value, 40) == text


def test_a_value_whose_repr_fails_or_steers_the_terminal_is_shown_all_the_same() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    class Hostile:
        def __repr__(self) -> str:
            return "\x1b[2J\u202e"

    assert shown(Broken()) == "<Broken whose repr raised RuntimeError>"
    assert shown(Hostile()) == "␛[2J\ufffd"


def test_calls_can_be_copied_to_a_prompt() -> None:
    call = Call("get", ("/hello",), (("name", "Guido"),))
    assert spelt(call) == "get('/hello', name='Guido')"
    assert written(call, "c") == "c.get('/hello', name='Guido')"


def test_secrets_are_not_shown() -> None:
    text = constructed(("::1", 5), {"secret": b"peekaboo", "way": "fast"}, {"secret"})
    assert text == "Client(('::1', 5), secret=••••, way='fast')"


def test_errors_read_as_the_last_line_of_a_traceback_and_are_explained() -> None:
    reset = OSError(errno.ECONNRESET, "Connection reset by peer")
    assert error_line(reset) == "ConnectionResetError: [Errno 104] Connection reset by peer"
    assert "RST" in meaning(reset)
    assert "datagram" in meaning(OSError(errno.EMSGSIZE, "Message too long"))
    assert error_line(EOFError()) == "EOFError"
    assert meaning(ValueError("x")) == ""


def test_lines_are_kept_and_long_text_is_cut() -> None:
    assert cut("a\nb\tc", 10) == "a\nb␉c"
    assert cut("a" * 50, 40) == "a" * 19 + " … 31 more characters"


@given(value=st.one_of(st.binary(max_size=300), st.text(max_size=300), st.lists(st.integers())), limit=st.just(60))
def test_what_was_cut_is_never_cut_again(value: object, limit: int) -> None:
    once = shown(value, limit)
    assert len(once) <= limit
    assert cut(once, limit) == once


def test_a_long_payload_says_how_much_is_missing_wherever_it_stands() -> None:
    payload = b"x" * 6000
    for text in (shown(payload), written(Call("send", (payload,)), "s")):
        there = text.count("x")
        assert f"{6000 - there:,} more bytes" in text
        assert cut(text) == text and "characters" not in text


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (512 << 20, 1 << 30, 0.5, "512 MiB of 1.0 GiB · 1.0 GiB/s"),
        (100, 2048, 0.0, "100 bytes of 2 KiB"),
        (1 << 10, 1 << 20, 1.0, "1 KiB of 1 MiB · 1 KiB/s"),
    ],
)
def test_progress_in_words(done: int, total: int, seconds: float, words: str) -> None:
    assert progress(done, total, seconds) == words


class Lines(str):
    __repr__ = str.__str__


def test_text_that_shows_itself_in_lines_is_shown_so() -> None:
    assert shown(Lines("TLSv1.3\nchain: \x1b"), 100) == "TLSv1.3\nchain: ␛"
    assert shown(Lines("a\n" * 100), 40).endswith("more characters")
    assert len(shown(Lines("a\n" * 100), 40)) <= 40
