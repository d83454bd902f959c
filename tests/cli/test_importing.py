"""Which plugin is being imported is said when its import takes long, on a terminal and in a log."""

from __future__ import annotations

import io
import threading

import pytest

from ssl_domains.cli.importing import announced
from ssl_domains.extending import PluginInfo

INFO = PluginInfo("ssl-domains-slow", "1.0", hooks={"slow": "slow.hooks"})


class Stream(io.StringIO):
    """Notes that something was written, so that a test waits for it and not for a time."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.written = threading.Event()

    def isatty(self) -> bool:
        return self.terminal

    def flush(self) -> None:
        self.written.set()


def test_in_a_log_it_is_one_line_with_what_to_do() -> None:
    stream = Stream(terminal=False)
    with announced(INFO, stream, after=0):
        assert stream.written.wait(60)
    assert stream.getvalue() == "importing slow (ssl-domains-slow 1.0) takes long; --block slow leaves it out\n"


def test_on_a_terminal_it_is_a_line_that_goes_away() -> None:
    stream = Stream(terminal=True)
    with announced(INFO, stream, after=0):
        assert stream.written.wait(60)
        assert stream.getvalue() == "\rimporting slow …"
    assert stream.getvalue().endswith("\r" + " " * len("importing slow …") + "\r")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_quick_import_says_nothing(terminal: bool) -> None:
    stream = Stream(terminal)
    with announced(INFO, stream, after=3600):
        pass
    assert stream.getvalue() == ""


def test_the_line_of_an_import_that_fails_goes_away_too() -> None:
    stream = Stream(terminal=True)

    def fail() -> None:
        with announced(INFO, stream, after=0):
            assert stream.written.wait(60)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert stream.getvalue().endswith("\r")


def test_plugins_list_names_what_hangs_and_lists_the_others(plugin, toy, cli, monkeypatch) -> None:
    from ssl_domains.cli import importing

    monkeypatch.setattr(importing, "IN_LOG", 0.01)
    plugin("hanging", "import time\ntime.sleep(3600)\n")
    listed = cli("plugins", "list", "--limit", "0.2", "--json")
    assert listed.code == 0
    assert "importing hanging (ssl-domains-hanging 0.9) takes long; --block hanging leaves it out" in listed.err
    by_name = {one["name"]: one for one in listed.json["plugins"]}
    assert by_name["hanging"]["status"] == "broken"
    assert "still being imported after 0.2 s" in by_name["hanging"]["reason"]
    assert by_name["toy"]["status"] == "active"
    assert cli("plugins", "check", "hanging", "--limit", "0.05").code == 3
    listed = cli("methods", "list", "--limit", "0.05", "--json")
    assert "simclr" in {one["name"] for one in listed.json}
