"""Recordings: speakers, sessions, sites and places in time as positives."""
