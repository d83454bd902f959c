"""Words of all scripts against a reference by Unicode names and categories, and every cut against every other."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ssl_domains_text.documents.links import FalseNegative, FalseNegatives
from ssl_domains_text.documents.links.near_copies import near_copies, word_sets
from ssl_domains_text.documents.links.page import write_page
from ssl_domains_text.documents.scanning.words import count_words, cut_text
from ssl_domains_text.documents.search import Analysis, WordIndex
from ssl_domains_text.documents.segmentation import folded, patterns, words_of
from ssl_domains_text.documents.words.static_init import word_tokenizer
from ssl_domains_text.documents.words.texts import sentences_of

NO_SPACES = (
    *("THAI ", "LAO ", "MYANMAR ", "KHMER ", "CJK UNIFIED ", "CJK COMPATIBILITY ", "BOPOMOFO "),
    *("HIRAGANA ", "KATAKANA ", "HALFWIDTH KATAKANA ", "HENTAIGANA "),
)
SIGNS = "々〆〇〻〱〲〳〴〵ーｰ"
JOINERS = "\u200c\u200d"
SCRIPTS = (
    "aB_7éßİΣσßñ½हिन्दीक़தமிழ்กี่นำ๕฿ລາວမြန်៕ខ្មែរがガｶﾞ・翼型々𠀀한국어мирשָׁלוםمَر\u0301\u0308\u0327\ufe0f\u200c\u200d .,-'\n😀"
)
TEXTS = st.text(st.sampled_from(SCRIPTS), max_size=14) | st.text(max_size=8).filter(
    lambda text: all(unicodedata.category(one) not in ("Cs", "Cn") for one in text)
)


def is_letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LN"


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def is_unspaced(character: str) -> bool:
    return is_letter(character) and (unicodedata.name(character, "").startswith(NO_SPACES) or character in SIGNS)


def reference(text: str) -> list[str]:
    """The words of a text, written from the definition: a walk over its characters."""
    text = unicodedata.normalize("NFC", text).lower().replace("i\u0307", "i")
    words, at = [], 0
    while at < len(text):
        if not is_letter(text[at]):
            at += 1
            continue
        end, single = at + 1, is_unspaced(text[at])
        while end < len(text):
            behind = text[end:].lstrip(JOINERS)
            if is_mark(text[end]) or (not single and is_letter(text[end]) and not is_unspaced(text[end])):
                end += 1
            elif not single and behind and len(behind) < len(text) - end and is_letter(behind[0]):
                if is_unspaced(behind[0]):
                    break
                end = len(text) - len(behind)
            else:
                break
        words.append(text[at:end])
        at = end
    return words


@given(TEXTS)
@example("می\u200cخواهم क्\u200dष क\u200d")
@example("ΛΌΓΟΣ ΑΣ' Σ ΑΣ\u0301Β")
@example("1\ufe0f\u20e3 ❤\ufe0f 葛\U000e0100飾 か\u3099")
def test_words_are_letters_digits_and_their_marks(text: str) -> None:
    words = reference(text)
    assert words_of(text) == words
    assert Analysis("none", stop=False, characters=1, shortest=1).terms(text) == words
    assert [word for sentence in sentences_of(text, "text") for word in sentence] == words
    tokenizer = Tokenizer.from_str(word_tokenizer(tuple(dict.fromkeys(words))))
    assert tokenizer.encode(text).tokens == words


def test_letters_of_scripts_without_spaces_are_known() -> None:
    named = {code for code in range(0x32400) if is_unspaced(chr(code))}
    assert len(named) > 90_000
    assert {code for code in range(0x32400) if patterns().character.fullmatch(chr(code))} == named


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी में किताबें पढ़ना।", ["हिन्दी", "में", "किताबें", "पढ़ना"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("Café cafe\u0301", ["café", "café"]),
        ("İstanbul ISTANBUL istanbul", ["istanbul", "istanbul", "istanbul"]),
        ("人々 ｱｲ 𠀀𠀁 ア・イ", ["人", "々", "ｱ", "ｲ", "𠀀", "𠀁", "ア", "イ"]),
        ("กี่ ฿100", ["กี่", "100"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("The fridge’s don't", ["the", "fridge", "s", "don", "t"]),
    ],
)
def test_words_of_several_languages(text: str, words: list[str]) -> None:
    text_words = [unicodedata.normalize("NFC", word) for word in words]
    assert words_of(text) == text_words
    assert words_of(unicodedata.normalize("NFD", text)) == text_words


def test_terms_of_scripts_with_marks() -> None:
    assert Analysis("hindi", stem=False, stop=False).terms("हिन्दी किताबें") == ["हिन्दी", "किताबें"]
    composed, apart = "café réfrigérateur", unicodedata.normalize("NFD", "café réfrigérateur")
    assert Analysis("french").terms(apart) == Analysis("french").terms(composed) == ["caf", "réfriger"]
    # Pairs of neighbouring characters, each with its vowel signs and tones.
    assert Analysis("none").terms("กี่วัน") == ["กี่วั", "วัน"]
    assert Analysis("none").terms("人々々 ア・イウ") == ["人々", "々々", "ア", "イウ"]
    assert Analysis("none", characters=3).terms("កខ") == ["កខ"]


def test_stop_words_are_known_however_they_are_written() -> None:
    words = Analysis("french", stem=False)
    assert words.terms("étaient l'avion") == words.terms(unicodedata.normalize("NFD", "étaient l'avion")) == ["avion"]


def test_a_search_finds_words_with_marks() -> None:
    index = WordIndex.build(["d1", "d2"], ["किताब पढ़ना", "पानी पीना"], Analysis("hindi"))
    assert index.search([("q", "किताबें")])["document"].to_list() == ["d1"]
    index = WordIndex.build(["d1", "d2"], ["le café", "la cafetière"], Analysis("french"))
    assert index.search([("q", "cafe\u0301")])["document"].to_list() == ["d1"]


def test_near_copies_of_words_that_differ_in_their_vowels_only() -> None:
    """``की`` and ``कु`` are different words, though their consonant is the same."""
    one, other = "की ती मी नी", "कु तु मु नु"
    pairs, _ = near_copies(word_sets([one, other, unicodedata.normalize("NFD", one)]), 0.8)
    assert pairs.tolist() == [[0, 2]]


def test_a_page_marks_whole_words(tmp_path: Path) -> None:
    one, other = "किताब और मेज़", unicodedata.normalize("NFD", "किताब या मेज़")
    worst = FalseNegative("q", one, other, ("q", "a", "b"), "reason", False, 0.5)
    write_page(tmp_path / "page.html", FalseNegatives((worst,), 1, 1, 1, 0, 0), "rule", [])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<mark>किताब</mark>") == 2
    assert page.count("<mark>मेज़</mark>") == 2
    assert page.count("<mark>") == 4


@given(TEXTS, st.integers(1, 4))
def test_pieces_hold_whole_characters(text: str, words: int) -> None:
    spans = cut_text(text, words)
    pieces = [text[start:stop] for start, stop in spans]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert sum(map(count_words, pieces)) == count_words(text)
    for (_, stop), (start, _) in pairwise(spans):
        assert stop < start or not (is_unspaced(text[stop - 1]) and is_mark(text[start]))


def test_folding_is_nfc_in_lower_case() -> None:
    assert folded("CAFE\u0301 İ I") == "caf\u00e9 i i"
