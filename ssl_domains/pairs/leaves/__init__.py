"""The leaves of rules, bound to a table: one object for each leaf.

A leaf's description and a `Binder` come in. A `BoundLeaf` goes out: its answer and weight for two positions, its
reasons, its form for the rows of a batch (``*_rows``), and its index for drawing (``*_index``).
"""
