"""Each leaf of the algebra bound to a table: its answer for two rows, its tile, its index."""
