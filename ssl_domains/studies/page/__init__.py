"""The findings as a page: words, tables, figures, Markdown and HTML."""
