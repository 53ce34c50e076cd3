"""Writes what is known of the dbt models without dbt: `orchestration/lineage/models.json` and `columns.json`.

Belongs here: facts from dbt's manifest and its database, and column lineage from the SQL that dbt compiled. Does not:
reading them (`orchestration.lineage`). Deliveries are empty: what a model is made from does not hang on data.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.indicators.building import MODELS, YEARS_BACK, build_models
from orchestration.indicators.dbt_running import RECORDS
from orchestration.indicators.describing import PASSES_ON
from orchestration.intake.contracts import Contract, load_contracts
from orchestration.intake.validating import write_empty
from orchestration.lineage.columns import COMPUTED, RAW, SEEDS
from orchestration.lineage.models import CATALOGUE
from orchestration.lineage.rendering import rendered
from orchestration.policy import load_register
from orchestration.settings import Settings

PROJECT_FILE = "dbt_project.yml"
_SOURCES = ("student", "hub")
_STORE = ("_delivery", "_row")
"""Columns that the store adds to what was delivered."""

Schema = Mapping[str, Mapping[str, str]]
"""Table to column to type, in order."""


def empty_variables(year: int, contracts: Mapping[str, Contract], folder: Path) -> dict[str, object]:
    """What dbt is told to build `year` over collections of which nothing was delivered; writes those into `folder`."""
    for contract in contracts.values():
        write_empty(contract, folder / f"{contract.collection}.parquet")
    snapshots = {name: [str(folder / f"{name}.parquet")] for name in contracts}
    return {
        "school_year": year,
        "source": "student",
        "lags": {},
        "snapshots": {str(y): snapshots for y in range(year - YEARS_BACK, year + 1)},
    }


def catalogue(manifest: Mapping[str, Any], database: Path, contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """Name to what models.json says of a model. Raises ValueError for a model that passes on nothing it should."""
    schema = _schema(database)
    nodes = _models(manifest)
    reads = {name: _reads(node, manifest) for name, node in nodes.items()}
    return {
        name: {
            "layer": node["fqn"][1],
            "materialized": node["config"]["materialized"],
            "description": node["description"],
            "sources": _sources(name, nodes, reads, contracts),
            "reads": reads[name][0],
            "lag": reads[name][1],
            "parents": _parents(node, "model"),
            "files": _files(node, manifest),
            "columns": {
                column: [kind, "" if reads[name][0] else node["columns"][column]["description"]]
                for column, kind in schema[name].items()
            },
        }
        for name, node in sorted(nodes.items())
    }


def computed_lineage(manifest: Mapping[str, Any], database: Path) -> dict[str, dict[str, list[str]]]:
    """Model to column to the `table.column` of its parents that it is made from, sorted."""
    schema = _schema(database)
    seeds = {n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "seed"}
    rules = _rules(manifest, seeds)
    found: dict[str, dict[str, list[str]]] = {}
    for name, node in sorted(_models(manifest).items()):
        if collection := _reads(node, manifest)[0]:
            found[name] = {c: [] if c in _STORE else [f"{RAW}{collection}.{c}"] for c in schema[name]}
        else:
            found[name] = _of_query(node["compiled_code"], schema, schema[name], seeds, rules)
    return found


def _of_query(
    sql: str, schema: Schema, columns: Mapping[str, str], seeds: set[str], rules: set[str]
) -> dict[str, list[str]]:
    """Lineage of a model's compiled SELECT."""
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    tree = parse_one(sql, read="duckdb")
    for table in tree.find_all(exp.Table):  # dbt names the database of the run
        table.set("catalog", None)
        table.set("db", None)
    known: dict[str, object] = {table: dict(kinds) for table, kinds in schema.items()}
    query = qualify(tree, schema=known, dialect="duckdb")
    for select in list(query.find_all(exp.Select)):
        _name_what_chooses(select, rules)
    scope = build_scope(query)
    found = {}
    for column in columns:
        leaves = lineage(column, query, schema=known, dialect="duckdb", scope=scope, copy=False).walk()
        pairs = {
            (n.expression.name, n.name) for n in leaves if not n.downstream and isinstance(n.expression, exp.Table)
        }
        names = {f"{SEEDS if table in seeds else ''}{table}.{name.rpartition('.')[2]}" for table, name in pairs}
        found[column] = sorted(name.replace('"', "") for name in names)
    return found


def _name_what_chooses(select: Any, rules: set[str]) -> None:
    """Add columns that decide a value without standing in its expression, so that lineage finds them.

    A `count(*)` is made from the columns that choose and group its rows, a constant in one part of a UNION from those
    that choose the rows of that part, and a value looked up in a table of rules from those that it is looked up by.
    """
    from sqlglot import exp

    def own(places: Iterable[Any]) -> list[Any]:
        found = (column for place in places if place for column in place.find_all(exp.Column))
        return [column for column in found if column.parent_select is select]

    where, joins = select.args.get("where"), select.args.get("joins") or []
    chosen = own([where, select.args.get("group"), *(join.args.get("on") for join in joins)])
    looked_up = {join.alias_or_name: join.args.get("on") for join in joins if _is_rule(join.this, rules)}
    for projection in select.expressions:
        value = projection.unalias()
        if isinstance(select.parent, exp.SetOperation) and not list(value.find_all(exp.Column)):
            _widen(value, own([where]))
        for column in [c for c in value.find_all(exp.Column) if c.table in looked_up]:
            _widen(column, [c for c in own([looked_up[column.table]]) if c.table not in looked_up])
    for count in [c for c in select.find_all(exp.Count) if isinstance(c.this, exp.Star) and c.parent_select is select]:
        _widen(count, chosen)


