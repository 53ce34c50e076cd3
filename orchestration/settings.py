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
