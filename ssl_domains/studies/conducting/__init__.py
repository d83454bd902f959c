"""Running a whole study, and making its pages anew.

In: a study file with everything that its cells share (`Material`), or a file of finished cells. Out: ``results.json``,
the HTML report, and ``page/`` with Markdown, figures and the cells.
"""

from ssl_domains.studies.conducting.conduct import Conducted, alone_in_study, conduct
from ssl_domains.studies.conducting.pages_again import pages_again

__all__ = ["Conducted", "alone_in_study", "conduct", "pages_again"]
