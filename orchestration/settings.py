"""Where things live. One variable has to be known: ACCOUNTABILITY_HOME. Nothing here decides a rule."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Folders and addresses, read from the environment (prefix ACCOUNTABILITY_) or given by a caller."""

    model_config = SettingsConfigDict(env_prefix="ACCOUNTABILITY_", frozen=True)

    home: Path = PROJECT / "home"
    """Private store: delivered bytes, snapshots, runs, releases. Made with mode 0700."""

    landing: Path = PROJECT / "raw" / "landing"
    """Deliveries arrive here, one folder a school year."""

    contracts: Path = PROJECT / "raw" / "contracts"
    policy: Path = PROJECT / "dbt_project" / "seeds" / "policy"

    hub_url: str = "https://educationtocareer.data.mass.gov"
    hub_app_token: SecretStr | None = None
    """Socrata application token; sent as X-App-Token, never logged."""

    automation: bool = False
    """Whether sensors and schedules are on from the start. The one switch; the UI can turn each of them as well."""

    look_every: int = 30
    """Seconds between two looks at the landing folder, once its sensor is on."""

    ask_hub_every: int = 6 * 3600
    """Seconds between two questions to the hub, once its sensor is on."""

    calendar_cron: str = "0 6 * * *"
    """When the calendar is looked at, once its schedule is on (Massachusetts time)."""

    step_limit: float = 3600.0
    """Seconds after which a step of a run counts as hanging, and the run is stopped."""

    grace: float = 60.0
    """Seconds that a run which was told to stop may take before its processes are ended."""

    retry_after: float = 5.0
    """Seconds before a delivery that could not be read is tried again; twice as long before the next try."""

    keep_history: int = 400
    """Days that the history of runs in Dagster is kept. Releases, snapshots and run records stay."""

    keep_builds: int = 45
    """Days that the database of a year's last build is kept: a refresh makes only what has changed since. 0: no day."""

    notify_command: str | None = None
    """Command that gets a JSON message on its standard input when a run failed or a release was made."""

    notify_url: SecretStr | None = None
    """Address to which the same message is posted. Such addresses hold secrets: never logged."""
