"""How customers and engineers word the same things: four ways each for every device, part and symptom."""

from __future__ import annotations

__all__ = ["COMPONENTS", "SYMPTOMS", "TOPICS", "Concept", "fillers"]

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
door|lid|flap in front|cover that opens
  hinge assembly|latch module|closure|interlock
cable|cord|wire at the back|lead to the wall
  power harness|supply line|mains lead assembly|connector loom
screen with numbers|buttons|control panel|knob and lights
  HMI board|user interface PCB|operating module|display controller
motor|the part that turns|engine inside|thing that spins
  drive unit|rotor assembly|BLDC stage|actuator
""")
"""Parts of a device."""

SYMPTOMS = _concepts("""
is dripping|leaks water|makes a puddle|is wet underneath
  fluid egress|seal failure observed|ingress at gasket|hydraulic leakage
makes a loud noise|rattles|sounds terrible|bangs all night
  acoustic anomaly|bearing vibration|excess dB reading|resonance detected
smells burnt|stinks of smoke|gives off fumes|has a hot smell
  thermal degradation|insulation overheating|pyrolysis odour|carbonised residue
does not start|stays dead|will not switch on|does nothing at all
  no boot sequence|zero voltage at rail|start inhibit|dead on power-up
stops halfway|gives up in the middle|quits after a minute|breaks off
  premature cycle abort|watchdog reset|intermittent shutdown|run time fault
keeps flashing|blinks red|shows strange lights|lights up for no reason
  error code E17|LED fault pattern|status register anomaly|diagnostic flag set
got very hot|burns my fingers|is too warm to touch|heats up like crazy
  thermal runaway|over-temperature trip|sensor NTC out of range|excess junction temperature
is stuck|will not move|is jammed|cannot be opened
  mechanical seizure|torque limit exceeded|blocked actuator travel|binding at guide
gave me a shock|tingles when touched|zapped my hand|is electric on the outside
  earth leakage current|RCD trip|chassis potential|insulation resistance low
is slow|takes forever|got lazy|needs ages
  throughput degradation|latency beyond spec|reduced duty performance|cycle time drift
""")
"""Symptoms."""

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