def _widen(expression: Any, columns: Iterable[Any]) -> None:
    """Put `columns` beside an expression: for lineage only, the query is never run."""
    from sqlglot import exp

    if beside := [column.copy() for column in columns]:
        expression.replace(exp.Tuple(expressions=[expression.copy(), *beside]))


def _rules(manifest: Mapping[str, Any], seeds: set[str]) -> set[str]:
    """Seeds, and models made from nothing else: they are the same whatever is delivered."""
    rules, size = set(seeds), 0
    parents = {name: {p.split(".")[2] for p in n["depends_on"]["nodes"]} for name, n in _models(manifest).items()}
    while len(rules) > size:
        size = len(rules)
        rules |= {name for name, found in parents.items() if found and found <= rules}
    return rules


def _is_rule(relation: Any, rules: set[str]) -> bool:
    """Whether a relation, or each table behind it, is a table of rules."""
    from sqlglot import exp

    names = {table.name for table in relation.find_all(exp.Table)}
    common = {c.alias: c.this for w in relation.root().find_all(exp.With) for c in w.expressions}
    return all(name in rules or (name in common and _is_rule(common[name], rules)) for name in names)


def _schema(database: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    query = "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY 1, ordinal_position"
    with duckdb.connect(str(database), read_only=True) as con:
        for table, column, kind in con.execute(query).fetchall():
            found.setdefault(table, {})[column] = kind
    return found


def _models(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Models of which tables are made."""
    models = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    return {n["name"]: n for n in models if n["fqn"][1] != RECORDS}


def _reads(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str | None, int | str]:
    """The collection whose accepted rows a model passes on, and how far its delivery lies back (`Model.lag`)."""
    if node["depends_on"]["nodes"]:
        return None, 0
    found = PASSES_ON.fullmatch(node["raw_code"].strip())
    if found is None:
        raise ValueError(f"{node['original_file_path']}: does not pass on the accepted rows of one collection")
    macro, collection, indicator = found.groups()
    if macro == "prior_snapshot":
        return collection, 1
    if indicator is None:
        return collection, collection
    code = manifest["macros"]["macro.accountability.hub_lag"]["macro_sql"]
    return collection, dict(re.findall(r"'(\w+)': '(\w+)'", code)).get(indicator, 0)


def _parents(node: Mapping[str, Any], kind: str) -> list[str]:
    return sorted({n.rpartition(".")[2] for n in node["depends_on"]["nodes"] if n.startswith(f"{kind}.")})


def _sources(
    name: str,
    nodes: Mapping[str, Mapping[str, Any]],
    reads: Mapping[str, tuple[str | None, int | str]],
    contracts: Mapping[str, Contract],
) -> list[str]:
    """Sources whose build the model says something in: those it goes back to; of policy alone, its children's."""
    if name in MODELS:
        return list(_SOURCES)
    behind, found = [name], set[str]()
    while behind:
        one = behind.pop()
        behind += _parents(nodes[one], "model")
        if collection := reads[one][0]:
            found.add(str(contracts[collection].source))
    if not found:
        children = [child for child, node in nodes.items() if name in _parents(node, "model")]
        found = {source for child in children for source in _sources(child, nodes, reads, contracts)}
    return [source for source in _SOURCES if source in found]


def _files(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Files of the dbt project that decide a model: its own, those of the macros it calls, its seeds."""
    macros, behind = manifest["macros"], list(node["depends_on"]["macros"])
    called: set[str] = set()
    while behind:
        macro = behind.pop()
        if macro not in called and macros[macro]["package_name"] == node["package_name"]:
            called.add(macro)
            behind += macros[macro]["depends_on"]["macros"]
    seeds = [n for n in node["depends_on"]["nodes"] if n.startswith("seed.")]
    paths = {macros[m]["original_file_path"] for m in called} | {
        manifest["nodes"][s]["original_file_path"] for s in seeds
    }
    return sorted(paths | {node["original_file_path"], PROJECT_FILE})


def main() -> None:
    """Build every model over nothing and write both files."""
    settings = Settings()
    contracts = load_contracts(settings.contracts)
    year = max(load_register(settings.policy).school_years)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        database = build_models(empty_variables(year, contracts, work), work)
        manifest = json.loads((work / "target" / "manifest.json").read_bytes())
        CATALOGUE.write_text(rendered(catalogue(manifest, database, contracts), 3), encoding="utf-8")
        COMPUTED.write_text(rendered(computed_lineage(manifest, database)), encoding="utf-8")


if __name__ == "__main__":
    main()
