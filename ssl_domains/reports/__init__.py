"""Reports: one self-contained HTML file for a run, another for the pairs of a rule, and the figures of studies."""

from ssl_domains.reports.report import write_report

__all__ = ["write_report"]
