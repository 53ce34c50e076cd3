"""The dbt models as they are: layer, columns, what each reads, which files decide it.

Belongs here: reading `models.json`, which `make docs` writes from what dbt compiled. Does not: running dbt, nor what a
column is made from (`columns`). Nothing here needs dbt, so that the pipeline is known before anything was built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

CATALOGUE = Path(__file__).with_name("models.json")


@dataclass(frozen=True)
class Model:
    """A dbt model. Staging models and ledgers pass on accepted rows of one collection (`reads`), others have parents.

    `sources`: the sources whose build the model says something in. `lag`: years that the delivery read lies behind: a
    number, or the parameter of the policy rule data_lag that says it. `files`: what decides it, below dbt_project.
    `columns`: name to (type, description); a column that is passed on is described by its contract.
    """

    name: str
    layer: str
    materialized: str
    description: str
    sources: tuple[str, ...]
    reads: str | None
    lag: int | str
    parents: tuple[str, ...]
    files: tuple[str, ...]
    columns: Mapping[str, tuple[str, str]]

    def years_back(self, lags: Mapping[str, int]) -> int:
        """Years that its delivery lies behind the determination, by the policy's `lags`."""
        return self.lag if isinstance(self.lag, int) else lags.get(self.lag, 0)


@cache
def load_models() -> Mapping[str, Model]:
    """Name to model, parents first. Read once: the file is part of the code."""
    found = json.loads(CATALOGUE.read_bytes())
    order = TopologicalSorter({name: entry["parents"] for name, entry in found.items()}).static_order()
    return {name: _model(name, found[name]) for name in order}


@cache
def models_of(source: str) -> Mapping[str, Model]:
    """The models that the build of a source says something in, parents first."""
    return {name: model for name, model in load_models().items() if source in model.sources}


def _model(name: str, entry: dict[str, object]) -> Model:
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    columns = {column: tuple(words) for column, words in entry["columns"].items()}  # type: ignore[attr-defined]
    return Model(name=name, **(fields | {"columns": columns}))  # type: ignore[arg-type]
