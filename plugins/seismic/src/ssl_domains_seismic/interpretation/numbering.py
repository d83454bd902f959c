"""Class numbers of classes that files name by words, and which kinds of labels one table can hold."""

from __future__ import annotations

from collections.abc import Sequence

from ssl_domains.errors import UsageError
from ssl_domains.samples import Unreadable, read_guarded
from ssl_domains_seismic.interpretation.class_names import ClassNames
from ssl_domains_seismic.interpretation.label_files import LabelFile
from ssl_domains_seismic.labels import class_words, polygon_features

__all__ = ["numbered_words"]


def numbered_words(files: Sequence[LabelFile], names: ClassNames | None) -> tuple[ClassNames, dict[str, int] | None]:
    """The names of the classes, and the number of each that polygons name by a word.

    With ``--label-names`` words have the numbers that it gives. Without it, and where all files are polygons, words are
    numbered from 1 in alphabetical order.

    Args:
        files: The label files.
        names: Names that the user gave; None for none.

    Raises:
        UsageError: When words have no number although other labels are numbers, or horizons and other labels are mixed.
    """
    horizons = [file for file in files if file.kind == "horizon"]
    others = [file for file in files if file.kind != "horizon"]
    if len(horizons) > 1 and others:
        raise UsageError(
            f"--labels: zones between horizons ({horizons[0].path.name}) and classes ({others[0].path.name}) have "
            "numbers of different meaning",
            "give the horizons, or the other files, and scan to two tables for both",
        )
    if names is not None:
        return names, names.numbers()
    words: set[str] = set()
    numbers_in: list[LabelFile] = [file for file in others if file.kind != "polygons"]
    for file in others:
        if file.kind == "polygons":
            read = read_guarded(lambda file=file: polygon_features(file.path), file.path)  # type: ignore[misc]
            features = [] if isinstance(read, Unreadable) else read[0]
            found = class_words(features)
            words.update(found)
            if features and not found:
                numbers_in.append(file)
    if words and numbers_in:
        example = ",".join(f"{number}={word}" for number, word in enumerate(sorted(words), 1))
        raise UsageError(
            f"--labels: classes such as {min(words)!r} have names, and those of {numbers_in[0].path.name} have numbers",
            f'say which is which: --label-names "{example}"',
        )
    numbered = {word: number for number, word in enumerate(sorted(words), 1)}
    return ClassNames({number: word for word, number in numbered.items()}), numbered or None
