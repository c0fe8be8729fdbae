"""A picture's rows as lines: folded, unfolded, wrapped, searched, and known by their path."""

from __future__ import annotations

from netlab.dissect.picture import Picture, Row
from netlab.ui.picture.picture_rows import FOLDED, LEAF, UNFOLDED, PictureRows

LONG = "words " * 30
PICTURE = Picture(
    "p",
    (
        Row("one", 3),
        Row("two", 12, (Row("two a", 13), Row("two b", 15, (Row("deep\x1b[2J needle"),)))),
        Row(LONG, 20),
    ),
)


def rows(width: int = 40) -> PictureRows:
    made = PictureRows()
    made.width = width
    made.show(PICTURE)
    return made


def texts(made: PictureRows) -> list[str]:
    return [line.text for line in made.lines]


def test_folded_each_row_is_one_line() -> None:
    made = rows()
    assert [made.mark(line) for line in made.lines] == [LEAF, FOLDED, FOLDED]
    assert [line.row.segment for line in made.lines] == [3, 12, 20]
    assert made.number_width == 3
    assert [made.is_cut(line) for line in made.lines] == [False, False, True]


def test_an_unfolded_row_shows_its_details_and_wraps_what_is_long() -> None:
    made = rows()
    made.toggle((1,))
    assert texts(made)[1:4] == ["two", "two a", "two b"]
    assert made.mark(made.lines[1]) == UNFOLDED
    made.toggle((2,))
    wrapped = [line for line in made.lines if line.path == (2,)]
    assert len(wrapped) > 4
    assert "".join(line.text for line in wrapped) == LONG
    assert [line.begins for line in wrapped] == [True] + [False] * (len(wrapped) - 1)
    assert all(len(line.text) <= made.room(0) for line in wrapped)


def test_what_was_unfolded_stays_so_in_a_picture_that_grew() -> None:
    made = rows()
    made.toggle((1,))
    made.show(Picture("p", (*PICTURE.rows, Row("new", 30))))
    assert texts(made)[1:4] == ["two", "two a", "two b"]
    assert texts(made)[-1] == "new"


def test_a_text_is_found_in_rows_that_are_folded_away_and_made_safe() -> None:
    made = rows()
    assert made.found("NEEDLE") == [(1, 1, 0)]
    assert made.found("␛[2j") == [(1, 1, 0)]
    assert made.found("") == []
    made.reveal((1, 1, 0))
    assert made.place((1, 1, 0)) == 4


def test_the_row_about_a_segment_is_its_own_or_the_last_before_it() -> None:
    made = rows()
    assert [made.about(number) for number in (3, 12, 15, 19, 20, 99)] == [(0,), (1,), (1,), (1,), (2,), (2,)]
    assert made.about(1) is None
    made.toggle((1,))
    assert made.about(15) == (1, 1)


def test_a_row_of_any_length_is_bounded() -> None:
    made = PictureRows()
    made.show(Picture("p", (Row("x" * 200_000),)))
    made.toggle((0,))
    assert "180,000 more characters" in "".join(texts(made))
    assert sum(map(len, texts(made))) < 21_000
