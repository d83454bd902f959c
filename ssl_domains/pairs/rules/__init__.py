"""What a rule says.

Python or text comes in; an `Objective`, a plain description of relations, goes out. Nothing here needs NumPy or torch.
"""
