"""Recordings of every kind, each damaged one beside good ones, and tables of their segments."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile

from fuzzing.kind import READ, REFUSED, Command, Kind, Plan
from fuzzing.mutations.sound import SOUND
from fuzzing.mutations.text import TEXT

__all__ = ["KINDS"]

SCAN = Command("audio scan in -o out.parquet", READ, "out.parquet")
CUTS = Command("audio scan in -o out.parquet --cut 0.05 --every 0.04 --names none", READ, "out.parquet")
LABELS = Command("audio scan in -o out.parquet --cut 0.1 --labels labels", READ, "out.parquet")
SEGMENTS = Command("audio scan in -o out.parquet --labels labels", REFUSED)
_PLAIN = {"bytes": (1, 8), "int16": (1, 16), "int24": (1, 24), "int32": (1, 32), "float": (3, 32), "double": (3, 64)}
_LIBRARY = {"flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "aiff": "PCM_16", "au": "ULAW"}


def _values(number: int, frames: int = 2000) -> np.ndarray:
    """Two channels of noise, float64 ``[frames, 2]``."""
    return np.random.default_rng(number).normal(size=(frames, 2)) * 0.1


def _write_wav(path: Path, number: int, tag: int = 1, bits: int = 16, large: bool = False) -> None:
    values = _values(number)
    if tag == 3:
        body = values.astype(f"<f{bits // 8}").tobytes()
    else:
        steps = np.rint(values * 2.0 ** (bits - 1)).astype("<i8").reshape(-1, 1) + (128 if bits == 8 else 0)
        body = steps.view(np.uint8)[:, : bits // 8].tobytes()
    form = struct.pack("<HHIIHH", tag, 2, 8000, 8000 * bits // 4, bits // 4, bits)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, len(body), 0, 0) if large else b""
    size = 2**32 - 1 if large else len(body)
    chunks = ds64 + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + body
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((b"RF64" if large else b"RIFF") + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks)


def make_sounds(folder: Path, shared: Path) -> None:
    """A file of each type beside two others."""
    for case in (*_PLAIN, "rf64", *_LIBRARY):
        for number in range(2):
            _write_wav(folder / case / "in" / f"good{number}.wav", 10 + number)
        target = folder / case / "in" / "target.wav"
        if case in _PLAIN:
            _write_wav(target, 1, *_PLAIN[case])
        elif case == "rf64":
            _write_wav(target, 1, large=True)
        else:
            soundfile.write(target, _values(1), 8000, subtype=_LIBRARY[case], format=case.upper())


def make_segments(folder: Path, shared: Path) -> None:
    """Tables of segments of every kind for two recordings."""
    for number in range(2):
        _write_wav(folder / "tables" / "in" / f"good{number}.wav", number)
    labels = folder / "tables" / "labels"
    labels.mkdir()
    (labels / "rows.csv").write_text("file,start,end,label\ngood0.wav,0.01,0.1,wren\ngood1.wav,0.1,0.2,robin\n")
    (labels / "good0.txt").write_text("0.01\t0.1\twren\n\\\t500\t900\n0.12\t0.2\trobin\n")
    raven = ("Selection\tView\tBegin Time (s)\tEnd Time (s)\tSpecies", "1\tWaveform 1\t0.01\t0.1\twren")
    (labels / "good1.Table.1.selections.txt").write_text("\n".join(raven))
    (labels / "who.rttm").write_text("SPEAKER good0 1 0.01 0.1 <NA> <NA> anna <NA> <NA>\n")
    listed = ("# YTID, start_seconds, end_seconds, positive_labels", 'good0, 0.000, 10.000, "/m/068hy,/m/07q6cd_"', "")
    (labels / "audioset.csv").write_text("\n".join(listed))


KINDS = (
    Kind(
        "audio",
        make_sounds,
        ("in/target.wav",),
        SOUND,
        (Plan((SCAN,), 3), Plan((CUTS,), 2)),
        ("in/good*.wav",),
    ),
    Kind(
        "audio_segments",
        make_segments,
        ("labels/*",),
        TEXT,
        (Plan((LABELS,), 1), Plan((SEGMENTS,), 1)),
        ("in/good*.wav",),
    ),
)
