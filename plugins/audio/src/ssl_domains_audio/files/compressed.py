"""Headers of files that libsndfile decodes: flac, ogg, mp3, AIFF, CAF, AU, NIST, W64 and compressed wav."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ssl_domains.samples import ReadError
from ssl_domains_audio.files.messages import decoder_messages

if TYPE_CHECKING:
    from soundfile import SoundFile

__all__ = ["compressed_header", "opened_file"]

_TYPES = {
    "PCM_S8": "int8", "PCM_U8": "uint8", "PCM_16": "int16", "PCM_24": "int24", "PCM_32": "int32", "FLOAT": "float32",
    "DOUBLE": "float64", "ULAW": "mu-law", "ALAW": "A-law", "MPEG_LAYER_III": "", "VORBIS": "vorbis", "OPUS": "opus",
}  # fmt: skip
_SILENT = ("flac", "ogg")  # kinds whose decoders write nothing to standard error
_COUNT_UNKNOWN = 1 << 62
_BLOCK = 1 << 10  # soundfile gives nothing of a block at whose end the file breaks off
_LAST_PAGE = 1 << 17
_END_OF_STREAM = 4


def compressed_header(path: str, kind: str, size: int) -> tuple[str, int, int, int, str]:
    """(format, rate in Hz, channels, frames, remark) of a file; the remark is empty for a whole file.

    libsndfile gives 0 frames without a word for some files that are cut short, and the frames of a whole one for
    others. Therefore the last sample is asked for, and an ogg file is checked for its last page.

    Args:
        path: The file.
        kind: Its kind by its first bytes.
        size: Its size in bytes.

    Raises:
        ReadError: When libsndfile can't open it, or nothing can be decoded.
    """
    with _quiet(kind), opened_file(path) as file:
        subtype = str(file.subtype)
        words = _TYPES.get(subtype, subtype.lower().replace("_", " "))
        made = f"{kind} {words}".strip()
        frames, remark = int(file.frames), ""
        if frames <= 0 or frames >= _COUNT_UNKNOWN:
            frames = _counted(path)
            remark = "the header doesn't state how many samples there are: they are counted by decoding"
        elif kind == "ogg":
            remark = "" if _has_last_page(path, size) else _cut(frames, file.samplerate)
        elif not _has_sample(file, frames - 1):
            stated, frames = frames, _counted(path)
            remark = f"{_cut(frames, file.samplerate)} of {stated / file.samplerate:.2f} s"
        if not frames:
            raise ReadError("nothing in the file can be decoded: it is damaged or cut short")
        return made, int(file.samplerate), int(file.channels), frames, remark


def _quiet(kind: str) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext() if kind in _SILENT else decoder_messages()


def opened_file(path: str) -> SoundFile:
    """The file, opened by soundfile.

    Raises:
        ReadError: With libsndfile's words, when it can't be opened.
    """
    import soundfile

    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        cause = str(error.error_string).strip().rstrip(".")
        raise ReadError(
            f"libsndfile can't open it{f' ({cause})' if cause else ': it is damaged or cut short'}"
        ) from error
    except (RuntimeError, TypeError, ValueError) as error:  # as soundfile raises them for odd headers
        raise ReadError(f"libsndfile can't open it ({error})") from error


def _cut(frames: int, rate: int) -> str:
    return f"the file is cut short: {frames / rate:.2f} s of sound exist"


def _has_sample(file: SoundFile, number: int) -> bool:
    import soundfile

    try:
        file.seek(number)
        return len(file.read(1, dtype="float32", always_2d=True)) == 1
    except soundfile.LibsndfileError:
        return False


def _counted(path: str) -> int:
    """Number of samples of a channel that can be decoded, from the start on."""
    import soundfile

    count = 0
    # Opened anew: after a failed jump, the decoder of flac doesn't go back. What was decoded before an error counts.
    with opened_file(path) as file, contextlib.suppress(soundfile.LibsndfileError):
        while part := len(file.read(_BLOCK, dtype="float32", always_2d=True)):
            count += part
    return count


def _has_last_page(path: str, size: int) -> bool:
    """Whether an ogg file ends with a whole page that is marked as the last of its stream (RFC 3533)."""
    with open(path, "rb") as file:
        file.seek(max(size - _LAST_PAGE, 0))
        tail = file.read()
    place = tail.rfind(b"OggS")
    while place >= 0:
        page = tail[place:]
        if len(page) >= 27 and len(page) >= 27 + page[26]:
            length = 27 + page[26] + sum(page[27 : 27 + page[26]])
            if length <= len(page):
                return bool(page[5] & _END_OF_STREAM)
        place = tail.rfind(b"OggS", 0, place)
    return False
