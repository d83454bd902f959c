"""Drawing positives.

A `BoundRule` and anchors come in. Matching positions of other samples go out, every match being equally likely.
"""
