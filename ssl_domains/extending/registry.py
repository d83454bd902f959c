"""The registry of plugins: the only way in which the rest of the program reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, NoReturn, Protocol, TypeVar

from ssl_domains.errors import PluginError, UsageError, did_you_mean
from ssl_domains.extending.discovery import KNOWN_DOMAINS, PluginInfo, discover, file_plugin, how_to_install
from ssl_domains.extending.domain import Domain
from ssl_domains.extending.encoder_entry import EncoderEntry
from ssl_domains.extending.encoders import BUILT_IN as BUILT_IN_ENCODERS
from ssl_domains.extending.loader import Plugin, import_command, load_plugin, refusal
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.methods import BUILT_IN
from ssl_domains.extending.pair_sampler import PairSampler
from ssl_domains.extending.settings import PluginSettings
from ssl_domains.pairs.rules.registry import CORE, RuleEntry, import_object, set_rule_source

__all__ = ["CLASH_HINT", "Registry"]

CLASH_HINT = "uninstall one, block one by its distribution's name (--block NAME), or leave one --plugin-file out"
"""What to do about a name that two plugins bring."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


class Registry:
    """Domains, pair samplers, methods, encoders and commands of all plugins; each plugin is loaded on demand.

    Rule text finds the rules of plugins through the registry that was made last.

    Args:
        settings: Which plugins may be loaded; None takes the lists of the environment variables.
        importing: Returns a context manager for the import of a plugin, which can say what is being imported.

    Attributes:
        limit: Seconds after which the import of a plugin is given up; None, the initial value, for no limit.
    """

    def __init__(
        self,
        settings: PluginSettings | None = None,
        importing: Callable[[PluginInfo], AbstractContextManager[None]] | None = None,
    ) -> None:
        self.settings = settings or PluginSettings.of()
        self.limit: float | None = None
        self._importing = importing or _unannounced
        self._loaded: dict[str, Plugin] = {}
        set_rule_source(self)

    @cached_property
    def infos(self) -> tuple[PluginInfo, ...]:
        """Metadata of all plugins, plugin files last; imports none."""
        for path in self.settings.files:
            if not path.is_file():
                raise UsageError(f"there is no plugin file {path}", "--plugin-file takes the path of a Python file")
        return (*discover(), *map(file_plugin, self.settings.files))

    def load(self, info: PluginInfo) -> Plugin:
        """Load one plugin in isolation; it is imported at most once."""
        if info.distribution not in self._loaded:
            plugin = refusal(info, self.settings)
            if plugin is None:
                with self._importing(info):
                    plugin = load_plugin(info, self.limit)
            self._loaded[info.distribution] = plugin
        return self._loaded[info.distribution]

    def require_files(self) -> None:
        """Load the plugin files.

        Raises:
            PluginError: When one of them can't be used; with the file, the line and the error.
            UsageError: When one of them doesn't exist.
        """
        for info in self.infos:
            if info.is_file and self.load(info).status != "active":
                raise _unusable(self.load(info)) from self.load(info).error

    def load_all(self) -> tuple[Plugin, ...]:
        """Load all plugins, each in isolation."""
        return tuple(self.load(info) for info in self.infos)

    def check(self, info: PluginInfo) -> Plugin:
        """Like `load`, but also import the commands of the plugin."""
        plugin = self.load(info)
        for command in info.commands if plugin.status == "active" else ():
            with self._importing(info):
                _, broken = import_command(info, command, self.limit)
            plugin = broken or plugin
        return plugin

    # -- commands -----------------------------------------------------------------------------------------------------

    def commands(self) -> dict[str, str]:
        """Command → summary, for all plugins that may be loaded; by metadata only.

        A command is an entry point of the group ``ssl_domains.cli``, or the name of a domain that the core serves; see
        `serves`.
        """
        summaries: dict[str, str] = {}
        usable = [info for info in self.infos if refusal(info, self.settings) is None]
        for info in usable:
            for command in info.commands:
                summaries[command] = "two plugins claim this name" if command in summaries else info.summary
        for info in usable:
            for name in info.domain_names:
                summaries.setdefault(name, info.summary)
        return summaries

    def serves(self, name: str) -> bool:
        """Whether the core serves the commands of a domain of this name, by metadata only.

        It does so when a plugin without an entry point in ``ssl_domains.cli`` has an entry point of this name in
        ``ssl_domains``, and no other plugin brings a command of this name.
        """
        claimed = any(name in info.commands for info in self.infos)
        return not claimed and any(name in info.domain_names for info in self.infos)

    def command(self, name: str) -> Any:
        """Import the typer app behind a command.

        Raises:
            PluginError: When its plugin is missing (for a known domain), blocked, broken or incompatible, or when two
                plugins have a command of this name.
            UsageError: When the name is unknown.
        """
        info = self._one(name, [info for info in self.infos if name in info.commands], "command")
        if info is None:
            self._missing(name)
        plugin = self.load(info)
        if plugin.status == "active":
            with self._importing(info):
                app, broken = import_command(info, name)
            if broken is None:
                return app
            plugin = broken
        raise _unusable(plugin)

    # -- what the hooks return ----------------------------------------------------------------------------------------

    def domain(self, name: str) -> Domain:
        """The domain of that name.

        A plugin of this name and the plugin files are imported first, the others only when these have no such domain.

        Raises:
            PluginError: In the cases of `command`.
            UsageError: When the name is unknown.
        """
        known = [self.load(info) for info in self.infos if name in info.names]
        near = [self.load(info) for info in self.infos if name in info.names or info.is_file]
        plugins = near if any(_named(plugin.domains, name) for plugin in near) else self.load_all()
        owners = [(plugin, found) for plugin in plugins for found in _named(plugin.domains, name)]
        self._one(name, [plugin.info for plugin, _ in owners], "domain")
        if owners:
            return owners[0][1]
        for plugin in known:
            if plugin.status != "active":
                raise _unusable(plugin)
        for plugin in known:
            if name not in KNOWN_DOMAINS:
                cause = f"{plugin.info.label} brings no domain {name!r}, so it has no commands"
                raise UsageError(cause, f"ssl-domains plugins check {name}")
        self._missing(name)

    def import_crops(self) -> None:
        """Import the crop classes that the domains of all plugins name; each registers itself by its name.

        Raises:
            PluginError: When one can't be imported.
        """
        self._import("crop", lambda domain: domain.crop_classes)

    def import_preprocesses(self) -> None:
        """Import the preprocess classes that the domains of all plugins name; each registers itself by its name.

        Raises:
            PluginError: When one can't be imported.
        """
        self._import("preprocess", lambda domain: domain.preprocess_classes)

    def _import(self, what: str, classes: Callable[[Domain], tuple[str, ...]]) -> None:
        for plugin in self.load_all():
            for path in (path for domain in plugin.domains for path in classes(domain)):
                try:
                    import_object(path)
                except (ImportError, AttributeError) as error:
                    cause = f"the {what} {path!r} of {plugin.info.label} can't be imported: {error}"
                    raise PluginError(cause, "ssl-domains plugins list") from error

    def pair_samplers(self, domain: str) -> list[tuple[Plugin, PairSampler]]:
        """(plugin, sampler) of all samplers for the domain. Loads all plugins, as each may have samplers for it."""
        return [
            (plugin, sampler)
            for plugin in self.load_all()
            for sampler in plugin.pair_samplers
            if sampler.domain in (domain, "*")
        ]

    def pair_sampler(self, domain: str, name: str) -> PairSampler:
        """The named sampler for the domain.

        Raises:
            UsageError: When there is none; gives the nearest name, and broken plugins, which may have had it.
            PluginError: When two plugins have one of this name.
        """
        offered = self.pair_samplers(domain)
        matching = [(plugin, sampler) for plugin, sampler in offered if sampler.name == name]
        self._one(name, [plugin.info for plugin, _ in matching], "pair sampler")
        if matching:
            return matching[0][1]
        hint = did_you_mean(name, {sampler.name for _, sampler in offered}) + self._not_loaded()
        raise UsageError(f"{domain} has no pair sampler {name!r}", hint)

    def methods(self) -> list[tuple[str, MethodEntry]]:
        """Every method with the distribution it comes from, the core's own first."""
        built_in = [("ssl-domains", entry) for entry in BUILT_IN]
        return built_in + [(plugin.info.distribution, entry) for plugin in self.load_all() for entry in plugin.methods]

    def method(self, name: str) -> MethodEntry:
        """The method of that name, of the core or of a plugin.

        Raises:
            UsageError: When there is none; ``finetune`` is none, as it trains with labels.
            PluginError: When two plugins, or a plugin and the core, have it.
        """
        if name == "finetune":
            cause = "'finetune' trains with labels, and is no method of pre-training"
            raise UsageError(cause, "ssl-domains DOMAIN finetune SAMPLES --from RUN --label COLUMN --out RUN2")
        offered = self.methods()
        matching = [(origin, entry) for origin, entry in offered if entry.name == name]
        if len(matching) > 1:
            raise _clash("method", name, [origin for origin, _ in matching])
        if not matching:
            raise UsageError(f"there is no method {name!r}", did_you_mean(name, {entry.name for _, entry in offered}))
        return matching[0][1]

    def encoders(self) -> list[tuple[str, EncoderEntry]]:
        """Every encoder that is not timm's with the distribution it comes from, the core's own first."""
        built_in = [("ssl-domains", entry) for entry in BUILT_IN_ENCODERS]
        return built_in + [(plugin.info.distribution, entry) for plugin in self.load_all() for entry in plugin.encoders]

    def encoder(self, name: str) -> EncoderEntry:
        """The named encoder of the core or of a plugin; `ssl_domains.encoders.create_encoder` builds those of timm too.

        Raises:
            UsageError: When there is none; gives the nearest name, and broken plugins, which may have had it.
            PluginError: When two bring it, or a plugin gives an encoder a name of timm's.
        """
        offered = self.encoders()
        matching = [(origin, entry) for origin, entry in offered if entry.name == name]
        owners = [origin for origin, _ in matching]
        if _claims_name_of_timm(name, owners):
            owners.append("timm")
        if len(owners) > 1:
            raise _clash("encoder", name, owners)
        if not matching:
            hint = _nearest_encoder(name, {entry.name for _, entry in offered}) + self._not_loaded()
            raise UsageError(f"there is no encoder {name!r}", hint)
        return matching[0][1]

    def rules(self) -> list[tuple[str, RuleEntry]]:
        """Every rule that text can name, with the distribution it comes from, the core's own first."""
        own = [("ssl-domains", entry) for entry in CORE]
        return own + [(plugin.info.distribution, entry) for plugin in self.load_all() for entry in plugin.rules]

    def rule(self, name: str) -> RuleEntry | None:
        """The named rule, or None; see `ssl_domains.pairs.rules.registry.RuleSource`.

        Raises:
            PluginError: When two plugins bring it.
        """
        found = [(origin, entry) for origin, entry in self.rules() if entry.name == name]
        if len(found) > 1:
            raise _clash("rule", name, [origin for origin, _ in found])
        return found[0][1] if found else None

    def rule_names(self) -> tuple[str, ...]:
        """Names of the rules that plugins bring."""
        return tuple(dict.fromkeys(entry.name for plugin in self.load_all() for entry in plugin.rules))

    def clashes(self) -> list[str]:
        """One line for each name that two plugins use for the same kind of thing."""
        claims: dict[tuple[str, str], list[str]] = {}
        for info in self.infos:
            if refusal(info, self.settings) is None:
                for command in info.commands:
                    claims.setdefault(("command", command), []).append(info.distribution)
        for plugin in self.load_all():
            label = plugin.info.distribution
            for domain in plugin.domains:
                claims.setdefault(("domain", domain.name), []).append(label)
            for sampler in plugin.pair_samplers:
                claims.setdefault((f"pair sampler of {sampler.domain}", sampler.name), []).append(label)
        for origin, entry in self.methods():
            claims.setdefault(("method", entry.name), []).append(origin)
        for origin, rule in self.rules():
            claims.setdefault(("rule", rule.name), []).append(origin)
        for origin, encoder in self.encoders():
            claims.setdefault(("encoder", encoder.name), []).append(origin)
        for (kind, name), owners in claims.items():
            if kind == "encoder" and _claims_name_of_timm(name, owners):
                owners.append("timm")
        return [str(_clash(kind, name, owners)) for (kind, name), owners in claims.items() if len(owners) > 1]

    # -- refusals -----------------------------------------------------------------------------------------------------

    def _one(self, name: str, infos: list[PluginInfo], what: str) -> PluginInfo | None:
        able = [info for info in infos if refusal(info, self.settings) is None]
        if len(able) > 1:
            raise _clash(what, name, [info.label for info in able])
        return next(iter(able or infos), None)

    def _not_loaded(self) -> str:
        """The end of a hint: plugins that may have brought what is missing."""
        broken = [plugin.info.label for plugin in self.load_all() if plugin.status in ("broken", "incompatible")]
        return f"; not loaded: {', '.join(broken)} (see: ssl-domains plugins list)" if broken else ""

    def _missing(self, name: str) -> NoReturn:
        if name in KNOWN_DOMAINS:
            raise PluginError(f"the domain {name!r} is not installed", how_to_install(name))
        raise UsageError(f"there is no domain {name!r}", did_you_mean(name, {*self.commands(), *KNOWN_DOMAINS}))


