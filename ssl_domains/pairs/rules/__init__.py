"""What a rule says. Python or text comes in; an `Objective`, a plain description that needs no torch, goes out."""
