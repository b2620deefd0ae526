"""Populates a stack with the data of thousands of processed documents, in seconds instead of hours.

One document is actually processed. Its objects and all its records (run, tags, events, check, partition) are
then copied within S3 and PostgreSQL, each copy with its own name, run and time: tables and rows are the same
as after processing that many documents.
"""

import os
import uuid
from pathlib import Path

import dagster as dg
import psycopg2
from psycopg2.extras import execute_values

from docpipe_assets.defs.partitions import documents
from docpipe_assets.instance.records import tags
from docpipe_assets.operations.breaker import request_name
from docpipe_assets.operations.intake import listed_document
from docpipe_assets_tests.pipeline.site import Site

BATCH = "replicas"
_SECONDS_APART = 20

_COPIES = {
    "runs": """
        (run_id, snapshot_id, pipeline_name, status, run_body, partition, partition_set,
         create_timestamp, update_timestamp, start_time, end_time)
        SELECT p.run_id, snapshot_id, pipeline_name, status, {run_body}, p.key, partition_set,
            create_timestamp - p.age, update_timestamp - p.age,
            start_time - extract(epoch FROM p.age), end_time - extract(epoch FROM p.age)""",
    "run_tags": "(run_id, key, value) SELECT p.run_id, t.key, {value}",
    "event_logs": """
        (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
        SELECT p.run_id, {event}, dagster_event_type, timestamp - p.age, step_key, asset_key,
            CASE WHEN partition IS NULL THEN NULL ELSE p.key END""",
    "asset_check_executions": """
        (asset_key, check_name, partition, run_id, execution_status, evaluation_event,
         evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id)
        SELECT asset_key, check_name, p.key, p.run_id, execution_status, {evaluation_event},
            evaluation_event_timestamp - p.age, evaluation_event_storage_id,
            materialization_event_storage_id""",
}
_TAGS_OF_EVENTS = """
    INSERT INTO asset_event_tags (asset_key, key, value, event_timestamp, event_id)
    SELECT t.asset_key, t.key, t.value, made.timestamp, made.id
    FROM asset_event_tags t
    JOIN event_logs first ON first.id = t.event_id AND first.run_id = %(run)s
    JOIN event_logs made ON made.dagster_event_type = first.dagster_event_type
        AND made.asset_key = first.asset_key
    JOIN replicas p ON p.run_id = made.run_id"""


def replicate(site: Site, template: str, names: list[str]) -> None:
    """Replicate a document that has succeeded; the daemon must not be running."""
    (run,) = site.runs_of(template)
    objects = site.stack.folder / "s3" / "intake"
    (objects / BATCH).mkdir(exist_ok=True)
    for name in names:
        _copy(objects / template, objects / BATCH / name)
    site.stack.part("s3").restart()  # it caches the folders that it has listed
    found = {one.key: listed_document(one) for one in site.intake.list(f"{BATCH}/")}
    sightings = [found[f"{BATCH}/{name}"] for name in names]
    site.instance.add_dynamic_partitions(documents.name or "", [seen.key for seen in sightings])
    rows = [
        (seen.key, str(uuid.uuid4()), request_name(seen.document, seen.version), seen.version, age)
        for age, seen in enumerate(sightings, start=1)
    ]
    _multiply(site, run, rows)


def _copy(source: Path, copy: Path) -> None:
    if not copy.exists():
        os.link(source, copy)


def _multiply(site: Site, run: dg.DagsterRun, rows: list[tuple[str, str, str, str, int]]) -> None:
    old = {
        "run": run.run_id,
        "key": run.tags[tags.PARTITION],
        "request": run.tags[tags.REQUEST],
        "version": run.tags[tags.VERSION],
        "batch": run.tags[tags.BATCH],
    }

    def renamed(column: str) -> str:
        text = column
        for name, new in (("run", "run_id"), ("key", "key"), ("request", "request"), ("version", "version")):
            text = f"replace({text}, %({name})s, p.{new})"
        return text

    connection = psycopg2.connect(site.stack.endpoints.postgres_url.replace("+psycopg2", ""))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE replicas (key text, run_id text, request text, version text, age interval)"
            )
            execute_values(
                cursor,
                "INSERT INTO replicas VALUES %s",
                rows,
                template=f"(%s, %s, %s, %s, %s * interval '{_SECONDS_APART} seconds')",
            )
            for table, copied in _COPIES.items():
                columns = {name: renamed(name) for name in ("run_body", "value", "event", "evaluation_event")}
                select = copied.format(**columns)
                cursor.execute(
                    f"INSERT INTO {table} {select} FROM {table} t, replicas p WHERE t.run_id = %(run)s", old
                )
            cursor.execute(_TAGS_OF_EVENTS, old)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does eventually
    finally:
        connection.close()
