"""What a program writes becomes lines: whole, bounded, without what steers a terminal."""

from __future__ import annotations

from netlab.host.output_lines import LONGEST_LINE, OutputLines


def test_lines_are_put_together_and_one_without_an_end_waits() -> None:
    lines = OutputLines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.unfinished
    assert lines.feed(b"o\r\n\nPassword: ") == ["two", ""]
    assert (lines.flush(), lines.unfinished, lines.last) == (["Password: "], False, "Password: ")
    assert lines.flush() == []


def test_a_terminal_would_not_show_colours_or_what_was_written_over() -> None:
    assert OutputLines().feed(b"10 %\r20 %\r\x1b[1;32mdone\x1b[0m\n") == ["done"]


def test_an_endless_line_is_shown_once_and_takes_no_memory() -> None:
    lines = OutputLines()
    shown = [each for _ in range(100) for each in lines.feed(b"x" * 4096)]
    assert shown == ["x" * LONGEST_LINE]
    assert lines.feed(b"x\nnext\n") == ["next"]


def test_bytes_that_are_no_text_are_shown_somehow() -> None:
    assert OutputLines().feed(b"\xff\n") == ["\ufffd"]
