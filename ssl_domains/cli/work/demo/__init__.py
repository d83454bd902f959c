"""The demonstrations: command lines that a user can type, run one after another, and one table of their scores.

`MedicalDemonstration` is what ``ssl-domains demo`` plays; `FisheyeDemonstration`, `SeismicDemonstration`,
`AudioDemonstration`, `LinesDemonstration` and `DocumentsDemonstration` are those of ``--domain fisheye``, ``seismic``,
``audio``, ``lines`` and ``text``.
All only write command lines and read the files that these leave: every number in a table stands in a run folder.
"""

from ssl_domains.cli.work.demo.audio import AudioDemonstration
from ssl_domains.cli.work.demo.fisheye import FisheyeDemonstration
from ssl_domains.cli.work.demo.medical import MedicalDemonstration
from ssl_domains.cli.work.demo.seismic import SeismicDemonstration
from ssl_domains.cli.work.demo.text_documents import DocumentsDemonstration
from ssl_domains.cli.work.demo.text_lines import LinesDemonstration

__all__ = [
    "AudioDemonstration",
    "DocumentsDemonstration",
    "FisheyeDemonstration",
    "LinesDemonstration",
    "MedicalDemonstration",
    "SeismicDemonstration",
]
