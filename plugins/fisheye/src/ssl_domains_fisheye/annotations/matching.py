"""Which annotation belongs to which picture: by folder and declared name; by the bare name only where it is unique."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ssl_domains_fisheye.annotations.keys import folder_of, key_of, parts_of

__all__ = ["Address", "Match", "match"]

# How sure a match is, the surest first.
_PATH, _DECLARED, _PLACE, _NAME = range(4)


@dataclass(frozen=True)
class Address:
    """Where an annotation says that its picture is.

    Attributes:
        home: Folder of the annotation's file, relative to the source or to the folder of annotations.
        place: Key of the annotation's file where it stands for one picture; None for a file of many.
        picture: Path or name of the picture, as it is declared; None when there is none.
        folders: Further folders in which the declared name may lie: for a file of one picture the folder that it
            declares, tried last; for a file of many those that are named like it, tried first.
    """

    home: Path
    place: str | None
    picture: str | None = None
    folders: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """File name of the picture without folders; that of the annotation where none is declared."""
        parts = parts_of(self.picture or "")
        return parts[-1] if parts else (self.place or "").rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return key_of(self.name) if self.picture else self.name

    @property
    def declared(self) -> list[Path]:
        """Paths at which the declared picture may lie, relative to the source."""
        parts = parts_of(self.picture or "")
        if not parts:
            return []
        path = Path(*parts)
        further = [self.home.joinpath(*parts_of(folder), path) for folder in self.folders]
        return [self.home / path, path, *further] if self.place is not None else [*further, self.home / path, path]

    @property
    def folder(self) -> str:
        """Key of the folder of pictures to which it belongs."""
        return folder_of(
            self.place if self.place is not None else key_of(self.home.joinpath(*parts_of(self.picture or "")))
        )


@dataclass
class Match:
    """Result of `match`; numbers count the given pictures and addresses.

    Attributes:
        annotation: Number of the annotation by number of the picture.
        by_name: How many were matched by their bare name.
        renamed: How many lie where the picture's annotation lies, but declare another name, which no picture has.
        unclear: Causes by number of the picture: annotated, but by which annotation is not clear.
        left: Causes by number of the annotation: it belongs to no picture.
        rivals: Those of them whose picture has another annotation.
    """

    annotation: dict[int, int] = field(default_factory=dict)
    by_name: int = 0
    renamed: int = 0
    unclear: dict[int, str] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    rivals: set[int] = field(default_factory=set)


class _Pictures:
    """Pictures by path, key and name."""

    def __init__(self, pictures: Sequence[Path]) -> None:
        self.paths = pictures
        self.by_path = {picture.as_posix(): i for i, picture in enumerate(pictures)}
        self.keys = [key_of(picture) for picture in pictures]
        self.by_key: dict[str, list[int]] = defaultdict(list)
        self.by_stem: dict[str, list[int]] = defaultdict(list)
        for i, key in enumerate(self.keys):
            self.by_key[key].append(i)
            self.by_stem[key.rpartition("/")[2]].append(i)
        self.folders = frozenset(folder_of(key) for key in self.keys)

    def narrowed(self, numbers: list[int], address: Address) -> list[int]:
        """Those of several pictures with one key that have the declared name, or lie in the annotation's folder."""
        if len(numbers) > 1:
            named = [i for i in numbers if address.picture and self.paths[i].name.lower() == address.name.lower()]
            beside = [i for i in named or numbers if self.paths[i].parent == address.home]
            numbers = beside or named or numbers
        return numbers

    def tails(self, address: Address) -> list[int]:
        """Pictures of the declared name in folders that end like the declared ones, or whose end those are."""
        parts = key_of("/".join(parts_of(address.picture or ""))).split("/")
        if len(parts) < 2:
            return []
        if deeper := self.by_tail.get("/".join(parts)):
            return deeper
        shallower = ("/".join(parts[start:]) for start in range(1, len(parts) - 1))
        return next((self.by_key[key] for key in shallower if key in self.by_key), [])

    @cached_property
    def by_tail(self) -> dict[str, list[int]]:
        """Pictures by the ends of their keys that have a folder: ``b/c/d`` is found by ``c/d``."""
        tails: dict[str, list[int]] = defaultdict(list)
        for i, key in enumerate(self.keys):
            parts = key.split("/")
            for start in range(1, len(parts) - 1):
                tails["/".join(parts[start:])].append(i)
        return tails


