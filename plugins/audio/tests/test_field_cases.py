"""Inputs rebuilt from bug reports of other libraries: what a scan says of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.samples import ScanResult
from ssl_domains_audio.files import full_scale
from ssl_domains_audio.reader import AudioReader

pytestmark = pytest.mark.shared_data
Scan = Callable[..., tuple[ScanResult, dict[str, Any]]]


@pytest.fixture(scope="module")
def scan(shared_data: Path) -> Scan:
    """Scan a case: the result, and what is expected of it."""
    folder = shared_data.parent / "cases" / "audio"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")

    def scanned(case: str, **options: Any) -> tuple[ScanResult, dict[str, Any]]:
        given = {name: folder / case / value if name == "labels" else value for name, value in options.items()}
        expected = json.loads((folder / case / "case.json").read_text())["expected"]
        return AudioReader().scan(folder / case, **given), expected

    return scanned


def arrays(scanned: ScanResult) -> dict[str, np.ndarray]:
    """The decoded recordings by name, float32 in ±1."""
    return {row["sample"]: full_scale(AudioReader().load(row)) for row in scanned.samples.frame.to_dicts()}


def causes(scanned: ScanResult) -> dict[str, str]:
    return {Path(path).name: cause for path, cause in scanned.problems.rows()}


def test_a01_full_scale_is_1(scan: Scan) -> None:
    scanned, expected = scan("A01")
    steps = {"p16.wav": 2.0**-15, "p24.wav": 2.0**-23, "p32.wav": 2.0**-31, "f32.wav": 0}
    found = arrays(scanned)
    assert found.keys() == steps.keys()
    for name, step in steps.items():
        assert abs(np.abs(found[name]).max() - expected["peak"]) <= step + 1e-6


def test_a02_extensible_8_bit_and_float64(scan: Scan) -> None:
    scanned, expected = scan("A02")
    found = arrays(scanned)
    assert len(found) == 4
    assert found["u8_silence.wav"].mean() == expected["u8_mean"]
    for name in ("ext24.wav", "ext_f32.wav", "f64.wav"):
        assert np.abs(found[name]).max() == pytest.approx(1, abs=1e-6)


def test_a03_mixed_rates(scan: Scan) -> None:
    scanned, expected = scan("A03")
    assert sorted(scanned.samples.frame["rate"]) == [8000, 16000, 44100]
    assert scanned.samples.frame["seconds"].to_list() == pytest.approx(3 * [expected["seconds"]])
    assert "8,000 Hz (1), 16,000 Hz (1), 44,100 Hz (1); 2 samples are resampled to 8,000 Hz" in scanned.notes[0]


def test_a04_lying_sizes(scan: Scan) -> None:
    scanned, expected = scan("A04")
    assert {len(array) for array in arrays(scanned).values()} == {expected["frames"]}
    assert len(scanned.samples) == len(scanned.problems) == 3


def test_a05_what_is_no_wav(scan: Scan) -> None:
    scanned, expected = scan("A05")
    assert len(scanned.problems) == expected["problems"]
    assert len(scanned.samples) == 0
    for name, words in (("aac.wav", "ADTS AAC"), ("html.wav", "HTML"), ("riff.wav", "empty RIFF")):
        assert words in causes(scanned)[name]


def test_a06_empty_and_short(scan: Scan) -> None:
    scanned, _ = scan("A06")
    assert len(scanned.samples) == 0
    assert causes(scanned) == {"empty.wav": "no samples", "short.wav": "10 ms, shorter than one 32-ms window"}


def test_a07_silence(scan: Scan) -> None:
    scanned, _ = scan("A07")
    assert causes(scanned) == {
        "silent.wav": "silent: every sample is 0",
        "dc.wav": "constant: every sample is 0.25",
    }
    numbers = scanned.samples.frame.select("level_db", "peak", "seconds").to_numpy()
    assert np.isfinite(numbers).all()


def test_a10_names_of_esc50(scan: Scan) -> None:
    scanned, _ = scan("A10")
    assert scanned.samples.frame.select("fold", "source", "take", "label").rows() == [
        ("1", "100032", "A", "0"), ("1", "100032", "B", "0"), ("2", "100210", "A", "1"), ("3", "144028", "A", "0")
    ]  # fmt: skip
    assert scanned.folds == "fold"


def test_a11_audioset(scan: Scan) -> None:
    scanned, expected = scan("A11", labels="eval_segments.csv")
    table = scanned.samples.frame
    assert len(table) == expected["matched"]
    assert dict(table.select("source", "labels").rows())["--4gqARaEJE"] == ["/m/068hy", "/m/07q6cd_"]
    assert causes(scanned)["eval_segments.csv"] == f"{expected['missing']} recording that it names is not here"
    # The files hold 0.1, 0.1 and 0.2 s, so each of them is shorter than its segment of 10 s.
    shorter = {name: cause for name, cause in causes(scanned).items() if name.endswith(".wav")}
    assert shorter == {
        "Y--4gqARaEJE.wav": "the clip has 0.1 s, its segment (0 to 10 s) has 10 s",
        "abcDEF12345.wav": "the clip has 0.1 s, its segment (30 to 40 s) has 10 s",
        "YTr7pmnO3eHo.wav": "the clip has 0.2 s, its segment (100 to 110 s) has 10 s",
    }


def test_a13_lengths_of_cuts(scan: Scan) -> None:
    scanned, _ = scan("A13", cut=0.05)
    for row in scanned.samples.frame.to_dicts():
        assert row["region"][1] - row["region"][0] == round(0.05 * row["rate"])


def test_a14_cuts_and_sites(scan: Scan) -> None:
    scanned, expected = scan("A14", cut=0.25, folders="site")
    table = scanned.samples.frame
    assert len(table) == expected["cuts"]
    assert table["recording"].n_unique() == expected["recordings"]
    assert table["recording"].null_count() == 0
    assert set(table["site"]) == {"siteA", "siteB"}


def test_a15_opposite_channels(scan: Scan) -> None:
    scanned, expected = scan("A15")
    assert list(causes(scanned)) == expected["cancel"]
    assert causes(scanned)["antiphase.wav"].endswith("channel 0 is taken")
    assert scanned.samples.frame["channel"].to_list() == [0, 0]
    assert any("stereo to mono" in note and " dB" in note for note in scanned.notes)


def test_fsdd(shared_data: Path, tmp_path: Path) -> None:
    archive = shared_data / "audio" / "fsdd.zip"
    if not archive.is_file():
        pytest.skip("FSDD is not here")
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
    scanned = AudioReader().scan(tmp_path)
    table = scanned.samples.frame
    assert len(table) == 3000
    assert sorted(table["speaker"].unique()) == ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
    assert sorted(table["label"].unique()) == [str(digit) for digit in range(10)]
    assert len(scanned.problems) == 0
