"""How customers and engineers word the same things: four ways each for every device, and for its parts and symptoms.

Parts and symptoms have made-up words, as every device has its own: nothing of them is learned from another device. With
words that all devices share, held-out faults are no test: any training has seen all words of them.
"""

from __future__ import annotations

__all__ = ["COMPONENTS", "SYMPTOMS", "TOPICS", "Concept", "additions", "fillers", "part", "symptom"]

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

COMPONENTS, SYMPTOMS = 4, 10
"""Parts and symptoms of a device."""

_WAYS = 4
_PLAIN_BEGINNINGS = (
    "wob jig rat squi dri hum buz cli fli gro pop sna thu twi whi zip cre cru dro flo gur hic jol mum nud pud "
    "qui rum siz tic"
)
_PLAIN_ENDINGS = (
    "ble ster kin dle let ny ping ling mer zle ter gle ket per nel lock wick tail top bit cap pin rig tab fin"
)
_TECHNICAL_BEGINNINGS = (
    "servo thermo hydro electro opto pneumo cryo gyro piezo magneto turbo mono poly inter micro retro trans "
    "iso para semi"
)
_TECHNICAL_ENDINGS = (
    "valve stat coil rotor seal gate core shunt node flange drift lag surge stall leak trip slip creep sag "
    "spike gap jam burst chatter float choke bleed arc shear skew dwell ring flux grid bore cam crank pawl "
    "strut vane"
)


def part(topic: int, component: int) -> Concept:
    """Words for a part of a device."""
    return _made_up(topic * (COMPONENTS + SYMPTOMS) + component)


def symptom(topic: int, number: int) -> Concept:
    """Words for a symptom of a device."""
    return _made_up(topic * (COMPONENTS + SYMPTOMS) + COMPONENTS + number)


def _made_up(concept: int) -> Concept:
    """The words of a concept: those of customers are plain, those of engineers technical."""
    places = range(_WAYS * concept, _WAYS * concept + _WAYS)
    plain, technical = (
        tuple(_word(beginnings.split(), endings.split(), place) for place in places)
        for beginnings, endings in (
            (_PLAIN_BEGINNINGS, _PLAIN_ENDINGS),
            (_TECHNICAL_BEGINNINGS, _TECHNICAL_ENDINGS),
        )
    )
    return plain, technical


def _word(beginnings: list[str], endings: list[str], place: int) -> str:
    # A step that shares no factor with the number of words: neighbours look different, and none comes twice.
    count = len(beginnings) * len(endings)
    first, last = divmod(place * 101 % count, len(endings))
    return beginnings[first] + endings[last]


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
