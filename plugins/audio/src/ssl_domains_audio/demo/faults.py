"""The faults that the demonstration plants among its recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ssl_domains_audio.demo.clips import Clip
from ssl_domains_audio.demo.files import add_list_chunk, as_int16, write_clip, write_stereo24
from ssl_domains_audio.demo.sessions import record
from ssl_domains_audio.demo.words import RATE, WORDS, speak

__all__ = ["LONG", "SECOND_ID", "WRONG_RATE", "plant_faults"]

LONG = "20240501_063000.wav"
"""The long recording, named by the time of its start as field recorders do; its words stand beside it as labels."""

SECOND_ID = "S13"
"""A second id of a training speaker; its clips are near copies, and it is on the test side."""

WRONG_RATE = 2 * RATE
"""The rate that one header says in place of `RATE`."""

_LONG_WORDS = 40
_GAP_S = (0.3, 0.9)
_COPY_GAIN, _COPY_NOISE = 0.8, 3e-4

Row = tuple[str, str, str, int, str, str]
"""A row of the table of clips: file, speaker, session, day, word, split."""


def plant_faults(folder: Path, clips: Sequence[Clip], seed: int) -> list[Row]:
    """Write the faulty files, over clips and beside them.

    A clip becomes a 24-bit stereo file, the header of another says twice its rate, a third is cut off in its middle.
    Two more files are copies of clips with other headers, ten are near copies under a second id of the speaker, and one
    is a long recording.

    Args:
        folder: Folder that holds the files of all clips.
        clips: All clips.
        seed: Seed of the data.

    Returns:
        Rows of the files beside the clips, for the table of clips.
    """
    rng = np.random.default_rng([seed, len(clips) + 1])
    wavs = [clip for clip in clips if clip.speaker.side == "train" and clip.file.endswith(".wav")]
    stereo, doubled, cut, listed, repacked = (wavs[place] for place in (20, 130, 240, 350, 460))
    left = stereo.sound()
    write_stereo24(folder / stereo.file, left, 0.7 * left + rng.normal(0, 1e-3, size=len(left)))
    write_clip(folder / doubled.file, doubled.sound(), WRONG_RATE)
    whole = (folder / cut.file).read_bytes()
    (folder / cut.file).write_bytes(whole[: len(whole) // 2])

    rows = []
    for number, (clip, suffix) in enumerate(((listed, "wav"), (repacked, "flac")), start=1):
        name = f"copy{number}.{suffix}"
        _write_copy(folder / clip.file, folder / name)
        rows.append((name, clip.speaker.name, clip.session.name, clip.session.day, clip.word, clip.speaker.side))
    rows += _second_id(folder, wavs, stereo.speaker.name, rng)
    _write_long(folder / LONG, wavs[0], rng)
    return rows


def _write_copy(source: Path, out: Path) -> None:
    """The same samples in a file with other bytes."""
    if out.suffix == ".wav":
        out.write_bytes(add_list_chunk(source.read_bytes(), "exported again"))
        return
    values, rate = soundfile.read(source, dtype="int16")
    soundfile.write(out, values, rate, subtype="PCM_16")


def _second_id(folder: Path, clips: Sequence[Clip], not_of: str, rng: np.random.Generator) -> list[Row]:
    """Clips of one session of another training speaker, a little quieter and with new noise, under another id."""
    speaker = next(clip.speaker for clip in clips if clip.speaker.name != not_of)
    rows = []
    for number, word in enumerate(WORDS, start=1):
        clip = next(clip for clip in clips if clip.speaker == speaker and clip.word == word)
        sound = _COPY_GAIN * clip.sound()
        name = f"d{number:04d}.wav"
        write_clip(folder / name, sound + rng.normal(0, _COPY_NOISE, size=len(sound)))
        rows.append((name, SECOND_ID, f"{SECOND_ID}-1", clip.session.day, word, "test"))
    return rows


def _write_long(path: Path, clip: Clip, rng: np.random.Generator) -> None:
    """Many words in one file, and an Audacity label track beside it that says where each is."""
    parts: list[NDArray[np.float64]] = []
    lines, place = [], 0
    for _ in range(_LONG_WORDS):
        word = str(rng.choice(WORDS))
        silence = np.zeros(round(rng.uniform(*_GAP_S) * RATE))
        voice = speak(clip.speaker, word, rng)
        start = place + len(silence)
        place = start + len(voice)
        lines.append(f"{start / RATE:.6f}\t{place / RATE:.6f}\t{word}\n")
        parts += [silence, voice]
    sound = record(np.concatenate(parts), clip.session, rng)
    soundfile.write(path, as_int16(sound), RATE, subtype="PCM_16")
    path.with_suffix(".txt").write_text("".join(lines), encoding="utf-8", newline="\n")
