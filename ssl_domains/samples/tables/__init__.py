"""Table files: how they are parsed, what their metadata says, how paths are written, and how two tables are joined.

A file comes in (Parquet, CSV, XLSX and the sidecar beside it); a frame and a `TableMeta` go out.
"""
