"""Check a plugin by running its commands on its demo data."""

from __future__ import annotations

import contextlib
import inspect
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note
from ssl_domains.errors import PluginError, SslDomainsError
from ssl_domains.extending import Domain, PairSampler, Plugin, PluginSettings

__all__ = ["root_options", "run_commands"]

Invoke = Callable[[Sequence[str]], None]

_BATCH = 32  # samples of the one step of training


def root_options(settings: PluginSettings) -> list[str]:
    """The words before a command that load the same plugins again."""
    words = [] if settings.enabled else ["--no-plugins"]
    for option, names in (("--block", settings.block), ("--allow", settings.allow), ("--plugin-file", settings.files)):
        words += [word for name in sorted(map(str, names)) for word in (option, name)]
    return words


def run_commands(plugin: Plugin, options: Sequence[str], invoke: Invoke) -> list[str]:
    """Run demo-data, scan, pairs with each pair sampler, and one step of pretrain, for each domain of a plugin.

    Args:
        plugin: The plugin. A domain without demo data is left out.
        options: Words before each command; see `root_options`.
        invoke: Runs a command line.

    Returns:
        What was run, one line for each domain.

    Raises:
        PluginError: When a command fails; with the command and its error.
    """
    lines = []
    for domain in plugin.domains:
        if domain.demo_data is None:
            lines.append(f"domain {domain.name}: it has no demo data, so no command was run")
            continue
        samplers = [one for one in plugin.pair_samplers if one.domain in (domain.name, "*") and _has_defaults(one)]
        with tempfile.TemporaryDirectory() as folder:
            for words in _command_lines(domain, samplers, Path(folder)):
                note(f"running {domain.name} {words[0]} …")
                _run([*options, domain.name, *words], invoke)
        pairs = f"pairs ({', '.join(one.name for one in samplers)})" if samplers else "pairs"
        lines.append(f"ran on the demo data of {domain.name}: demo-data, scan, {pairs}, pretrain --dry-run")
    return lines


def _command_lines(domain: Domain, samplers: Sequence[PairSampler], folder: Path) -> Iterator[list[str]]:
    from ssl_domains.cli.work.pairs import training_rows
    from ssl_domains.cli.work.tables import open_table

    data, samples = str(folder / "data"), folder / "samples.parquet"
    yield ["demo-data", data]
    yield ["scan", data, "-o", str(samples), *(["--split-by", domain.group] if domain.group else [])]
    for sampler in samplers:
        yield ["pairs", str(samples), "--pairs", sampler.name]
    if not samplers:
        yield ["pairs", str(samples), "--rule", "none"]
    pairs = ["--pairs", samplers[0].name] if samplers else []
    batch = min(_BATCH, len(training_rows(open_table(domain, samples))))
    small = ["--set", f"train.batch_size={batch}", "--dry-run"]
    yield ["pretrain", str(samples), "--out", str(folder / "run"), *pairs, *small]


def _run(words: Sequence[str], invoke: Invoke) -> None:
    line = typed(words)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            invoke(words)
    except SslDomainsError as error:
        raise PluginError(f"{line}: {error.message}", error.hint) from error
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:
        cause = f"{line}: {type(error).__name__}: {error}"
        raise PluginError(cause, "ssl-domains --debug … shows the traceback") from error


def _has_defaults(sampler: PairSampler) -> bool:
    if isinstance(sampler.objective, str):
        return True
    return all(p.default is not p.empty for p in inspect.signature(sampler.objective).parameters.values())
