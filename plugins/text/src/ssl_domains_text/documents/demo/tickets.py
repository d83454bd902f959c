"""Faults, their tickets and the queries for them, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ssl_domains_text.documents.demo.wording import (
    COMPONENTS,
    SYMPTOMS,
    TOPICS,
    Concept,
    additions,
    fillers,
    part,
    symptom,
)

__all__ = ["FAULTS", "HELD_OUT", "QUERIES", "TICKETS", "Fault", "Ticket", "draw_faults"]

FAULTS, HELD_OUT = 120, 24
"""Faults, and those of them whose queries are for scoring alone."""

TICKETS, QUERIES = 16, 16
"""Tickets and queries of a fault."""

_MIXED, _COPIES = 0.1, 0.1


@dataclass(frozen=True)
class Ticket:
    """A ticket.

    Attributes:
        id: Its id.
        text: Its text.
        engineer: Whether an engineer worded it.
        copy_of: Id of the ticket that it nearly repeats; None for one of its own words.
    """

    id: str
    text: str
    engineer: bool
    copy_of: str | None = None


@dataclass(frozen=True)
class Fault:
    """A fault: a symptom of a part of a device.

    Attributes:
        number: Its number.
        topic: Number of the device.
        component: Number of the part.
        symptom: Number of the symptom.
        held_out: Whether its queries are for scoring alone.
        tickets: Its tickets.
        queries: Its queries: id and text.
        clicked: Id of the ticket that was clicked for each query.
    """

    number: int
    topic: int
    component: int
    symptom: int
    held_out: bool
    tickets: tuple[Ticket, ...]
    queries: tuple[tuple[str, str], ...]
    clicked: tuple[str, ...]


def draw_faults(seed: int) -> list[Fault]:
    """Draw the faults: 120 of the 480 that devices, parts and symptoms make."""
    rng = np.random.default_rng(seed)
    every = len(TOPICS) * COMPONENTS * SYMPTOMS
    chosen = rng.permutation(every)[:FAULTS]
    held = set(rng.permutation(FAULTS)[:HELD_OUT].tolist())
    return [_fault(number, int(code), number in held, rng) for number, code in enumerate(chosen)]


def _fault(number: int, code: int, held_out: bool, rng: np.random.Generator) -> Fault:
    topic, rest = divmod(code, COMPONENTS * SYMPTOMS)
    component, what = divmod(rest, SYMPTOMS)
    concepts = (TOPICS[topic], part(topic, component), symptom(topic, what))
    tickets: list[Ticket] = []
    for place in range(TICKETS):
        name = f"t{number:03d}-{place:02d}"
        engineer = place % 2 == 1
        alike = [one for one in tickets if one.engineer == engineer and one.copy_of is None]
        if alike and rng.random() < _COPIES:
            origin = alike[int(rng.integers(len(alike)))]
            tickets.append(Ticket(name, f"{origin.text}, {_pick(additions(engineer), rng)}", engineer, origin.id))
        else:
            tickets.append(Ticket(name, _text(concepts, engineer, rng, 2), engineer))
    queries = tuple((f"q{number:03d}-{place:02d}", _text(concepts, False, rng, 0)) for place in range(QUERIES))
    worded = [one.id for one in tickets if not one.engineer]
    clicked = tuple(_pick(worded, rng) for _ in queries)
    return Fault(number, topic, component, what, held_out, tuple(tickets), queries, clicked)


def _text(concepts: tuple[Concept, ...], engineer: bool, rng: np.random.Generator, extra: int) -> str:
    device, broken, how = (_pick(concept[int(engineer != (rng.random() < _MIXED))], rng) for concept in concepts)
    core = f"{device}: {broken} {how}" if engineer else f"{broken} of my {device} {how}"
    said = rng.permutation(len(fillers(engineer)))[:extra]
    return ", ".join([*(fillers(engineer)[place] for place in said[: extra // 2]), core,
                      *(fillers(engineer)[place] for place in said[extra // 2 :])])  # fmt: skip


def _pick(options: tuple[str, ...] | list[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