def _unannounced(info: PluginInfo) -> AbstractContextManager[None]:
    return nullcontext()


def _named(items: Iterable[N], name: str) -> Iterator[N]:
    return (item for item in items if item.name == name)


def _unusable(plugin: Plugin) -> PluginError:
    return PluginError(plugin.reason, plugin.cure)


def _clash(what: str, name: str, owners: list[str]) -> PluginError:
    article = "an" if what.startswith("e") else "a"
    return PluginError(
        f"two plugins bring {article} {what} {name!r}: {' and '.join(owners)}",
        CLASH_HINT,
    )


def _claims_name_of_timm(name: str, owners: list[str]) -> bool:
    """Whether a plugin gives an encoder a name of timm's, where the core's own ``small_conv`` is registered too."""
    return bool(owners) and owners != ["ssl-domains"] and name in _timm_names()


def _timm_names() -> list[str]:
    import timm

    return list(timm.list_models())


def _nearest_encoder(name: str, known: set[str]) -> str:
    """The nearest name of all; or, as timm has a thousand, the core's and plugins' with some of timm's."""
    near = did_you_mean(name, {*known, *_timm_names()})
    usual = {"resnet18", "resnet50", "vit_small_patch16_224", "bilstm:resnet18", "transformers:FOLDER"}
    return near if near.startswith("did you mean") else did_you_mean(name, known | usual)
