"""Several stacks of one survey, such as near, mid and far angles, as the channels of its samples.

The option ``--stacks`` comes in with the files of a scan. `groups` says which files are stacks of one survey, `common`
checks that they have one grid and one vertical axis, `volume` reads them as one array with a channel for each stack,
and `column` keeps the further files of a survey in the sample table.
"""

from ssl_domains_seismic.stacks.column import OtherStack, other_stacks, stacks_text
from ssl_domains_seismic.stacks.common import common_places, difference
from ssl_domains_seismic.stacks.groups import StackNames, StackRequest, Stacks, stack_groups, stacks_of
from ssl_domains_seismic.stacks.volume import StackedVolume

__all__ = [
    "OtherStack",
    "StackNames",
    "StackRequest",
    "StackedVolume",
    "Stacks",
    "common_places",
    "difference",
    "other_stacks",
    "stack_groups",
    "stacks_of",
    "stacks_text",
]
