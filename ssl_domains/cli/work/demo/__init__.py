"""The demonstrations: command lines that a user can type, run one after another, and one table of their scores.

`MedicalDemonstration` is what ``ssl-domains demo`` plays, `FisheyeDemonstration` what ``ssl-domains demo --domain
fisheye`` does. Both only write command lines and read the files that these leave: every number in a table stands in a
run folder.
"""

from ssl_domains.cli.work.demo.fisheye import FisheyeDemonstration
from ssl_domains.cli.work.demo.medical import MedicalDemonstration

__all__ = ["FisheyeDemonstration", "MedicalDemonstration"]
