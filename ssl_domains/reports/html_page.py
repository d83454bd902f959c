"""Templates of pages, which are one HTML file each: how they are loaded, and the colours that all of them share."""

from __future__ import annotations

from importlib import resources

import jinja2
from markupsafe import Markup

__all__ = ["page_colours", "page_templates"]


def page_templates(*packages: str) -> jinja2.Environment:
    """The templates in the folders ``templates`` of packages, the first one first.

    Text is escaped, and a name that the page isn't given is an error.

    Args:
        packages: Names such as ``"ssl_domains.reports"``.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_colours() -> Markup:
    """CSS variables of the colours, light and dark, for a ``<style>`` of a page."""
    return Markup((resources.files("ssl_domains.reports") / "templates" / "colours.css").read_text(encoding="utf-8"))
