"""DICOM: headers into rows, rows into pixels."""
