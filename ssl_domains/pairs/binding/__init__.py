"""A rule and a table become arrays: codes, numbers, lists and edges, one entry a row of the table."""
