"""Words that may leave a header: free text is reduced to known words, and the rest to a keyed hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

__all__ = ["family_of", "modality_of", "photometric_of", "scanner_of", "type_words"]

_MAKERS = {
    "SIEMENS": "Siemens", "GE": "GE", "GENERAL ELECTRIC": "GE", "GEMS": "GE", "PHILIPS": "Philips", "ADAC": "Philips",
    "MARCONI": "Marconi", "PICKER": "Picker", "ELSCINT": "Elscint", "TOSHIBA": "Toshiba", "CANON": "Canon",
    "HITACHI": "Hitachi", "FUJI": "Fujifilm", "FUJIFILM": "Fujifilm", "FUJI PHOTO FILM": "Fujifilm", "AGFA": "Agfa",
    "KODAK": "Kodak", "CARESTREAM": "Carestream", "KONICA": "Konica Minolta", "HOLOGIC": "Hologic", "LORAD": "Hologic",
    "UIH": "United Imaging", "UNITED IMAGING": "United Imaging", "NEUSOFT": "Neusoft", "SHIMADZU": "Shimadzu",
    "BRUKER": "Bruker", "ESAOTE": "Esaote", "SAMSUNG": "Samsung", "MEDISON": "Samsung", "MINDRAY": "Mindray",
    "ACUSON": "Acuson", "ATL": "ATL", "ALOKA": "Aloka", "SONOSITE": "Sonosite", "ZEISS": "Zeiss",
    "HEIDELBERG ENGINEERING": "Heidelberg Engineering", "HEIDELBERG": "Heidelberg Engineering", "TOPCON": "Topcon",
    "NIDEK": "Nidek", "OPTOVUE": "Optovue", "OPTOS": "Optos", "TOMEY": "Tomey", "OCULUS": "Oculus",
    "OLYMPUS": "Olympus", "PENTAX": "Pentax", "LEICA": "Leica", "APERIO": "Aperio", "HAMAMATSU": "Hamamatsu",
    "3DHISTECH": "3DHISTECH", "NIKON": "Nikon", "SIRONA": "Sirona", "PLANMECA": "Planmeca", "VARIAN": "Varian",
    "ELEKTA": "Elekta", "ACCURAY": "Accuray", "MEDISO": "Mediso", "SWISSRAY": "Swissray", "VATECH": "Vatech",
}  # fmt: skip

_MODELS = frozenset(
    """
    ACHIEVA ACUSON AERA ALLEGRA ALTEA ALTIX ALPHENIX AMIRA AQUILION ARTIS ARTIST ASTEION AVANTO AXIOM BIOGRAPH
    BRILLIANCE BRIGHTSPEED CIRRUS COMPACT DEFINITION DISCOVERY DRIVE DUO EDGE EMOTION ENCORE ENDURO ESPREE EXCITE FLASH
    FORCE GEMINI GENESIS HDX HISPEED ICT INGENIA INGENUITY INNOVA INTERA LIGHTSPEED LOGIQ LUMINA MAGNETOM MEDICAL MX ONE
    OPTIMA PANORAMA PERSPECTIVE PLUS PREVA PRISMA PRO REVOLUTION SCOPE SELENIA SENOGRAPHE SENSATION SIGNA SKYRA SOLA
    SOMATOM SONATA SPECTRA SPECTRALIS SYMBIA SYMPHONY SYNGO SYSTEMS TRIO TRIOTIM TRITON ULTRA VANTAGE VERIO VIDA VIVID
    VOLUME WIZARD ZOOM CT MR PET XR SYSTEM HEALTHCARE
    """.split()  # noqa: SIM905 - words read better than a hundred quoted strings
)

_TYPES = frozenset(
    """
    ORIGINAL DERIVED MIXED PRIMARY SECONDARY AXIAL LOCALIZER SCOUT CORONAL SAGITTAL OBLIQUE M P R I MAGNITUDE PHASE REAL
    IMAGINARY M_FFE P_FFE R_FFE I_FFE M_SE M_IR M_PCA PHASE MAP VELOCITY ADC ADC_UNSPECIFIED TRACE TRACEW FA EADC
    DIFFUSION DWI TENSOR TENSOR_B0 COLFA B0 ISOTROPIC PERFUSION CBF CBV MTT TTP TMAX PBP ASL T1 T2 T2_STAR R2 R2_STAR
    FAT WATER IN_PHASE OUT_PHASE IP OP OPP_PHASE INPHASE OUTPHASE FAT_FRACTION FF SUB SUBTRACTION ADD MIP MPR MINIP
    AVERAGE MEAN STDDEV VOLUME VRT PROJECTION PROJECTION IMAGE REFORMATTED RESAMPLED FLOW_ENCODED ANGIO TOF
    ND NORM DIS2D DIS3D FM FIL MFSPLIT MOSAIC DM NONE OTHER STATIC DYNAMIC GATED TOMO WHOLE BODY RECON EMISSION
    TRANSMISSION NORMAL LEFT RIGHT SINGLE BIPLANE A B PLANE SCREEN SAVE REPORT DOSE DOSE_INFO POST_PROCESSED
    COLOR SE GR IR EP FFE UNSPECIFIED RESTING FLUORO ACQUISITION TOMOSYNTHESIS GENERATED_2D
    """.split()  # noqa: SIM905
)
# Flags of processing, which differ between slices of one volume.
_PROCESSING = frozenset(
    """
    ND NORM DIS2D DIS3D FM FIL MFSPLIT MOSAIC DM NONE OTHER UNSPECIFIED SE GR IR EP FFE RECON A B AXIAL
    """.split()  # noqa: SIM905
)

_MODALITIES = frozenset(
    """
    AR BI BMD CD CR CT CTPROTOCOL DG DX EC ECG EEG EMG ES FID GM HC IO IVOCT IVUS KER LEN LP LS M3D MG MR MS NM OAM OCT
    OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PT PX RF RG ST TG US VA VF XA XC XAPROTOCOL DF DS CF FA FS DD MA AS SM SC SR
    RTIMAGE RTDOSE REG SEG
    """.split()  # noqa: SIM905
)
_PHOTOMETRIC = frozenset(
    """
    MONOCHROME1 MONOCHROME2 PALETTE_COLOR RGB YBR_FULL YBR_FULL_422 YBR_PARTIAL_422 YBR_PARTIAL_420 YBR_ICT YBR_RCT HSV
    ARGB CMYK
    """.split()  # noqa: SIM905
)


def scanner_of(maker: str | None, model: str | None, digest: Callable[[str], str]) -> str | None:
    """Maker and model in known words; whatever else they say is a keyed hash of six digits.

    Example:
        >>> scanner_of("SIEMENS", "Skyra of St. Mary", lambda text: "4f1c0b9a")
        'Siemens Skyra #4f1c0b'
    """
    if not maker and not model:
        return None
    spoken = re.sub(r"[^A-Z0-9]+", " ", (maker or "").upper()).strip()
    name = next((known for word, known in _MAKERS.items() if f" {word} " in f" {spoken} "), None)
    words = re.findall(r"[A-Za-z0-9]+", model or "")
    known = [word for word in words if word.upper() in _MODELS or (word.isdigit() and len(word) < 4)]
    parts = [name or "other maker", *known]
    if name is None or len(known) < len(words):
        parts.append("#" + digest(f"scanner {maker} {model}")[:6])
    return " ".join(parts)


def type_words(values: Iterable[str]) -> tuple[str, ...]:
    """The values of ImageType or FrameType that hold known words only; others are left out."""
    words = (value.strip().upper() for value in values)
    return tuple(word for word in words if word and _TYPES.issuperset(word.split()))


def family_of(words: Iterable[str]) -> tuple[str, ...]:
    """The words of an ImageType that tell what was measured (magnitude, phase, ADC, localizer), sorted."""
    return tuple(sorted(set(words) - _PROCESSING))


def modality_of(value: str | None) -> str | None:
    """Modality, where it is one of the standard's terms."""
    word = (value or "").strip().upper()
    return word if word in _MODALITIES else None


def photometric_of(value: str | None) -> str | None:
    """PhotometricInterpretation, where it is one of the standard's terms."""
    word = (value or "").strip().upper()
    return word if word.replace(" ", "_") in _PHOTOMETRIC else None
