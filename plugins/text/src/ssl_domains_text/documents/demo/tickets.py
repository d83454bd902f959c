"""Faults, their tickets and the queries for them, drawn at random.

A fault is a symptom of a part of a device: 120 of the 12 × 4 × 10 that there are. Half of its 16 tickets are worded by
customers and half by engineers; its 16 queries are all worded by customers. A ticket words its fault twice, in its
title and in its text, as people do: so a query shares a wording with many of the tickets that customers wrote.
"""

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

__all__ = [
    "CUSTOMER",
    "ENGINEER",
    "FAULTS",
    "HELD_OUT",
    "MIXED",
    "QUERIES",
    "TICKETS",
    "Fault",
    "Ticket",
    "draw_faults",
]

FAULTS, HELD_OUT = 120, 24
"""Faults, and those of them whose queries are for scoring alone."""

TICKETS, QUERIES = 16, 16
"""Tickets and queries of a fault."""

_MIXED, _COPIES = 0.1, 0.1
"""Share of the tickets whose words are customers' and engineers', and of those that nearly repeat another one."""

CUSTOMER, ENGINEER, MIXED = "customer", "engineer", "mixed"


@dataclass(frozen=True)
class Ticket:
    """A ticket.

    Attributes:
        id: Its id.
        title: Its subject: the fault in one wording.
        text: Its text: the fault worded again, between two phrases that say nothing of it.
        wording: Whose words these are: ``"customer"``, ``"engineer"``, or ``"mixed"`` ones.
        copy_of: Id of the ticket that it nearly repeats; None for one of its own words.
    """

    id: str
    title: str
    text: str
    wording: str
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
        writer = ENGINEER if place % 2 else CUSTOMER
        alike = [one for one in tickets if one.wording == writer and one.copy_of is None]
        if alike and rng.random() < _COPIES:
            origin = alike[int(rng.integers(len(alike)))]
            text = f"{origin.text}, {_pick(additions(writer == ENGINEER), rng)}"
            tickets.append(Ticket(name, origin.title, text, writer, origin.id))
        else:
            wording = MIXED if rng.random() < _MIXED else writer
            tickets.append(_ticket(name, concepts, writer == ENGINEER, wording, rng))
    queries = tuple((f"q{number:03d}-{place:02d}", _worded(concepts, False, CUSTOMER, rng)) for place in range(QUERIES))
    clickable = [one.id for one in tickets if one.wording == CUSTOMER]
    clicked = tuple(_pick(clickable, rng) for _ in queries)
    return Fault(number, topic, component, what, held_out, tuple(tickets), queries, clicked)


def _ticket(name: str, concepts: tuple[Concept, ...], engineer: bool, wording: str, rng: np.random.Generator) -> Ticket:
    said = fillers(engineer)
    first, last = (said[int(place)] for place in rng.permutation(len(said))[:2])
    title, again = (_worded(concepts, engineer, wording, rng) for _ in range(2))
    return Ticket(name, title, f"{first}, {again}, {last}", wording)


def _worded(concepts: tuple[Concept, ...], engineer: bool, wording: str, rng: np.random.Generator) -> str:
    """The fault in the order of words of an engineer or of a customer, each concept in a wording drawn at random."""
    sides = [int(rng.integers(2)) if wording == MIXED else int(wording == ENGINEER) for _ in concepts]
    device, broken, how = (_pick(concept[side], rng) for concept, side in zip(concepts, sides, strict=True))
    return f"{device}: {broken} {how}" if engineer else f"{broken} of my {device} {how}"


def _pick(options: tuple[str, ...] | list[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
