"""One writer: a run holds its home from its first step to its last; the next one waits."""

import logging
from collections.abc import Iterator

import dagster as dg

from orchestration.errors import InputError
from orchestration.files import exclusive, private_folder
from orchestration.settings import Settings

PATIENCE = 4 * 3600.0
"""Seconds that a run waits for the one before it."""
LOCK = ".run.lock"


def writer(settings: Settings) -> dg.ResourceDefinition:
    """The resource that holds the home for a run. The system lets go of it when the process ends, however it ends."""

    def told() -> None:
        logging.getLogger(__name__).warning("%s: another run is writing; waiting for it to end", settings.home)

    @dg.resource(description="Holds the home: one run writes at a time.")
    def held(_context: dg.InitResourceContext) -> Iterator[None]:
        lock = private_folder(settings.home, settings.home) / LOCK
        try:
            with exclusive(lock, PATIENCE, told):
                yield
        except TimeoutError:
            raise InputError(
                f"{settings.home}: another run is writing and does not end; see `accountability status`"
            ) from None

    return held
