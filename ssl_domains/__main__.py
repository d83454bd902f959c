"""``python -m ssl_domains``."""

from __future__ import annotations

from ssl_domains.cli.app import main

if __name__ == "__main__":
    main()
