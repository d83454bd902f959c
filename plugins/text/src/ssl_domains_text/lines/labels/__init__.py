"""Transcripts: which can be used, why others can't, and in which direction they are read.

A label as it is written comes in; out come the transcript for the training, or the reason why there is none.
"""
