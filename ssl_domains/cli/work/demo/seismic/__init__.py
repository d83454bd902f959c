"""The seismic demonstration: its command lines come in; a table, predictions as SEG-Y and a time slice go out."""

from ssl_domains.cli.work.demo.seismic.demonstration import SeismicDemonstration

__all__ = ["SeismicDemonstration"]
