"""Reports: one self-contained HTML file per run."""

from ssl_domains.reports.report import write_report

__all__ = ["write_report"]
