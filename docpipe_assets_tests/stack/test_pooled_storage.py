"""The pooled storage writes the same rows as Dagster's own, and uses no private name that is not listed."""

import ast
import inspect
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
import yaml
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage

from docpipe_assets.instance import coordinator as run_coordinator
from docpipe_assets.instance import dagster_internals
from docpipe_assets.instance import launcher as run_launcher
from docpipe_assets.instance import storage as instance_storage
from docpipe_assets.instance.dagster_internals import PRIVATE_ATTRIBUTES
from docpipe_assets.instance.storage import InstanceStorage
from docpipe_assets.stack import Stack

pytestmark = pytest.mark.pipeline

documents = dg.DynamicPartitionsDefinition(name="compared")
GOOD, BAD = "good.pdf", "bad.pdf"
TABLES = {
    "event_logs": ("id", "run_id, dagster_event_type, step_key, asset_key, partition, event"),
    "asset_event_tags": ("event_id, key", "asset_key, key, value"),
    "asset_keys": ("id", "asset_key, last_run_id IS NULL, asset_details, wipe_timestamp IS NULL"),
    "asset_check_executions": (
        "id",
        "asset_key, check_name, partition, run_id, execution_status, evaluation_event, "
        "materialization_event_storage_id IS NULL",
    ),
    "dynamic_partitions": ("id", "partitions_def_name, partition"),
    "runs": ("id", "run_id, status, pipeline_name, partition, run_body"),
    "run_tags": ("run_id, key", "run_id, key, value"),
}
"""By table: its sort order, and the columns without times."""


@dg.asset(partitions_def=documents, check_specs=[dg.AssetCheckSpec("readable", asset="read_pdf")])
def read_pdf(context: dg.AssetExecutionContext) -> Iterator[Any]:
    context.log.info("a line of the user's log")
    yield dg.AssetObservation("read_pdf", partition=context.partition_key, metadata={"seen": 1})
    yield dg.MaterializeResult(
        metadata={"pages": 3, "reason": dg.MetadataValue.md("**sound**")},
        data_version=dg.DataVersion("v1"),
        tags={"lane": "standard"},
        check_results=[dg.AssetCheckResult(check_name="readable", passed=context.partition_key == GOOD)],
    )


@dg.asset(partitions_def=documents, deps=[read_pdf], retry_policy=dg.RetryPolicy(max_retries=1))
def text_of(context: dg.AssetExecutionContext) -> int:
    if context.partition_key == BAD:
        raise dg.Failure("it is damaged", metadata={"code": "BAD"})
    if context.retry_number == 0:
        raise dg.RetryRequested(max_retries=1)
    context.add_output_metadata({"characters": 12})
    return 12


@dg.asset(partitions_def=documents)
def names_in(text_of: int) -> dg.MaterializeResult[int]:
    return dg.MaterializeResult(value=text_of, metadata={"names": ["a", "b"]})


defs = dg.Definitions(
    assets=[read_pdf, text_of, names_in],
    jobs=[dg.define_asset_job("compared_job", "*", executor_def=dg.in_process_executor)],
    resources={"io_manager": dg.mem_io_manager},
)


@dataclass(frozen=True)
class Database:
    url: str

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url.replace("+psycopg2", ""))) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        order, columns = TABLES[table]
        return self.select(f"SELECT {columns} FROM {table} ORDER BY {order}")


@contextmanager
def fresh_database(stack: Stack, name: str) -> Iterator[Database]:
    url = stack.endpoints.postgres_url.replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    base, _, query = stack.endpoints.postgres_url.partition("?")
    place = base.rpartition("/")[0]
    yield Database(f"{place}/{name}" + (f"?{query}" if query else ""))


def instance_on(database: Database, folder: Path, storage: type[object]) -> dg.DagsterInstance:
    """Dagster with its own PostgreSQL storage, or with the one of docpipe's dagster.yaml."""
    folder.mkdir()
    config = {"postgres_url": database.url} if storage is DagsterPostgresStorage else {}
    named = {"module": storage.__module__, "class": storage.__name__, "config": config}
    described = {"storage": {"custom": named}, "telemetry": {"enabled": False}}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(described))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCPIPE_POSTGRES_URL", database.url)
        return dg.DagsterInstance.from_config(str(folder))


