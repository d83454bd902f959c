"""The machine under a run: its processes, random generators, precision, memory, interruption."""
