"""Write the titles and abstracts of Cranfield as pairs, from which an encoder learns before it sees a query.

``python plugins/text/cranfield-titles.py cran.all.1400 titles.jsonl``
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_ENTRY = re.compile(r"^\.I (\d+)\n\.T\n(.*?)\n\.A\n.*?\n\.W\n?(.*?)(?=^\.I |\Z)", re.DOTALL | re.MULTILINE)


def main(source: str, target: str) -> None:
    """Write the pairs whose two texts are there; the abstract stands without the title, with which it begins."""
    pairs = []
    for _, title, body in _ENTRY.findall(Path(source).read_text(encoding="utf-8")):
        anchor, positive = " ".join(title.split()), " ".join(body.split())
        positive = positive.removeprefix(anchor).strip()
        if anchor and positive:
            pairs.append(json.dumps({"anchor": anchor, "positive": positive}))
    Path(target).write_text("\n".join(pairs) + "\n", encoding="utf-8")
    print(f"{len(pairs):,} pairs of title and abstract → {target}")


if __name__ == "__main__":
    main(*sys.argv[1:])
