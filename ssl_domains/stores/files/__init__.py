"""The files of a store: its header, the index of its arrays, the journal of a filling, and the data.

The header names the current generation. A filling appends arrays to the data file and lines to the journal; at its end
the journal's lines are folded into the index. So a filling that was killed loses nothing that its journal has.
"""
