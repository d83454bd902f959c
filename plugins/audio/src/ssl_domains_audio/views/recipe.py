"""The views of the domain: crops and noise of waveforms, then masks and shifts of spectrograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import RecipeRequest
from ssl_domains.views import CropLength, Gain, MaskStretches, SequenceRecipe, SequenceStep
from ssl_domains_audio.inputs import FormatsPreprocess, LogMel, MelPreprocess, SoundPreprocess
from ssl_domains_audio.methods.formats_recipe import FormatsRecipe
from ssl_domains_audio.views.background import Background
from ssl_domains_audio.views.band_filter import BandFilter
from ssl_domains_audio.views.log_mel_step import LogMelStep
from ssl_domains_audio.views.mel_shift import MelShift
from ssl_domains_audio.views.noise import NoiseAtSnr
from ssl_domains_audio.views.reverberation import Reverberation
from ssl_domains_audio.views.silence import Silence
from ssl_domains_audio.views.speed import Speed
from ssl_domains_audio.views.time_shift import TimeShift
from ssl_domains_audio.views.whole_window import WholeWindow

__all__ = ["CROP_S", "WINDOW_S", "recipe"]

CROP_S = 0.45
"""Length of a view in seconds: most of a spoken word, and short beside most other recordings."""

_BANDS, _FRAMES = 6, 6  # most bands and most frames of a mask

WINDOW_S = 0.32
"""Length of a window of CPC in seconds: 32 places of the encoder conv1d_80 at 8 kHz."""

_EXTRA = ("background", "band filter", "coloured noise", "reverberation", "shift", "speed", "window")
"""Steps that ``views.extra`` adds; each but the last takes away something that may be the task.

``background=FOLDER`` names a folder of background recordings. ``window`` cuts windows of equal length for CPC, and
leaves shorter recordings out.
"""


def recipe(request: RecipeRequest) -> SequenceRecipe:
    """The steps for the form of the input, each with its reason.

    Args:
        request: Training rows, number of views, the preprocess, and names of further steps (`_EXTRA`).

    Raises:
        UsageError: For an unknown name among the further steps, or a folder of background recordings that is missing
            or can't be used.
        DataError: When a background recording can't be decoded.
    """
    extra = _further(request.extra)
    preprocess = request.preprocess
    if isinstance(preprocess, FormatsPreprocess):
        waves = _waves(preprocess.rate, extra)
        spectrograms = (*waves, *_spectrograms(preprocess.mel))
        return FormatsRecipe(_louder(waves), views=request.views, spectrograms=spectrograms)
    if isinstance(preprocess, MelPreprocess):
        steps = (*_waves(preprocess.sound.rate, extra), *_spectrograms(preprocess.mel))
    elif isinstance(preprocess, SoundPreprocess):
        steps = _louder(_waves(preprocess.rate, extra))
    else:
        raise UsageError("the views of audio need its preprocess", "give RecipeRequest(preprocess=...)")
    return SequenceRecipe(steps, views=request.views)


def _further(words: Sequence[str]) -> dict[str, str]:
    """Name of each further step → what stands behind ``=``, empty for all but the background."""
    extra = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in _EXTRA:
            raise UsageError(f"the domain audio has no further view {name!r}", did_you_mean(name, _EXTRA))
        if (name == "background") != bool(value):
            cause = f"the further view {word!r} " + ("names no folder" if name == "background" else "takes no value")
            raise UsageError(cause, f'views.extra=["{"background=FOLDER" if name == "background" else name}"]')
        extra[name] = value
    return extra


def _waves(rate: int, extra: Mapping[str, str]) -> tuple[SequenceStep, ...]:
    """Steps on waveforms, the crop first."""
    length = max(1, round((WINDOW_S if "window" in extra else CROP_S) * rate))
    chosen: list[SequenceStep] = [CropLength(length=length, reason="a part of a recording is of the same source")]
    if "shift" in extra:
        chosen.append(TimeShift(reason="what is heard doesn't depend on where it begins"))
    if "speed" in extra:
        chosen.append(Speed(reason="the same word is spoken faster and slower, and by larger and smaller speakers"))
    if "band filter" in extra:
        chosen.append(BandFilter(reason="microphone, channel and distance colour a recording"))
    if "reverberation" in extra:
        chosen.append(Reverberation(rate=rate, reason="the same sound is recorded in small and large rooms"))
    if "background" in extra:
        why = "the same sound is heard with whatever else sounds around it"
        chosen.append(Background.of(extra["background"], rate, reason=why))
    colours = (0.0, 2.0) if "coloured noise" in extra else (0.0, 0.0)
    chosen.append(NoiseAtSnr((15.0, 30.0), colours, reason="background and amplifier noise differ by recording"))
    chosen.append(Silence(reason="silent views teach nothing, so their number is recorded"))
    if "window" in extra:
        chosen.append(WholeWindow(length, reason="a sequence must be long enough to be predicted"))
    return tuple(chosen)


def _louder(waves: tuple[SequenceStep, ...]) -> tuple[SequenceStep, ...]:
    """Steps on waveforms with a gain behind the crop."""
    gain = Gain(gain=(0.5, 2.0), p=1.0, reason="distance and amplifier change the level, not what is heard")
    return (waves[0], gain, *waves[1:])


def _spectrograms(mel: LogMel) -> tuple[SequenceStep, ...]:
    """The step to the spectrogram, and steps on it."""
    frames = mel.frames(round(CROP_S * mel.rate))
    bands = (0.0, min(1.0, _BANDS / mel.bands))
    stretches = (0.0, min(1.0, _FRAMES / frames))
    return (
        LogMelStep(mel=mel, reason="the encoder takes log-mel spectrograms"),
        MaskStretches(bands, count=1, side=0, p=1.0, reason="no single band decides: noises and codecs remove bands"),
        MaskStretches(stretches, count=1, side=1, p=1.0, reason="no single moment decides: clicks and gaps hide some"),
        MelShift(3, reason="speakers and animals differ in size, which moves all resonances together"),
    )
