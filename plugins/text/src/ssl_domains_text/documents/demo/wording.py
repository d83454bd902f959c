"""How customers and engineers word the same things: four ways each for every device, part and symptom.

Wordings of one side often share a word ("washer", "washing machine", "laundry machine"), as those of people do, and
those of customers share next to none with those of engineers. All devices have the same parts and symptoms, so that a
fault that no training saw is made of words that training saw elsewhere.
"""

from __future__ import annotations

__all__ = ["COMPONENTS", "SYMPTOMS", "TOPICS", "Concept", "additions", "fillers"]

Concept = tuple[tuple[str, ...], tuple[str, ...]]
"""Wordings of customers, and of engineers."""


def _concepts(text: str) -> tuple[Concept, ...]:
    """Two lines a concept: the wordings of customers, and of engineers."""
    wordings = [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]
    return tuple(zip(wordings[::2], wordings[1::2], strict=True))


TOPICS = _concepts("""
washing machine|washer|laundry machine|machine for my clothes
  front loader WL4|drum appliance|WL4 unit|horizontal axis laundry unit
dishwasher|dish machine|machine for plates|kitchen washer for dishes
  DW spray appliance|DW9 unit|rack washer|ware washing unit
fridge|refrigerator|cooling cupboard|ice box in the kitchen
  RF compressor cabinet|RF2 unit|cold storage appliance|evaporator cabinet
oven|stove|baking oven|cooker
  OV convection unit|OV7 unit|heating cavity appliance|hot air chamber
vacuum cleaner|hoover|vacuum|dust sucker
  VC suction unit|VC5 unit|floor care appliance|cyclone separator unit
coffee machine|espresso maker|coffee maker|machine for my morning coffee
  CM brewing unit|CM3 unit|beverage appliance|pressure brewer
heater|radiator|room heater|warm air thing
  HT convector|HT8 unit|resistive heating appliance|panel emitter
air conditioner|cooling for the bedroom|aircon|climate box
  AC split unit|AC6 unit|heat pump appliance|indoor evaporator
lawn mower|grass cutter|mower|garden mower
  LM rotary unit|LM1 unit|turf appliance|blade deck
television|tv|telly|flat screen
  DP display unit|DP55 panel|video appliance|backlit receiver
printer|printing machine|home printer|ink printer
  PR marking unit|PR22 unit|imaging appliance|inkjet engine
doorbell|bell with camera|video bell|door camera
  DB intercom unit|DB2 unit|entry appliance|door station
""")
"""Devices."""

COMPONENTS = _concepts("""
cover|lid|outer cover|lid on the front
  enclosure|access panel|enclosure hatch|hatch assembly
motor|little motor|spinning part|part that spins
  drive assembly|rotor|drive train|rotor shaft
buttons|control buttons|knob|control knob
  HMI board|operator interface|interface module|HMI membrane
cable|power cable|plug|cord with the plug
  mains lead|supply inlet|lead connector|supply harness
""")
"""Parts, which all devices have."""

SYMPTOMS = _concepts("""
is noisy|makes a loud noise|rattles|rattles loudly
  acoustic emission|acoustic level anomaly|NVH deviation|periodic knocking
gets hot|gets far too hot|burns my fingers|is burning hot
  overtemperature|thermal runaway|overtemperature event|thermal overload
smells|has a strange smell|stinks|stinks of rubber
  odour report|outgassing|odour detected|insulation outgassing
is stuck|got stuck|jams|jams and won't move
  seizure|mechanical seizure|blocked rotation|locked, excess torque
is cracked|has a crack|broke|broke into pieces
  fracture|fatigue fracture|structural failure|structural discontinuity
is loose|came loose|wobbles|wobbles badly
  fastener backed out|clamping loss|fastener play|insufficient clamping
is wet|got wet|drips|drips water
  moisture ingress|seal weepage|liquid ingress|seal breach
stops suddenly|keeps stopping|switches itself off|goes off all the time
  intermittent shutdown|protective trip|unplanned shutdown|nuisance trip
shakes|shakes a lot|trembles|trembles and shakes
  vibration|excess vibration|imbalance|dynamic imbalance
does nothing|is dead|won't start|is completely dead
  open circuit|no continuity|no response|circuit discontinuity
""")
"""Symptoms, which all parts can have."""

_CUSTOMER = (
    "hello", "please help", "since yesterday", "for a week now", "my family is annoyed", "bought it last year",
    "any idea", "thank you", "what can I do", "it was fine before", "we are quite upset", "in our flat", "again",
    "kind regards", "this morning", "the shop sent me here",
)  # fmt: skip
_ENGINEER = (
    "field report", "on site", "replaced under warranty", "root cause open", "ref. bulletin 12", "lot to be checked",
    "escalated to plant", "measured twice", "firmware current", "part on order", "reproduced in lab", "see attachment",
    "returned for analysis", "interim fix applied", "tracking", "batch suspected",
)  # fmt: skip


def fillers(engineer: bool) -> tuple[str, ...]:
    """Phrases that say nothing of the fault."""
    return _ENGINEER if engineer else _CUSTOMER


def additions(engineer: bool) -> tuple[str, ...]:
    """Phrases that a copy of a ticket has at its end."""
    return (
        ("again", "any idea", "thank you", "hello") if not engineer else ("on site", "tracking", "field report", "ok")
    )
