"""Telling somebody that a run failed or that a release was made: a command, an address, or both.

Belongs here: the message and the two ways. Does not: when to tell. A message that cannot be delivered is a line in the
log and changes nothing else. No message holds a figure of a student.
"""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from orchestration.settings import Settings

LOG = logging.getLogger(__name__)
PATIENCE = 30.0
"""Seconds that a command or an address may take."""
TRIES = 3


def notify(message: Mapping[str, Any], settings: Settings) -> None:
    """Hand the message, one JSON object, to what the settings name; nothing when they name nothing."""
    text = json.dumps(message, ensure_ascii=False)
    if settings.notify_command:
        try:
            subprocess.run(  # noqa: S603 - the operator's own command
                shlex.split(settings.notify_command), input=text, text=True, timeout=PATIENCE, check=True,
                capture_output=True,
            )  # fmt: skip
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            LOG.warning("ACCOUNTABILITY_NOTIFY_COMMAND: %s; nobody was told", type(error).__name__)
    if settings.notify_url:
        _post(text, settings.notify_url.get_secret_value())


def _post(text: str, address: str) -> None:
    """Post it, trying again where that can help. The address holds a secret and is never repeated."""
    import httpx
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    again = Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(max=4),
        retry=retry_if_exception_type(httpx.TransportError),
        reraise=True,
    )
    try:
        headers = {"content-type": "application/json"}
        again(httpx.post, address, content=text, headers=headers, timeout=PATIENCE).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        LOG.warning("ACCOUNTABILITY_NOTIFY_URL: %s; nobody was told", type(error).__name__)
