"""What names and folders say."""

from __future__ import annotations

import pytest

from ssl_domains_audio.labels.names import name_columns


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (
            ["7_jackson_32.wav", "0_theo_1.wav"],
            {"label": ["7", "0"], "speaker": ["jackson", "theo"], "take": ["32", "1"]},
        ),
        (
            ["audio/1-100032-A-0.wav", "audio/5-9-B-49.wav"],
            {"fold": ["1", "5"], "source": ["100032", "9"], "take": ["A", "B"], "label": ["0", "49"]},
        ),
        (
            ["dev/84/121123/84-121123-0000.flac", "dev/84/121550/84-121550-0031.flac"],
            {"speaker": ["84", "84"], "session": ["121123", "121550"]},
        ),
        (["20230101_120000.WAV", "5A8B3C00.WAV"], {"recorded_at_s": [1672574400.0, 1519074304.0]}),
        (
            ["north/SMA01_20230101_120000.wav", "SMA02_20230101_120000.wav"],
            {"site": ["SMA01", "SMA02"], "recorded_at_s": [1672574400.0, 1672574400.0]},
        ),
        (["20230101_120000T.wav"], {"recorded_at_s": [1672574400.0]}),
        (["20231301_120000.wav"], {}),  # no month 13
        (["DEADBEEF.wav"], {}),  # the year 2088
        (["84-121123-0000.flac"], {}),  # no folders of speaker and chapter
        (["one.wav", "two.wav"], {}),
    ],
)
def test_names(names: list[str], columns: dict[str, list[object]]) -> None:
    found = name_columns(names)
    assert found.columns == columns
    assert bool(found.note) == bool(columns)


def test_some_names_may_be_others() -> None:
    names = [f"{digit}_theo_{take}.wav" for digit in range(10) for take in range(2)]
    found = name_columns([*names, "noise.wav"])
    assert found.columns["speaker"] == 20 * ["theo"] + [None]
    assert "1 names are not" in found.note
    assert name_columns([*names[:10], *(f"other{k}.wav" for k in range(5))]).columns == {}
    assert name_columns([*names[:10], "a.wav", "b.wav"], "fsdd").columns["label"][-1] is None
    assert name_columns(names, "none").columns == {}
