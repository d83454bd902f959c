"""Speed and correctness on one GPU, in at most five minutes: ``python -m benchmarks.gpu --out FILE``."""
