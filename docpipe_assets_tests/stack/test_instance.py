"""The Dagster instance of the top-level dagster.yaml, with and without the stack."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
import yaml
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy.exc import ProgrammingError

import docpipe_assets
from docpipe_assets.identity import partition_key
from docpipe_assets.instance.launcher import DocumentRunLauncher
from docpipe_assets.stack import Stack
from docpipe_assets.stack.workspace import copy_instance_configuration
from docpipe_assets_tests.stack.tiny_definitions import NAMES, defs

pytestmark = pytest.mark.pipeline

CONFIGURATION = Path(docpipe_assets.__file__).parent.parent / "dagster.yaml"


def select(stack: Stack, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements in PostgreSQL outside Dagster; returns the rows of the last one."""
    connection = psycopg2.connect(stack.endpoints.postgres_url.replace("+psycopg2", ""))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def sessions_so_far(stack: Stack) -> int:
    [(sessions,)] = select(
        stack,
        "SELECT pg_stat_force_next_flush()",
        "SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'",
    )
    return int(sessions)


@pytest.fixture
def instance(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as made:
        yield made


def events_of(stack: Stack, run_id: str) -> list[tuple[str, str | None]]:
    """The events of a run in the order in which they were written."""
    statement = "SELECT dagster_event_type, step_key FROM event_logs WHERE run_id = '{}' ORDER BY id"
    return [(kind, step) for kind, step in select(stack, statement.format(run_id))]


def test_without_a_stack_dagster_uses_sqlite_and_its_default_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCPIPE_POSTGRES_URL", raising=False)
    monkeypatch.delenv("DOCPIPE_BROKER_URL", raising=False)
    monkeypatch.setenv("DOCPIPE_DATA_DIR", str(tmp_path / "data"))
    shutil.copy(CONFIGURATION, tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_launcher, dg.DefaultRunLauncher)
        instance.add_dynamic_partitions("documents", ["a.pdf"])
    assert list((tmp_path / "data" / "sqlite").rglob("index.db"))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_dynamic_partitions("documents") == ["a.pdf"]


@pytest.mark.parametrize(("workers", "at_least"), [(0, 2), (2, 4), (12, 14)])
def test_the_stack_starts_as_many_runs_as_it_has_workers(tmp_path: Path, workers: int, at_least: int) -> None:
    copy_instance_configuration(CONFIGURATION, tmp_path, workers)
    ours, copy = (yaml.safe_load(path.read_text()) for path in (CONFIGURATION, tmp_path / "dagster.yaml"))
    assert copy["run_coordinator"]["config"].pop("max_concurrent_runs") >= at_least
    ours["run_coordinator"]["config"].pop("max_concurrent_runs")
    assert copy == ours


def test_many_instances_of_a_process_share_a_few_connections(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    before = sessions_so_far(stack)
    for number in range(20):
        with dg.DagsterInstance.get() as instance:
            assert isinstance(instance.run_launcher, DocumentRunLauncher)
            instance.add_dynamic_partitions("shared", [f"{number}.pdf"])
            assert instance.get_runs(limit=1) is not None
    assert instance.get_dynamic_partitions("shared") == [f"{number}.pdf" for number in range(20)]
    # Dagster's own storage would use more than a hundred; the daemon may open some meanwhile.
    assert sessions_so_far(stack) - before < 20


def test_postgres_accepts_the_longest_possible_partition_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its indexes reject long values: 1,024 percent-encoded bytes must fit after compression."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    choice = random.Random(1)
    awkward = [chr(code) for code in range(0x80, 0xA0)]
    key = partition_key("".join(choice.choices(awkward, k=510)) + ".pdf")
    assert len(key) > 3000

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="odd"))
    def odd() -> None: ...

    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("odd", [key])
        made = dg.materialize([odd], partition_key=key, instance=instance)
        (run,) = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": key}))
        assert run.run_id == made.run_id
        assert instance.get_materialized_partitions(dg.AssetKey("odd")) == {key}


def test_the_stock_storage_does_not_share_connections(stack: Stack) -> None:
    """The reason for docpipe's own storage: if this test fails, it is no longer needed."""
    before = sessions_so_far(stack)
    for _ in range(20):
        storage = DagsterPostgresStorage(stack.endpoints.postgres_url)
        storage.run_storage.get_runs(limit=1)
        storage.event_log_storage.get_dynamic_partitions("shared")
    assert sessions_so_far(stack) - before > 60


def test_a_connection_closed_by_the_server_is_replaced_before_use(
    stack: Stack, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("closed", ["before.pdf"])
    [(ended,)] = select(
        stack,
        """SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()""",
    )
    assert ended > 0
    instance.add_dynamic_partitions("closed", ["after.pdf"])
    assert instance.get_dynamic_partitions("closed") == ["before.pdf", "after.pdf"]


def test_events_are_written_in_batches_complete_and_in_order(
    stack: Stack, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("documents", ["events.pdf"])
    job = defs.resolve_job_def("one_document")
    result = job.execute_in_process(instance=instance, partition_key="events.pdf")
    written = events_of(stack, result.run_id)
    emitted = [(event.event_type_value, event.step_key) for event in result.all_events]
    assert [pair for pair in written if pair in emitted] == emitted, (
        "in the order in which Dagster emitted them"
    )
    assert [kind for kind, _ in written].count("ASSET_MATERIALIZATION_PLANNED") == len(NAMES)
    for name in NAMES:
        own = [kind for kind, step in written if step == name and "PLANNED" not in kind]
        assert own == ["STEP_START", "STEP_OUTPUT", "ASSET_MATERIALIZATION", "STEP_SUCCESS"]
    records = instance.get_asset_records([dg.AssetKey(name) for name in NAMES])
    assert {record.asset_entry.last_run_id for record in records} == {result.run_id}


def test_run_monitoring_ignores_a_run_that_a_script_executes(instance: dg.DagsterInstance) -> None:
    found = []

    @dg.op
    def reads(context: dg.OpExecutionContext) -> None:
        found.append(instance.run_launcher.check_run_worker_health(context.run).status.value)

    @dg.job(executor_def=dg.in_process_executor)
    def reading_job() -> None:
        reads()

    assert reading_job.execute_in_process(instance=instance).success
    assert found == ["RUNNING"]


def test_the_start_of_a_step_is_written_before_it_executes(
    stack: Stack, instance: dg.DagsterInstance
) -> None:
    seen: list[tuple[str, str | None]] = []

    @dg.op
    def reads(context: dg.OpExecutionContext) -> int:
        seen.extend(events_of(stack, context.run.run_id))
        return 1

    @dg.job(executor_def=dg.in_process_executor)
    def reading_job() -> None:
        reads()

    assert reading_job.execute_in_process(instance=instance).success
    assert seen[-1] == ("STEP_START", "reads")


def test_events_that_could_not_be_written_are_written_with_the_next(
    stack: Stack, instance: dg.DagsterInstance
) -> None:
    run = instance.create_run_for_job(defs.resolve_job_def("one_document"))
    select(stack, "ALTER TABLE event_logs RENAME TO event_logs_away", "SELECT 1")
    try:
        with pytest.raises(ProgrammingError, match="event_logs"):
            instance.report_engine_event("during the outage", run)
    finally:
        select(stack, "ALTER TABLE event_logs_away RENAME TO event_logs", "SELECT 1")
    instance.report_engine_event("after it", run)
    messages = [entry.message for entry in instance.all_logs(run.run_id)]
    assert messages[-2:] == ["during the outage", "after it"]
    assert len([text for text in messages if "intends to materialize" in text]) == len(NAMES)
