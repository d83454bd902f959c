"""The samples of each recording: all of it, cuts of equal length, or the segments of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ssl_domains.errors import UsageError
from ssl_domains_audio.labels.segment import Segment
from ssl_domains_audio.scanning.sounds import SHORTEST_S, Sound

__all__ = ["Clip", "Clips", "Cut", "cut_of", "cuts_of", "labelled", "segments_of", "whole"]

_SLACK_S = 0.5


@dataclass
class Clip:
    """One sample.

    Attributes:
        sound: Number of its recording.
        start: First sample of the recording.
        stop: The sample behind its last.
        part: Whether it is a part of the recording.
        labels: Its labels; None where no table speaks of it.
        speaker: Who speaks; empty if not known.
        source: Id of the source, where a table names it.
    """

    sound: int
    start: int
    stop: int
    part: bool = True
    labels: tuple[str, ...] | None = None
    speaker: str = ""
    source: str = ""


@dataclass
class Clips:
    """Samples, and what was left out.

    Attributes:
        clips: The samples.
        rest_s: Seconds at the ends of recordings that fill no cut.
        short: Number of segments shorter than one analysis window.
        causes: (number of the recording, what is wrong with a segment of it).
    """

    clips: list[Clip] = field(default_factory=list)
    rest_s: float = 0.0
    short: int = 0
    causes: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Cut:
    """Length of the cuts, and the distance of their starts, in seconds."""

    length: float
    every: float


def cut_of(cut: float | None, every: float | None) -> Cut | None:
    """The cuts that ``--cut`` and ``--every`` ask for; None for none.

    Raises:
        UsageError: For lengths that make no cuts.
    """
    if cut is None:
        if every is not None:
            raise UsageError("--every without --cut", "add --cut SECONDS, the length of a cut")
        return None
    if not SHORTEST_S <= cut < float("inf"):
        raise UsageError(f"--cut {cut:g} makes cuts shorter than one window of {SHORTEST_S:g} s", "say --cut 5")
    if every is not None and not 0.001 <= every < float("inf"):
        raise UsageError(f"--every {every:g} is no distance of cuts", "it is in seconds, as --every 2.5")
    return Cut(cut, cut if every is None else every)


def whole(number: int, sound: Sound) -> Clip:
    """A whole recording as one sample."""
    return Clip(number, 0, sound.header.frames, part=False)


def cuts_of(number: int, sound: Sound, cut: Cut, made: Clips) -> list[Clip]:
    """The cuts of a recording; one that is shorter than a cut is a sample as it is.

    The cut ``k`` starts at ``round(k · every · rate)`` and has exactly ``round(length · rate)`` samples.
    """
    rate, frames = sound.header.rate, sound.header.frames
    length = round(cut.length * rate)
    if frames <= length:
        return [Clip(number, 0, frames)]
    clips = []
    k, stop = 0, 0
    while (start := round(k * cut.every * rate)) + length <= frames:
        stop = start + length
        clips.append(Clip(number, start, stop))
        k += 1
    made.rest_s += (frames - stop) / rate
    return clips


def segments_of(number: int, sound: Sound, segments: Sequence[Segment], clips: bool, made: Clips) -> list[Clip]:
    """The segments of a recording as samples.

    Args:
        number: Number of the recording.
        sound: The recording.
        segments: Its segments.
        clips: Whether the file may be only the segment, cut out of a longer recording, as in AudioSet: then it is,
            unless it reaches to the end of the segment.
        made: Takes what is wrong.
    """
    rate, frames = sound.header.rate, sound.header.frames
    found: dict[tuple[int, int], Clip] = {}
    for segment in segments:
        if clips and not _holds(segment, sound.header.seconds):
            clip = whole(number, sound)
            length = segment.stop_s - segment.start_s
            if sound.header.seconds < length - _SLACK_S:
                made.causes.append(
                    (
                        number,
                        f"the clip has {sound.header.seconds:.3g} s, its segment ({segment.start_s:g} to "
                        f"{segment.stop_s:g} s) has {length:g} s",
                    )
                )
        else:
            start, stop = round(segment.start_s * rate), min(round(segment.stop_s * rate), frames)
            if start >= frames or segment.stop_s > sound.header.seconds + _SLACK_S:
                made.causes.append(
                    (
                        number,
                        f"a segment at {segment.start_s:g} to {segment.stop_s:g} s reaches behind the end of the "
                        f"recording ({sound.header.seconds:.4g} s)",
                    )
                )
            if start >= frames:
                continue
            if stop - start < SHORTEST_S * rate:
                made.short += 1
                continue
            clip = Clip(number, start, stop)
        clip.labels, clip.speaker = segment.labels, segment.speaker
        clip.source = segment.recording if clips else ""
        before = found.setdefault((clip.start, clip.stop), clip)
        if before is not clip:  # one segment on two lines, such as one for each of its labels
            before.labels = tuple(dict.fromkeys((*(before.labels or ()), *segment.labels)))
    return list(found.values())


def _holds(segment: Segment, seconds: float) -> bool:
    """Whether a file is the long recording, and not only the segment."""
    whole_too = segment.start_s == 0 and seconds <= segment.stop_s + _SLACK_S
    return seconds >= segment.stop_s - _SLACK_S and not whole_too


def labelled(clips: Sequence[Clip], segments: Mapping[int, Sequence[Segment]], rates: Sequence[int]) -> None:
    """Give cuts the labels of the segments that they share at least half of the shorter of both with."""
    for clip in clips:
        rate = rates[clip.sound]
        start, stop = clip.start / rate, clip.stop / rate
        names: dict[str, None] = {}
        speakers: dict[str, None] = {}
        for segment in segments.get(clip.sound, ()):
            shared = min(stop, segment.stop_s) - max(start, segment.start_s)
            if shared > 0 and shared >= 0.5 * min(stop - start, segment.stop_s - segment.start_s):
                names |= dict.fromkeys(segment.labels)
                speakers |= dict.fromkeys([segment.speaker] if segment.speaker else [])
        clip.labels = tuple(names)
        clip.speaker = next(iter(speakers)) if len(speakers) == 1 else ""