@pytest.fixture(scope="module")
def written(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Database]]:
    """The databases of the stock and of the pooled storage after the same three runs."""
    folder = tmp_path_factory.mktemp("compared")
    with fresh_database(stack, "stock") as stock, fresh_database(stack, "pooled") as pooled:
        run_all(instance_on(stock, folder / "stock", DagsterPostgresStorage))
        pooling = instance_on(pooled, folder / "pooled", InstanceStorage)
        assert isinstance(pooling.event_log_storage, PostgresEventLogStorage)
        assert type(pooling.event_log_storage) is not PostgresEventLogStorage, "docpipe's own is compared"
        run_all(pooling)
        yield stock, pooled


def run_all(instance: dg.DagsterInstance) -> None:
    job = defs.resolve_job_def("compared_job")
    with instance:
        instance.add_dynamic_partitions("compared", [GOOD, BAD])
        for number, key in enumerate((GOOD, BAD, GOOD)):
            result = job.execute_in_process(
                instance=instance,
                partition_key=key,
                run_id=f"00000000-0000-4000-8000-{number:012d}",
                raise_on_error=False,
            )
            assert result.success == (key == GOOD)


def without_times(value: Any) -> Any:
    """The same value without times, durations, process ids, and numbers from a sequence."""
    if isinstance(value, str):
        try:
            return without_times(json.loads(value))
        except ValueError:
            value = re.sub(r"\b\d+(\.\d+)? ?(ms|s)\b", "<duration>", value)
            value = re.sub(r"pid: ?\d+|process \d+|\b0x[0-9a-f]+", "<process>", value)
            return re.sub(r"/[^ \"]*/(stock|pooled)\b", "<folder>", value)
    if isinstance(value, list | tuple):
        return [without_times(part) for part in value]
    if isinstance(value, dict):
        return {
            name: without_times(part)
            for name, part in value.items()
            if name not in ("timestamp", "duration_ms", "pid", "storage_id", "process_id", "log_key")
            and not name.endswith(("_timestamp", "_id_number"))
        }
    return value


@pytest.mark.parametrize("table", TABLES)
def test_every_row_equals_that_of_the_stock_storage(written: tuple[Database, Database], table: str) -> None:
    stock, pooled = ([without_times(row) for row in database.rows(table)] for database in written)
    assert stock, "the table has rows"
    for number, (expected, found) in enumerate(zip(stock, pooled, strict=False)):
        assert found == expected, f"{table}, row {number}"
    assert len(pooled) == len(stock)


def test_the_compared_runs_write_every_event_type_of_a_document(
    written: tuple[Database, Database],
) -> None:
    kinds = {kind for (kind,) in written[0].select("SELECT DISTINCT dagster_event_type FROM event_logs")}
    assert kinds >= {
        None,  # a line of the user's log
        "PIPELINE_START",
        "PIPELINE_SUCCESS",
        "PIPELINE_FAILURE",
        "ASSET_MATERIALIZATION_PLANNED",
        "ASSET_MATERIALIZATION",
        "ASSET_OBSERVATION",
        "ASSET_CHECK_EVALUATION_PLANNED",
        "ASSET_CHECK_EVALUATION",
        "STEP_UP_FOR_RETRY",
        "STEP_RESTARTED",
        "STEP_FAILURE",
    }


def test_readers_see_the_same_through_either_storage(
    written: tuple[Database, Database], tmp_path: Path
) -> None:
    """The stock storage reads the data of the pooled one, and vice versa."""
    seen = []
    for number, database in enumerate(written):
        for kind in (DagsterPostgresStorage, InstanceStorage):
            with instance_on(database, tmp_path / f"{number}-{kind.__name__}", kind) as instance:
                seen.append(without_times(seen_through(instance)))
    assert all(one == seen[0] for one in seen[1:])


