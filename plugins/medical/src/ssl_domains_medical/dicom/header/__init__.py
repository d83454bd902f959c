"""The header of a DICOM file: its elements, their values, and what kind of object it is.

In comes a file; out comes a `Header` with the allowed elements only. No pixel is read.
"""
