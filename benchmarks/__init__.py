"""Ratios against peers: agreement is asserted before anything is timed, and all arms run interleaved in one process."""