def seen_through(instance: dg.DagsterInstance) -> list[Any]:
    keys = [dg.AssetKey(name) for name in ("read_pdf", "text_of", "names_in")]
    found: list[Any] = [sorted(instance.get_materialized_partitions(key)) for key in keys]
    found += [instance.get_latest_data_version_record(key, partition_key=GOOD) is not None for key in keys]
    for key in keys:
        record = instance.get_latest_materialization_event(key)
        assert record is not None
        assert record.asset_materialization is not None
        made = record.asset_materialization
        found.append([made.partition, sorted(made.metadata), dict(made.tags or {})])
    for run in instance.get_runs():
        found.append([run.run_id, run.status.value])
        found.append([entry.message for entry in instance.all_logs(run.run_id)])
    statuses = instance.get_status_by_partition(keys[1], [GOOD, BAD], documents) or {}
    return [*found, {name: str(status) for name, status in statuses.items()}]


KILLED_BEFORE_TAGS = """
import os, signal, sys
import dagster as dg
import sqlalchemy

def die_before_tags(connection, cursor, statement, *_):
    if statement.startswith("INSERT INTO run_tags"):
        os.kill(os.getpid(), signal.SIGKILL)

sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", die_before_tags)
instance = dg.DagsterInstance.from_config(sys.argv[1])
instance.run_storage.add_run(dg.DagsterRun("compared_job", run_id="killed", tags={"docpipe/batch": "a"}))
"""


def test_a_process_killed_while_adding_a_run_leaves_no_untagged_run(stack: Stack, tmp_path: Path) -> None:
    """Filters by tag do not find such a run, so it would be missing from the ledger of its batch."""
    home = tmp_path / "killed"
    with (
        fresh_database(stack, "killed") as database,
        instance_on(database, home, InstanceStorage) as instance,
    ):
        done = subprocess.run(
            [sys.executable, "-c", KILLED_BEFORE_TAGS, str(home)],
            env={**os.environ, "DOCPIPE_POSTGRES_URL": database.url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not instance.get_runs()
        instance.run_storage.add_run(
            dg.DagsterRun("compared_job", run_id="killed", tags={"docpipe/batch": "a"})
        )
        instance.add_run_tags("killed", {"docpipe/lane": "large"})
        both = dg.RunsFilter(tags={"docpipe/batch": "a", "docpipe/lane": "large"})
        assert [run.run_id for run in instance.get_runs(both)] == ["killed"]


def stock_classes(storage: DagsterPostgresStorage) -> dict[str, set[str]]:
    """The private methods and fields of Dagster's classes that docpipe's classes inherit from."""
    objects: dict[str, Any] = {
        "DagsterPostgresStorage": storage,
        "PostgresRunStorage": storage.run_storage,
        "PostgresEventLogStorage": storage.event_log_storage,
        "PostgresScheduleStorage": storage.schedule_storage,
        "CeleryRunLauncher": dagster_internals.CeleryRunLauncher,
        "QueuedRunCoordinator": dg.QueuedRunCoordinator,
    }
    return {
        name: {attribute for attribute in dir(one) if re.match(r"_[a-z]", attribute)}
        for name, one in objects.items()
    }


def used_by_ours() -> dict[str, set[str]]:
    """By class of Dagster: the private attributes that our subclass defines, sets, reads or calls."""
    used: dict[str, set[str]] = {}
    for module in (instance_storage, run_launcher, run_coordinator):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if not isinstance(node, ast.ClassDef):
                continue
            names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
            names |= {one.name for one in ast.walk(node) if isinstance(one, ast.FunctionDef)}
            for base in map(ast.unparse, node.bases):
                if base in PRIVATE_ATTRIBUTES:
                    used.setdefault(base, set()).update(name for name in names if name.startswith("_"))
    return used


def test_every_private_dagster_attribute_in_use_is_listed_with_a_reason(stack: Stack) -> None:
    private = stock_classes(DagsterPostgresStorage(stack.endpoints.postgres_url))
    used = {name: found & private[name] for name, found in used_by_ours().items()}
    assert used == {name: set(reasons) for name, reasons in PRIVATE_ATTRIBUTES.items()}
    assert all(reason for reasons in PRIVATE_ATTRIBUTES.values() for reason in reasons.values())
