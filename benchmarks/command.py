"""Run benchmarks: ``python -m benchmarks [NAME ...]``; without a name, all of them."""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

__all__ = ["NAMES", "main"]

NAMES = (
    "loss",
    "small_loss",
    "mining",
    "sampler",
    "store",
    "regions",
    "seismic",
    "audio",
    "text",
    "lines",
    "engine_step",
    "methods",
    "lightly_methods",
    "lightly_accuracy",
    "end_to_end",
    "neighbours",
)
_WITH_FULL = ("text",)
_ON_PICTURES = ("lightly_accuracy", "end_to_end", "neighbours")


def main() -> int:
    """Each in a process of its own, so that none starts from what another left behind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all without one")
    parser.add_argument(
        "--pictures", type=Path, help="folder or zip with train/CLASS/ and test/CLASS/ of 32 px pictures"
    )
    parser.add_argument("--full", action="store_true", help="text: a million documents, which takes longer")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="where the JSON goes")
    parser.add_argument("--page", type=Path, help="write the Markdown page of all results here")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    context = multiprocessing.get_context("spawn")
    for name in options.names or NAMES:
        process = context.Process(target=_run, args=(name, options.results, options.pictures, options.full))
        process.start()
        process.join()
        if process.exitcode:
            return 1
    if options.page is not None:
        _write_page(options.results, options.page)
    return 0


def _run(name: str, results: Path, pictures: Path | None, full: bool) -> None:
    # Libraries are loaded in the process that measures with them.
    from importlib import import_module

    module = import_module(f"benchmarks.{name}")
    given = {"pictures": pictures} if name in _ON_PICTURES else {"full": full} if name in _WITH_FULL else {}
    result = module.run(**given)
    result.write(results)
    print(result.table(), flush=True)


def _write_page(results: Path, page: Path) -> None:
    from benchmarks.result import Result

    found = [results / f"{name}.json" for name in NAMES]
    sections = [Result.read(path).table() for path in found if path.exists()]
    head = (
        "# Benchmarks\n\nMade by `python -m benchmarks --page docs/results/benchmarks.md`. Agreement is asserted "
        "before anything is timed; arms take turns in one process; a target that is not met says so.\n"
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join([head, *sections]), encoding="utf-8")
