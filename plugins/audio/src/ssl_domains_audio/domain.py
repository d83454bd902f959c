"""The audio domain: its files, inputs and views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, RecipeRequest, ScanOption
from ssl_domains_audio.pairs import EXTRA_COLUMNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ssl_domains.samples import Reader, SampleTable
    from ssl_domains.views import PreprocessSource, Recipe
    from ssl_domains_audio.inputs.settings import SoundSettings

__all__ = ["AUDIO"]


def _reader() -> Reader:
    from ssl_domains_audio.reader import AudioReader

    return AudioReader()


def _preprocess(table: SampleTable, settings: SoundSettings) -> PreprocessSource:
    from ssl_domains_audio.inputs import sounds_for

    return sounds_for(table, settings)


def _input_settings() -> type[SoundSettings]:
    from ssl_domains_audio.inputs.settings import SoundSettings

    return SoundSettings


def _recipe(request: RecipeRequest) -> Recipe:
    from ssl_domains_audio.views import recipe

    return recipe(request)


def _log_mel_statistics(inputs: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains_audio.features import log_mel_statistics

    return log_mel_statistics(inputs)


def _mfcc(inputs: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains_audio.features import mfcc_statistics

    return mfcc_statistics(inputs)


def _thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8] | str:
    from ssl_domains_audio.report import thumbnail

    return thumbnail(array, row)


def _sound(array: NDArray[Any], row: Mapping[str, Any]) -> bytes | None:
    from ssl_domains_audio.report import wav_of

    return wav_of(array, row)


def _near_picture(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.float32]:
    from ssl_domains_audio.near_picture import near_picture

    return near_picture(array, row)


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_audio.demo import write_demo_data

    return write_demo_data(out, seed)


AUDIO = Domain(
    name="audio",
    summary="recordings (wav, flac, ogg, mp3): speakers, sessions and sites as positives",
    reader=_reader,
    preprocess=_preprocess,
    preprocess_classes=(
        "ssl_domains_audio.inputs:SoundPreprocess",
        "ssl_domains_audio.inputs:MelPreprocess",
        "ssl_domains_audio.inputs:FormatsPreprocess",
    ),
    input_settings=_input_settings,
    recipe=_recipe,
    scan_options=(
        ScanOption("names", str, help="names say: fsdd, esc50, librispeech, time, none; auto (default) finds out"),
        ScanOption(
            "folders", str, help="columns from folders, from the top one on, as site/session; - passes one over"
        ),
        ScanOption(
            "labels",
            str,
            help="tables of segments: CSV, Audacity, Raven, RTTM, AudioSet; file or folder; repeat it",
            many=True,
        ),
        ScanOption("cut", float, help="cut recordings into pieces of so many seconds", repeat=True),
        ScanOption("every", float, help="distance of the starts of the pieces in seconds; else side by side"),
        ScanOption("contents", bool, help="read every sample for level, silence, clipping, copies (below 20 hours)"),
    ),
    nuisance=("speaker", "session", "rate", "seconds"),
    handmade={"log-mel statistics": _log_mel_statistics, "MFCC": _mfcc},
    floors={"duration and level": ("seconds", "level_db")},
    default_encoder="small_conv",
    extra_columns=EXTRA_COLUMNS,
    group="speaker",
    whole_groups=("source", "recording"),
    coarser_groups=("session", "speaker", "site"),
    near_picture=_near_picture,
    thumbnail=_thumbnail,
    sound=_sound,
    demo_data=_demo_data,
    files="recordings (.wav, .flac, .ogg, .mp3)",
)
