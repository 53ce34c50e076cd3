"""Imported by the server from which `workers` forks, and by nothing else: loads Great Expectations there.

Three libraries take it nearly half of that time, and no suite here needs them: two are loaded once something asks, and
without the third it can do.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from orchestration.processes import do_without, give_way, never_garbage
from orchestration.validation.library import load_library

RARELY_USED = ("altair", "scipy.stats")
"""Great Expectations draws histograms and compares distributions with them."""


class _OnceUsed(ModuleType):
    """Stands where a module will, and makes way for it when somebody wants to know what it holds."""

    def __getattr__(self, name: str) -> Any:
        if name in ("__file__", "__spec__"):  # asked of every module while others are imported
            raise AttributeError(name)
        if isinstance(sys.modules[self.__name__], _OnceUsed):
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def put_off(name: str) -> None:
    """Let the module `name` be imported once something of it is used."""
    parent, _, own = name.rpartition(".")
    sys.modules[name] = _OnceUsed(name)
    if parent:
        setattr(importlib.import_module(parent), own, sys.modules[name])


give_way()
do_without("sqlalchemy")  # frames are no tables of a database
for module in RARELY_USED:
    put_off(module)
with never_garbage():
    importlib.import_module("orchestration.validation.judging")  # all that a worker runs
    load_library()
