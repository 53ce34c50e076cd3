"""Great Expectations as this room uses it: in memory, silent, and doing nothing that nobody reads or that it has done.

Belongs here: how the library is set up, and what it is spared. Does not: what is asked of it (`running`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def load_library() -> Any:
    """A batch definition that takes any frame, in a context that keeps nothing on the disk and reports to nobody."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.execution_engine import pandas_execution_engine

    pandas_execution_engine.HASH_THRESHOLD = (
        0  # bytes of a frame up to which it digests every value, which nobody reads
    )
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=in_memory, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


@contextmanager
def configured_once() -> Iterator[None]:
    """Have each expectation say how it is configured once while the block runs, in which it stays as it is. The library
    asks it more than a hundred times and makes the answer anew, which is a fifth of validating a small frame."""
    from great_expectations.expectations.expectation import Expectation

    anew: Any = vars(Expectation)["configuration"]
    made: dict[int, tuple[Expectation, Any]] = {}

    def configuration(self: Expectation) -> Any:
        if id(self) not in made:
            made[id(self)] = self, anew.__get__(self)  # held, so that no other one gets its number
        return made[id(self)][1]

    Expectation.configuration = property(configuration)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Expectation.configuration = anew  # type: ignore[method-assign]
