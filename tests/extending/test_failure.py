"""A plugin that fails to load: the file, the line, the error and what to do, each in one line."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from ssl_domains.errors import PluginError, UsageError
from ssl_domains.extending import PluginSettings, Registry
from ssl_domains.extending.time_limit import ImportTimeout, time_limit

CASES = {
    "syntax": ("x = 1\ndef broken(:\n", 2, "SyntaxError: invalid syntax: def broken(:", "python -m py_compile {file}"),
    "module": (
        "x = 1\n\nimport a_module_nobody_has.part\n",
        3,
        "ModuleNotFoundError: No module named 'a_module_nobody_has'",
        "install the package with the module 'a_module_nobody_has', or leave --plugin-file out",
    ),
    "name": ("from ssl_domains.extending import PairSampeler\n", 1, "ImportError: cannot import name", "--debug"),
    "raises": ("def helper():\n    raise OSError('no\\nfile')\n\nhelper()\n", 2, "OSError: no file", "--debug"),
    "exits": ("import sys\n\n\nsys.exit(7)\n", 4, "SystemExit: it called sys.exit(7)", "--debug"),
    "hook raises": (
        "def ssl_domains_pair_samplers():\n    return [1 / 0]\n",
        2,
        "ZeroDivisionError: division by zero",
        "--debug",
    ),
    "hook of a wrong type": (
        "\ndef ssl_domains_pair_samplers():\n    return ['patient']\n",
        2,
        "TypeError: the hook ssl_domains_pair_samplers returned str instead of PairSampler",
        "python -m pydoc ssl_domains.extending.hookspecs",
    ),
    "hook without a list": (
        "\n\ndef ssl_domains_methods():\n    return 3\n",
        3,
        "TypeError: the hook ssl_domains_methods returned int instead of a list of MethodEntry",
        "python -m pydoc ssl_domains.extending.hookspecs",
    ),
    "misspelt hook": (
        "def ssl_domains_pair_sampler():\n    return []\n",
        1,
        "unknown hook 'ssl_domains_pair_sampler'",
        "did you mean 'ssl_domains_pair_samplers'?",
    ),
}


def registry(file: Path) -> Registry:
    return Registry(PluginSettings.of(files=[file]))


@pytest.mark.parametrize("case", CASES)
def test_a_plugin_file_says_file_line_error_and_cure(tmp_path: Path, case: str) -> None:
    code, line, error, cure = CASES[case]
    file = tmp_path / f"broken_{case.replace(' ', '_')}.py"
    file.write_text(code)
    with pytest.raises(PluginError) as caught:
        registry(file).require_files()
    assert caught.value.message.startswith(f"the plugin file {file} is broken, line {line}: ")
    assert error in caught.value.message
    assert cure.format(file=file) in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is not None


def test_an_error_in_a_module_that_a_file_imports_is_at_the_line_of_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "imported_by_a_plugin_file.py").write_text("\n\n\n1 +\n")
    file = tmp_path / "importing.py"
    file.write_text("import sys\nimport imported_by_a_plugin_file\n")
    with pytest.raises(PluginError, match=r"importing.py is broken, line 2: SyntaxError: invalid syntax: 1 \+"):
        registry(file).require_files()


@pytest.mark.parametrize("code", ["x = 1\nimport a_module_nobody_has\n", "x = 1\ndef broken(:\n"])
def test_a_file_may_be_named_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relative.py").write_text(code)
    with pytest.raises(PluginError, match=r"^the plugin file relative.py is broken, line 2: "):
        registry(Path("relative.py")).require_files()


def test_what_is_no_python_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no plugin file"):
        registry(tmp_path / "none.py").require_files()
    with pytest.raises(UsageError, match="there is no plugin file"):
        registry(tmp_path).require_files()
    text = tmp_path / "notes.txt"
    text.write_text("not Python")
    with pytest.raises(PluginError, match=r"notes.txt is broken: ImportError: .*notes.txt is no Python file"):
        registry(text).require_files()


def test_bytes_that_are_no_text_are_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "binary.py"
    file.write_bytes(b"\x1b[31m\xe3\x80 = 1\n")
    with pytest.raises(PluginError, match=r"binary.py is broken.*SyntaxError") as caught:
        registry(file).require_files()
    assert caught.value.message.isprintable()


def test_a_good_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "good.py"
    file.write_text("def ssl_domains_domains():\n    return []\n")
    registry(file).require_files()


HANGING = {
    "sleeps": "import time\ntime.sleep(3600)\n",
    "computes": "while True: pass\n",
    "catches exceptions": "import time\nwhile True:\n    try: time.sleep(3600)\n    except Exception: pass\n",
    "catches everything once": "import time\ntry: time.sleep(3600)\nexcept BaseException: time.sleep(3600)\n",
    "hook": "import time\ndef ssl_domains_domains():\n    time.sleep(3600)\n",
}


@pytest.mark.parametrize("kind", HANGING)
def test_an_import_that_hangs_is_given_up_and_the_others_go_on(make_plugin, kind: str) -> None:
    make_plugin("hanging", HANGING[kind])
    make_plugin("other", "def ssl_domains_domains():\n    return []\n")
    found = Registry()
    found.limit = 0.05
    by_name = {plugin.info.name: plugin for plugin in found.load_all() if plugin.info.name in ("hanging", "other")}
    assert (by_name["hanging"].status, by_name["other"].status) == ("broken", "active")
    expected = "ssl-domains-hanging 1.2.3 is broken: it was still being imported after 0.05 s"
    assert by_name["hanging"].reason == expected
    assert by_name["hanging"].cure == "block it: SSL_DOMAINS_BLOCK=hanging"


def test_a_command_that_hangs_is_given_up_too(make_plugin) -> None:
    make_plugin("toy", "def ssl_domains_domains():\n    return []\n", cli=HANGING["sleeps"])
    found = Registry()
    found.limit = 0.05
    [info] = [info for info in found.infos if info.name == "toy"]
    assert found.check(info).status == "broken"


def test_an_alarm_of_before_goes_on_after_a_limit() -> None:
    rung: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    before = signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with time_limit(500):
            pass
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 900 < left <= 1000
        assert signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
        signal.raise_signal(signal.SIGALRM)
        assert rung == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *before)


def test_a_limit_ends_the_block_and_a_thread_has_none() -> None:
    with pytest.raises(ImportTimeout, match=r"after 0.05 s"), time_limit(0.05):
        threading.Event().wait(3600)
    ended: list[bool] = []

    def unlimited() -> None:
        with time_limit(1e-6):
            ended.append(True)

    thread = threading.Thread(target=unlimited)
    thread.start()
    thread.join()
    assert ended == [True]


def test_every_import_is_announced(make_plugin) -> None:
    import contextlib

    make_plugin("toy", "def ssl_domains_domains():\n    return []\n", cli="import typer\napp = typer.Typer()\n")
    names: list[str] = []

    @contextlib.contextmanager
    def announce(info):
        names.append(info.name)
        yield
        names.append(f"{info.name} done")

    found = Registry(importing=announce)
    [info] = [info for info in found.infos if info.name == "toy"]
    found.load(info)
    found.load(info)
    assert names == ["toy", "toy done"]
    found.command("toy")
    assert names == ["toy", "toy done"] * 2
