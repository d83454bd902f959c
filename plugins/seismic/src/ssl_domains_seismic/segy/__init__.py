"""SEG-Y files: headers, where the traces lie, and their samples in the machine's number types.

A path comes in. `file_header` reads the text and binary header, `layout` says where each trace lies, `trace_words`
reads the header words of all traces once, `number_type` compares the samples with the format code, and `volume` reads
parts of the grid that the room `geometry` has found.
"""
