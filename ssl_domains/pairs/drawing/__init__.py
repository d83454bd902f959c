"""Positives drawn for an anchor, each equally likely, under any rule."""
