"""Import everything once, in a process that is fit to be forked."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.metadata
import os
import pkgutil

__all__ = ["ENVIRONMENT", "import_everything"]

ENVIRONMENT = {
    # One thread everywhere: a process that has started threads can't be forked safely.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "HF_HUB_OFFLINE": "1",
    "SSL_DOMAINS_HASH_KEY": "a key for fuzzing",
    "SSL_DOMAINS_MAX_FILE_GB": "0.5",  # below the memory that a process may take
}
"""Set before anything is imported."""

_PACKAGES = (
    "ssl_domains", "ssl_domains_fisheye", "ssl_domains_medical", "ssl_domains_seismic", "ssl_domains_audio",
    "ssl_domains_text",
)  # fmt: skip
_LATE = (
    "albumentations", "cv2", "fastexcel", "nibabel", "PIL.Image", "polars", "pydicom", "pydicom.encaps", "scipy.stats",
    "sklearn.linear_model", "sklearn.neighbors", "soundfile", "timm", "torch", "xlsxwriter",
)  # fmt: skip


def import_everything() -> None:
    """Import what the commands import when they run; polars is not used, as its threads don't outlive a fork."""
    os.environ.update(ENVIRONMENT)
    for name in _LATE:
        importlib.import_module(name)
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if "skeleton" not in module.name and "__main__" not in module.name:
                importlib.import_module(module.name)
    importlib.import_module("PIL.Image").init()
    importlib.import_module("torch").set_num_threads(1)
    _build_commands()
    gc.collect()
    gc.freeze()


def _build_commands() -> None:
    """Build the commands and look up the installed plugins now, as both are the same in every process.

    Half of the time of a short command goes there.
    """
    import typer.main

    from ssl_domains.cli.app import run

    for module, name in ((importlib.metadata, "entry_points"), (typer.main, "get_group"), (typer.main, "get_command")):
        setattr(module, name, functools.cache(getattr(module, name)))
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        for domain in ("fisheye", "medical"):
            if run([domain, "--help"]) != 0:
                raise RuntimeError(f"the plugin {domain} can't be used: install it")
