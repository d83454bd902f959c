"""Results of a long run on the disk, so that it goes on where it was stopped, and their summary."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from fuzzing.outcome import Outcome

__all__ = ["Record", "sources_digest", "summary"]

_ROOT = Path(__file__).parents[3]


def sources_digest() -> str:
    """A digest of the sources of the product and of the fuzzing: results of other sources are not gone on with."""
    digest = hashlib.sha256()
    for folder in ("ssl_domains", "plugins", "tests/fuzz"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Record:
    """Outcomes as lines of JSON, in a file for each process; the first line names the sources they belong to.

    Args:
        folder: Folder of the files.
        process: Number of the process that writes.
    """

    def __init__(self, folder: Path, process: int = 0) -> None:
        self._folder = folder
        self._path = folder / f"outcomes-{process}.jsonl"
        self._digest = sources_digest()

    def outcomes(self) -> list[Outcome]:
        """What all processes wrote about these sources; a line that was cut off is passed over."""
        found = []
        for path in sorted(self._folder.glob("outcomes-*.jsonl")):
            first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
            if first == self._digest:
                found += [Outcome.from_json(line) for line in lines if line.endswith("}")]
        return found

    def add(self, outcome: Outcome) -> None:
        """Append one outcome."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._path.is_file() or not self._path.read_text(encoding="utf-8").startswith(self._digest):
            self._path.write_text(self._digest + "\n", encoding="utf-8")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(outcome.to_json() + "\n")


def summary(outcomes: Iterable[Outcome], kinds: Sequence[str]) -> str:
    """A table of the kinds: runs, exit codes, faults, seconds; then every fault with the command that runs it again."""
    of_kind: dict[str, list[Outcome]] = {kind: [] for kind in kinds}
    for outcome in outcomes:
        if outcome.kind in of_kind:
            of_kind[outcome.kind].append(outcome)
    codes = sorted({code for group in of_kind.values() for outcome in group for code in outcome.codes[-1:]})
    lines = [
        f"{'kind':<14}{'whole':>6}{'runs':>7}"
        + "".join(f"{f'exit {code}':>8}" for code in codes)
        + f"{'faults':>8}{'s':>8}"
    ]
    for kind, group in of_kind.items():
        damaged = [outcome for outcome in group if outcome.seed >= 0]
        ended = Counter(outcome.codes[-1] for outcome in damaged if outcome.codes)
        counts = "".join(f"{ended[code]:>8}" for code in codes)
        whole = sum(outcome.seed < 0 for outcome in group)
        faults = sum(bool(outcome.fault) for outcome in group)
        lines.append(f"{kind:<14}{whole:>6}{len(damaged):>7}{counts}{faults:>8}{sum(o.seconds for o in group):>8.0f}")
    faults = [outcome for group in of_kind.values() for outcome in group if outcome.fault]
    for outcome in faults:
        how = f"--seed {outcome.seed}" if outcome.seed >= 0 else "--runs 0"
        lines.append(f"\n{outcome.kind} {how} ({outcome.case}, {outcome.damage or 'undamaged'})\n  {outcome.fault}")
    return "\n".join([*lines, "", f"{len(faults)} faults"])
