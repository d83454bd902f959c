"""The medical demonstration: its command lines come in; a table of seven arms and a page of pictures go out."""

from ssl_domains.cli.work.demo.medical.demonstration import MedicalDemonstration

__all__ = ["MedicalDemonstration"]
