"""Right-to-left lines: labels in the order of the frames, and answers back in the order in which they are read."""

from __future__ import annotations

import random

import pytest

from ssl_domains.probes.transcripts import frame_order, reading_order

ALEF, BET, GIMEL, PATAH = "\u05d0", "\u05d1", "\u05d2", "\u05b7"
SEEN, MEEM = "\u0633", "\u0645"  # Arabic letters

CASES = [
    (f"{ALEF}{BET}{GIMEL}", f"{GIMEL}{BET}{ALEF}"),
    (f"{ALEF}{BET} 1948", f"1948 {BET}{ALEF}"),
    (f"{ALEF} 3.14 {BET}", f"{BET} 3.14 {ALEF}"),
    (f"{ALEF} 50%", f"50% {ALEF}"),
    (f"{ALEF} 10-20", f"10-20 {ALEF}"),
    (f"{ALEF} 1 - 2", f"2 - 1 {ALEF}"),
    (f"{ALEF} New York {BET}", f"{BET} New York {ALEF}"),
    (f"{ALEF} Windows 10 {BET}", f"{BET} Windows 10 {ALEF}"),  # W7: a number goes with the Latin word before it
    (f"{ALEF} 10 Windows {BET}", f"{BET} Windows 10 {ALEF}"),
    (f"{ALEF} Windows (XP) {BET}", f"{BET} Windows (XP) {ALEF}"),  # N0
    (f"{ALEF} ({BET}) {GIMEL}", f"{GIMEL} ){BET}( {ALEF}"),
    (f"{ALEF}-{BET}", f"{BET}-{ALEF}"),
    # Behind Arabic letters signs don't stay with European digits (W2), and a line joins no dates and no spans.
    (f"{SEEN} 50% {MEEM}", f"{MEEM} %50 {SEEN}"),
    (f"50% {SEEN}", f"{SEEN} 50%"),
    (f"{SEEN} 2024-05-01", f"01-05-2024 {SEEN}"),
    (f"{SEEN} 3,50 {MEEM}", f"{MEEM} 3,50 {SEEN}"),
    # A combining mark stays behind its letter, as it stands over the same frames.
    (f"{ALEF}{PATAH}{BET}", f"{BET}{ALEF}{PATAH}"),
    ("\u0661\u0662\u0663 \u0633", "\u0633 \u0661\u0662\u0663"),  # Arabic digits run from left to right, too
    (f"{SEEN} \u0661\u0660-\u0662\u0660", f"\u0662\u0660-\u0661\u0660 {SEEN}"),
    (f"{SEEN} \u0665\u0660\u066a", f"\u066a\u0665\u0660 {SEEN}"),
    ("", ""),
]


@pytest.mark.parametrize(("read", "shown"), CASES)
def test_a_right_to_left_text_is_turned_and_its_numbers_and_foreign_words_are_not(read: str, shown: str) -> None:
    assert frame_order(read, True) == shown
    assert frame_order(read, False) == reading_order(read, False) == read


@pytest.mark.parametrize(("read", "shown"), CASES)
def test_an_answer_is_turned_back(read: str, shown: str) -> None:
    if read == f"{ALEF} 10 Windows {BET}":
        read = f"{ALEF} Windows 10 {BET}"  # both look the same
    assert reading_order(shown, True) == read


@pytest.mark.parametrize("letters", [ALEF + BET, SEEN + MEEM, ALEF + SEEN + "\u0663"])
def test_any_text_keeps_its_characters_and_nearly_any_is_turned_back_to_one_that_looks_the_same(letters: str) -> None:
    rng = random.Random(0)
    alike = 0
    for _ in range(2000):
        text = "".join(rng.choice("ab12 .,%-()" + letters) for _ in range(rng.randint(1, 14)))
        shown = frame_order(text, True)
        read = reading_order(shown, True)
        assert sorted(shown) == sorted(read) == sorted(text)
        alike += frame_order(read, True) == shown
    assert alike >= 0.99 * 2000


def test_right_to_left_words_are_turned_letter_by_letter() -> None:
    rng = random.Random(1)
    for _ in range(200):
        text = "".join(rng.choice(ALEF + BET + GIMEL + SEEN + " ") for _ in range(12))
        assert frame_order(text, True) == text[::-1]
        assert reading_order(text[::-1], True) == text
