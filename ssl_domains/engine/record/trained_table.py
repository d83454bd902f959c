"""The file ``table.json`` of a run: the metadata of the table that it was trained on, so that an edit can't lose it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable, TableMeta, meta_from_dict, meta_to_dict

__all__ = ["TABLE_FILE", "table_record", "trained_table_meta"]

TABLE_FILE = "table.json"


def table_record(table: SampleTable) -> dict[str, Any]:
    """What a run keeps of its table: domain, group, identifiers, key, options and the reader's columns, as JSON."""
    return {**meta_to_dict(table.meta), "group": table.meta.group}


def trained_table_meta(folder: Path) -> TableMeta:
    """The metadata of the table that a run was trained on; empty for a run of an earlier version, which kept none.

    Raises:
        DataError: When the file is damaged.
    """
    path = folder / TABLE_FILE
    try:
        return meta_from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return TableMeta()
    except (OSError, ValueError, RecursionError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} can't be read: {cause}", "the run folder was edited, or is incomplete") from error
