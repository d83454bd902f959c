"""The result page of a study: wording, tables and figures, as Markdown and HTML."""
