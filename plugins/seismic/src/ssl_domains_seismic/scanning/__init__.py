"""Steps of a scan: which files are volumes, and what samples a survey of one or several files has."""

from ssl_domains_seismic.scanning.survey_samples import npy_volume, survey_samples
from ssl_domains_seismic.scanning.volume_files import SUFFIXES, volume_files

__all__ = ["SUFFIXES", "npy_volume", "survey_samples", "volume_files"]
