"""Geometry: which header words are the line numbers of a grid of traces, and where the grid lies on the map.

The header words of all traces come in (`segy.TraceWords`). `pair_score` counts how well a pair of words fills a grid,
`gathers` looks for signs that the file was not stacked, `coordinates` places a grid on the map, and `choice` decides or
says why it can't. What goes out is a `Grid`: the trace of each inline and crossline.
"""