def match(pictures: Sequence[Path], addresses: Sequence[Address]) -> Match:
    """Match annotations with pictures; time and memory grow with their number.

    An annotation is tried at the paths that it declares, then, without kind folders (``images``, ``labels``), at the
    declared name and at the place of its own file. What no picture answers to is matched by its bare name, when exactly
    one picture and one annotation have that name and neither lies in a folder that has others of its own.

    Args:
        pictures: Paths relative to the source.
        addresses: One for each annotation.
    """
    known = _Pictures(pictures)
    result = Match()
    claims: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    rest: list[int] = []
    doubtful: set[int] = set()
    for number, address in enumerate(addresses):
        level, numbers = _located(known, address)
        if len(numbers) == 1:
            agrees = 0 if known.keys[numbers[0]] == address.place else 1
            claims[numbers[0]].append((level, agrees, number))
        elif numbers:
            result.left[number] = "it could belong to several images of nearly the same path"
            doubtful.update(numbers)
        else:
            rest.append(number)
    _settle(addresses, claims, result)
    for i in doubtful - result.annotation.keys():
        result.unclear[i] = "its annotation could belong to another image of nearly the same path"
    _match_by_name(known, addresses, rest, result)
    return result


def _located(known: _Pictures, address: Address) -> tuple[int, list[int]]:
    for path in address.declared:
        if (i := known.by_path.get(path.as_posix())) is not None:
            return _PATH, [i]
    for path in address.declared:
        if numbers := known.by_key.get(key_of(path)):
            return _DECLARED, known.narrowed(numbers, address)
    if numbers := known.tails(address):
        return _DECLARED, known.narrowed(numbers, address)
    if address.place is not None and (numbers := known.by_key.get(address.place)):
        return _PLACE, known.narrowed(numbers, address)
    return _NAME, []


def _settle(addresses: Sequence[Address], claims: dict[int, list[tuple[int, int, int]]], result: Match) -> None:
    for i, claimed in claims.items():
        claimed.sort()
        best = [number for level, agrees, number in claimed if (level, agrees) == claimed[0][:2]]
        if len(best) == 1:
            result.annotation[i] = best[0]
            result.renamed += claimed[0][0] == _PLACE and addresses[best[0]].picture is not None
        else:
            result.unclear[i] = f"{len(best)} annotations belong to it"
        for _, _, number in claimed:
            if result.annotation.get(i) != number:
                result.left[number] = "the image it names has another annotation"
                result.rivals.add(number)


def _match_by_name(known: _Pictures, addresses: Sequence[Address], rest: list[int], result: Match) -> None:
    named = Counter(address.stem for address in addresses)
    annotated = {folder_of(known.keys[i]) for i in result.annotation} | {a.folder for a in addresses if a.place}
    matched: dict[int, int] = {}
    for number in rest:
        address = addresses[number]
        alike = known.by_stem.get(address.stem, [])
        if not alike:
            result.left[number] = "annotates an image that is not here"
            continue
        picture = alike[0]
        # A file of many images, at the top of the source, belongs to no folder.
        crosses = address.folder in known.folders and (address.place is not None or address.folder != "")
        free = picture not in result.annotation and picture not in result.unclear
        unique = len(alike) == 1 and named[address.stem] == 1
        if unique and free and not crosses and folder_of(known.keys[picture]) not in annotated:
            matched[picture] = number
            continue
        result.left[number] = "annotates an image that is not here; one of its name is in another folder"
    result.annotation.update(matched)
    result.by_name = len(matched)
