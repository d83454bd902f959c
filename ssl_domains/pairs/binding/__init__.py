"""A rule and a table become arrays.

An `Objective` and a sample table come in. A `BoundRule` goes out for each rule: leaves that hold NumPy columns, with
one value for each row of the table, joined by And, Or and Not. `protocols` says what the rooms above make of a leaf.
"""
