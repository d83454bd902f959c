"""``ssl-domains audio demo-data``: words of twelve speakers in three sessions each, and faults that archives have."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path

from ssl_domains_audio.demo.clips import draw_clips
from ssl_domains_audio.demo.faults import plant_faults
from ssl_domains_audio.demo.files import write_clip
from ssl_domains_audio.demo.sessions import SESSIONS
from ssl_domains_audio.demo.speakers import SPEAKERS, TRAIN
from ssl_domains_audio.demo.words import WORDS

__all__ = ["DAYS", "RECORDINGS", "TABLE", "write_demo_data"]

RECORDINGS, TABLE, DAYS = "recordings", "clips.csv", "days.csv"
"""Folder of the sound files, the table of speaker, session, word and side of each file, and another split, by day."""


def write_demo_data(out: Path, seed: int = 0) -> str:
    """Write the demonstration under ``out`` and return what to say about it.

    Simulated: 12 speakers × 3 sessions × 10 words × 3 takes of half a second, at 8,000 Hz, as 16-bit wav and flac. A
    word is two vowels, and its reversal is another word. A session has a microphone, a room, noise and hum of its own;
    the level of a take is at random. ``clips.csv`` says by file ``speaker``, ``session``, ``day`` (the number of the
    session among the three of its speaker), ``word`` and ``split``: eight speakers to train with, four to test.
    ``days.csv`` is another split: the last day is held out. Planted: a 24-bit stereo file, a header with a wrong rate,
    a truncated file, two copies with other headers, near copies of a training speaker under an id of the test side, and
    a long recording. The same seed gives the same bytes.

    Args:
        out: Folder; it is made.
        seed: Seed of the data.
    """
    folder = out / RECORDINGS
    folder.mkdir(parents=True, exist_ok=True)
    clips = draw_clips(seed)
    for clip in clips:
        write_clip(folder / clip.file, clip.sound())
    rows = [
        (clip.file, clip.speaker.name, clip.session.name, clip.session.day, clip.word, clip.speaker.side)
        for clip in clips
    ]
    rows += plant_faults(folder, clips, seed)
    with open(out / TABLE, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "speaker", "session", "day", "word", "split"])
        table.writerows(rows)
    with open(out / DAYS, "w", newline="", encoding="utf-8") as file:
        days = csv.writer(file)
        days.writerow(["day", "split"])
        days.writerows((day, "train" if day < SESSIONS else "test") for day in range(1, SESSIONS + 1))
    (out / "README.txt").write_text(_NOTE, encoding="utf-8", newline="\n")
    command = [
        *("ssl-domains", "audio", "scan", str(folder), "-o", str(out / "samples.parquet")),
        *("--join", str(out / TABLE), "--on", "path=file"),
    ]
    return (
        f"{SPEAKERS} simulated speakers ({TRAIN} to train with), {SPEAKERS * SESSIONS} sessions, {len(WORDS)} words, "
        f"{len(clips)} clips and files with planted faults in {out}\nnext: {shlex.join(command)}"
    )


_NOTE = """Simulated words of no person, written by `ssl-domains audio demo-data` to try the commands on.
A demonstration, not evidence.

recordings/c0001.wav …          one take of a word each; every tenth is a flac file
recordings/20240501_063000.wav  a long recording of one speaker; the .txt beside it is an Audacity label track
clips.csv                       speaker, session, day (1 to 3), word and side of the split by file
days.csv                        another split, by day: the last one is held out

Planted: one 24-bit stereo file, one header with twice the rate, one truncated file, two copies with other headers
(copy1.wav, copy2.flac), and near copies of a training speaker under the id S13 of the test side (d0001.wav …).
"""
