"""Alphabets, and the form in which texts are learnt and compared."""

from __future__ import annotations

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.probes.transcripts import Alphabet, read_directions, read_transcripts, tidy_text


def test_texts_are_normalised_and_white_space_is_single_spaces() -> None:
    assert tidy_text("cafe\u0301") == tidy_text("café") == "caf\u00e9"
    assert tidy_text("  Mr.\t X\n") == "Mr. X"
    assert tidy_text("\u200fab\u202c") == "ab"  # marks of direction show nothing
    assert tidy_text("ﬁ", "NFKC") == "fi"
    assert tidy_text("ﬁ") == "ﬁ"


def test_an_alphabet_encodes_what_it_was_fitted_on_and_names_what_is_outside() -> None:
    alphabet = Alphabet.of(["World", "a b"])
    assert alphabet.characters == (" ", "W", "a", "b", "d", "l", "o", "r")
    assert alphabet.classes == 9
    assert alphabet.decode(alphabet.encode("oral")) == "oral"
    assert 0 not in alphabet.encode("World")
    assert alphabet.outside("naïve 가나가") == "nïve가나"
    with pytest.raises(KeyError):
        alphabet.encode("x")


def test_a_given_alphabet_keeps_the_space_and_each_character_apart() -> None:
    assert Alphabet.given("b a").characters == (" ", "a", "b")
    assert Alphabet.given("e\u0301").characters == ("e", "\u0301")
    with pytest.raises(UsageError, match="without a character"):
        Alphabet.given("")


def test_null_and_blank_texts_are_no_transcripts() -> None:
    found = read_transcripts(pl.Series("text", ["ab", None, "  ", "b"]))
    assert found.known.tolist() == [True, False, False, True]
    assert found.texts == ("ab", None, None, "b")
    assert found.y[found.known].tolist() == [2.0, 1.0]
    assert found.alphabet.characters == ("a", "b")
    assert found.membership().shape == (4, 0)
    part = found.take(found.known)
    assert (part.texts, part.alphabet) == (("ab", "b"), found.alphabet)


def test_whole_numbers_are_transcripts_and_others_are_none() -> None:
    assert read_transcripts(pl.Series("digits", [12, None, -7])).texts == ("12", None, "-7")
    for values in ([1.5, 2.0], [True, False]):
        with pytest.raises(UsageError, match="transcripts are text"):
            read_transcripts(pl.Series("age", values))


def test_directions_are_read_from_their_column() -> None:
    frame = pl.DataFrame({"direction": ["rtl", None, "ltr"]})
    assert read_directions(frame).tolist() == [True, False, False]
    assert read_directions(pl.DataFrame({"x": [1, 2]})).tolist() == [False, False]
    with pytest.raises(UsageError, match="'left', which is no direction"):
        read_directions(pl.DataFrame({"direction": ["left"]}))


def test_without_the_column_letters_say_the_direction() -> None:
    texts = pl.Series("words", ["\u05d0\u05d1", "12", "abc", None, "\u05d2"])
    frame = pl.DataFrame({"words": texts})
    assert read_directions(frame, texts).tolist() == [True, True, False, True, True]
    assert read_directions(pl.DataFrame({"n": [1, 2]}), pl.Series("n", [1, 2])).tolist() == [False, False]
    said = frame.with_columns(direction=pl.lit("ltr"))
    assert not read_directions(said, texts).any(), "the column counts where it is there"


def test_right_to_left_labels_stand_in_the_order_of_the_frames() -> None:
    text = "\u05d0\u05d1 12"
    frame = pl.DataFrame({"text": [text, text], "direction": ["rtl", "ltr"]})
    found = read_transcripts(frame["text"], read_directions(frame))
    assert found.alphabet.decode(found.codes(0)) == "12 \u05d1\u05d0"
    assert found.alphabet.decode(found.codes(1)) == text
