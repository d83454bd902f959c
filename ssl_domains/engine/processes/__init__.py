"""The environment of a run: processes, random generators, device and precision, memory, interruption."""
