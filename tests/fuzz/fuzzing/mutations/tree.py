"""Damage to what JSON and TOML say: values of another type, keys exchanged, nesting."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from random import Random
from typing import Any

import tomli_w

__all__ = ["JSON", "TOML", "changed", "json_lines_tree", "json_tree", "toml_tree"]

_DEEPEST_TOML = 12
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 0.5, -0.0, 1e308, 2**31, 2**63, 10**400, float("nan"), float("inf"), "", "x", "0",
    "nan",
    "é狗", "a" * 10_000, "\0", "../x", "/dev/null", [], {}, [None], [[]], [1, "a", None], {"a": 1}, {"": None}, [{}],
    list(range(5000)),
)  # fmt: skip


def json_tree(data: bytes, rng: Random) -> bytes:
    """One to three places of a JSON document changed; not one that is nested too deep, or too large a number."""
    try:
        return json.dumps(changed(json.loads(data), rng)).encode()
    except (RecursionError, OverflowError) as error:
        raise ValueError from error


def json_lines_tree(data: bytes, rng: Random) -> bytes:
    """One line of a JSONL file changed."""
    lines = data.splitlines()
    if not lines:
        raise ValueError
    place = rng.randrange(len(lines))
    lines[place] = json_tree(lines[place], rng)
    return b"\n".join(lines) + b"\n"


def toml_tree(data: bytes, rng: Random) -> bytes:
    """One to three places of a TOML document changed; null, which TOML doesn't have, becomes an empty text."""
    try:
        tree = changed(tomllib.loads(data.decode()), rng)
        if _depth(tree) > _DEEPEST_TOML:
            raise ValueError("the writer of TOML takes twice as long for each level")
        return tomli_w.dumps(_without_null(tree)).encode()
    except (TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError from error


def _depth(tree: Any) -> int:
    values = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return 1 + max(map(_depth, values), default=0)


def changed(tree: Any, rng: Random) -> Any:
    """A copy of a tree of dictionaries, lists and values, with one to three places changed."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 2, 3))):
        tree = _changed_once(tree, rng)
    return tree


def _changed_once(tree: Any, rng: Random) -> Any:
    places = list(_places(tree))
    if not places:
        return rng.choice(_VALUES)
    holder, key = rng.choice(places)
    how = rng.random()
    if how < 0.45:
        holder[key] = rng.choice(_VALUES)
    elif how < 0.55:
        del holder[key]
    elif how < 0.65:
        other, place = rng.choice(places)
        holder[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(holder[key])
    elif how < 0.72:
        holder[key] = rng.choice(([holder[key]], {"value": holder[key]}, str(holder[key])))
    elif how < 0.8 and isinstance(holder, dict):
        holder[rng.choice(("", "x", "sample", "name", "0", "é"))] = holder.pop(key)
    elif how < 0.88 and isinstance(holder, list):
        holder.extend([copy.deepcopy(holder[key])] * rng.choice((1, 1, 500)))
    elif how < 0.94 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = rng.choice(
            (holder[key] * 1000, -holder[key], holder[key] + 0.5, holder[key] + 1, float(holder[key]))
        )
    else:
        nested: Any = 1
        for _ in range(rng.choice((3, 200))):  # further down, the writer of JSON itself gives up
            nested = rng.choice(([nested], {"a": nested}))
        holder[key] = nested
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _without_null(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {str(key): _without_null(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_without_null(value) for value in tree]
    return "" if tree is None else tree


JSON = (json_tree, json_tree, json_tree)
TOML = (toml_tree, toml_tree, toml_tree)
