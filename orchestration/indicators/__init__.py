"""From snapshots to indicator tables, by dbt on DuckDB."""
