"""What damages a file: functions of its contents and of a random generator, by what they know of the format."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzzing.kind import Kind

__all__ = ["damaged"]

_TRIES = 40


def damaged(kind: Kind, folder: Path, rng: Random) -> str:
    """Damage one file of an input in place, and say which and how."""
    files = kind.target_files(folder)
    file = rng.choice(files)
    name = file.relative_to(folder).as_posix()
    if kind.whole and rng.random() < 0.15:
        return f"{name}: {_whole(file, [other for other in files if other != file], rng)}"
    before = contents = file.read_bytes()
    done: list[str] = []
    wanted = rng.choices((1, 2, 3), (7, 2, 1))[0]
    for _ in range(_TRIES):
        mutation = rng.choice(kind.mutations)
        try:
            after = mutation(contents, rng)
        except ValueError:  # these contents are not what it damages
            continue
        except Exception:
            if not done:
                raise
            continue  # the damage done so far is too much for it
        if after != contents:
            contents = after
            done.append(mutation.__name__)
        if len(done) == wanted:
            break
    if contents == before:
        contents, done = contents[: len(contents) // 2], ["half"]
    file.unlink()
    file.write_bytes(contents)
    return f"{name}: {', '.join(done)}"


def _whole(file: Path, others: list[Path], rng: Random) -> str:
    """Remove a file, put a folder in its place, or the contents of another file of the input."""
    how = rng.choice(("removed", "a folder", "exchanged"))
    if how == "exchanged" and others:
        other = rng.choice(others)
        mine, its = file.read_bytes(), other.read_bytes()
        file.write_bytes(its)
        other.write_bytes(mine)
        return f"exchanged with {other.name}"
    file.unlink()
    if how == "a folder":
        file.mkdir()
        return "replaced by a folder"
    shutil.rmtree(file, ignore_errors=True)
    return "removed"
