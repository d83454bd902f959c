"""Demonstration data: OCT-like B-scans of many patients, in real DICOM files, with planted faults."""
