"""Right-to-left lines: labels in the order of the frames, and answers back in the order in which they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.probes.transcripts import frame_order

ALEF, BET, GIMEL, PATAH = "\u05d0", "\u05d1", "\u05d2", "\u05b7"


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        (f"{ALEF}{BET}{GIMEL}", f"{GIMEL}{BET}{ALEF}"),
        (f"{ALEF}{BET} 1948", f"1948 {BET}{ALEF}"),
        (f"{ALEF} 3.14 {BET}", f"{BET} 3.14 {ALEF}"),
        (f"{ALEF} 50%", f"50% {ALEF}"),
        (f"{ALEF} New York {BET}", f"{BET} New York {ALEF}"),
        (f"{ALEF}-{BET}", f"{BET}-{ALEF}"),
        # A combining mark stays behind its letter, as it stands over the same frames.
        (f"{ALEF}{PATAH}{BET}", f"{BET}{ALEF}{PATAH}"),
        ("\u0661\u0662\u0663 \u0633", "\u0633 \u0661\u0662\u0663"),  # Arabic digits run from left to right, too
        ("", ""),
    ],
)
def test_a_right_to_left_text_is_turned_and_its_numbers_and_foreign_words_are_not(read: str, shown: str) -> None:
    assert frame_order(read, True) == shown
    assert frame_order(shown, True) == read
    assert frame_order(read, False) == read


@given(st.text(alphabet="ab1 2.%-(" + ALEF + BET + PATAH, max_size=12).filter(lambda text: text[:1] != PATAH))
def test_turned_twice_a_text_is_as_before(text: str) -> None:
    turned = frame_order(text, True)
    assert sorted(turned) == sorted(text)
    if turned[:1] != PATAH:
        assert frame_order(turned, True) == text
