"""Every way out: one line, a hint, the exit code of its kind; no traceback unless asked for."""

from __future__ import annotations

import errno

import pytest

from ssl_domains.cli.failures import guarded
from ssl_domains.errors import DataError, PluginError, ResourceError, UsageError


def leave(error: BaseException | None, capsys, debug: bool = False):
    def act() -> None:
        if error is not None:
            raise error

    code = guarded(act, lambda: debug)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


class OutOfMemoryError(RuntimeError):
    """Stands for torch's, which is known by its name."""


@pytest.mark.parametrize(
    ("error", "code", "first"),
    [
        (UsageError("no column 'x'", "did you mean 'y'?"), 2, "error: no column 'x'"),
        (PluginError("broken", "cure"), 3, "error: broken"),
        (DataError("no pairs", "look"), 4, "error: no pairs"),
        (ResourceError("disk", "free some"), 5, "error: disk"),
        (OSError(errno.ENOSPC, "No space left on device"), 5, "error: the disk is full"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), 2, "error: a path of 300 characters is"),
        (MemoryError("of 8 GB"), 5, "error: the machine is out of memory: of 8 GB"),
        (OutOfMemoryError("CUDA"), 5, "error: the GPU is out of memory"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (ValueError("surprise"), 1, "bug: ValueError: surprise"),
        (OSError(errno.EACCES, "Permission denied"), 1, "bug: PermissionError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_codes(capsys, error, code, first):
    left, told = leave(error, capsys)
    assert left == code
    lines = told.splitlines()
    assert lines[0].startswith(first)
    assert len(lines) == 2
    assert lines[1].startswith("hint: ")


def test_all_is_well(capsys):
    assert leave(None, capsys) == (0, "")


def test_a_bug_names_function_line_and_file(capsys):
    _, told = leave(ValueError("surprise"), capsys)
    line = leave.__code__.co_firstlineno + 3
    assert f"(act, line {line} of {__file__})" in told.splitlines()[0]


def test_a_message_of_several_lines_is_told_in_one(capsys):
    assert leave(UsageError("one\ntwo   three", ""), capsys) == (2, "error: one two three\n")


def test_the_hint_of_a_bug_is_the_command_line_that_shows_its_traceback(capsys):
    def act() -> None:
        raise ValueError("surprise")

    guarded(act, lambda: False, ["toy", "scan", "my data", "-o", "t.parquet"])
    hint = capsys.readouterr().err.splitlines()[1]
    assert hint == "hint: ssl-domains --debug toy scan 'my data' -o t.parquet shows the traceback"
    guarded(act, lambda: False, ["toy", "pairs", "t.parquet", "--rule", "same('patient')"])
    assert "--debug toy pairs t.parquet --rule \"same('patient')\" shows" in capsys.readouterr().err
    guarded(lambda: leave_with_plugin_error(), lambda: False, ["plugins", "check", "toy"])
    assert "hint: ssl-domains --debug plugins check toy shows it" in capsys.readouterr().err


def leave_with_plugin_error() -> None:
    raise PluginError("broken", "ssl-domains --debug … shows it")


def test_debug_shows_the_traceback(capsys, cli):
    _, told = leave(ValueError("surprise"), capsys, debug=True)
    assert "Traceback" in told
    assert "bug: ValueError: surprise" in told
    assert "Traceback" in cli("--debug", "audio").err
    assert "Traceback" not in cli("audio").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("plugins", "lsit"), "list"),
        (("plugins", "list", "--jsn"), "--json"),
        (("config", "show", "--set"), "--set"),
        (("demo", "--seeds", "two"), "--seeds"),
        (("demo", "--seeds", "0"), "--seeds"),
        (("--no-such-option",), "--no-such-option"),
        (("config", "show", "--set", "train.epoch=3"), "train.epochs"),
        (("config", "show", "--set", "train.epochs=many"), "many"),
        (("config", "show", "--config", "no-such.toml"), "no-such.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage_errors_are_two(cli, words, told):
    done = cli(*words)
    assert done.code == 2
    assert done.out == ""
    assert told in done.err
    assert done.err.count("\n") <= 2


def test_no_arguments_show_the_help(cli):
    done = cli()
    assert done.code == 2
    assert "Usage: ssl-domains" in done.out + done.err


def test_config_show_and_schema(cli):
    import tomllib

    shown = tomllib.loads(cli("config", "show", "--set", "train.epochs=7").out)
    assert shown["train"]["epochs"] == 7
    assert cli("config", "show", "--json").json["method"]["name"] == "simclr"
    assert "train" in str(cli("config", "schema").json)
