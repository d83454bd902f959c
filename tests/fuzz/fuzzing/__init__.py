"""Fuzzing of the command line: damaged inputs of every format, each read in a process of its own.

A `Kind` is a format: a small valid input, the command lines that read it, and the mutations that damage it. A
`Session` imports everything once and forks one process for each damaged input. `Outcome` says what came of it, and
whether that is a fault.
"""
