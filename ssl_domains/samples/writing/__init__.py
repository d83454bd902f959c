"""Writing that survives kills, full disks and two processes at once.

Before the work, `require_target` and `require_folder` refuse a place that can't be written to, and `only_one` or
`alone_in` keep a second process away. `write_whole` and `write_whole_folder` write under a temporary name and rename
it, so a reader sees the old contents or the new ones. `write_errors` turns the system's errors into those of the user.
The files `map_files` and `text_files` say what a domain gives for predictions in files of its own: masks, and texts.
"""

from ssl_domains.samples.writing.failures import write_errors
from ssl_domains.samples.writing.folder import write_whole_folder
from ssl_domains.samples.writing.lock import alone_in, only_one
from ssl_domains.samples.writing.target import require_folder, require_target
from ssl_domains.samples.writing.text_files import TextFile, TextFiles, TextPlan, Transcribed
from ssl_domains.samples.writing.whole import write_whole

__all__ = [
    "TextFile",
    "TextFiles",
    "TextPlan",
    "Transcribed",
    "alone_in",
    "only_one",
    "require_folder",
    "require_target",
    "write_errors",
    "write_whole",
    "write_whole_folder",
]
