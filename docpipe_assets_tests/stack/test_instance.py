"""Dagster's instance as the top-level dagster.yaml describes it, with and without the stack."""

import random
import shutil
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
import yaml
from dagster_postgres import DagsterPostgresStorage

import docpipe_assets
from docpipe_assets.defs.run_launcher import DocumentRunLauncher
from docpipe_assets.identity import partition_key
from docpipe_assets.stack import Stack
from docpipe_assets.stack.workspace import copy_instance_configuration

pytestmark = pytest.mark.pipeline

CONFIGURATION = Path(docpipe_assets.__file__).parent.parent / "dagster.yaml"


def sessions_so_far(stack: Stack) -> int:
    connection = psycopg2.connect(stack.endpoints.postgres_url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'")
            [(sessions,)] = cursor.fetchall()
            return int(sessions)
    finally:
        connection.close()


def test_without_a_stack_runs_are_kept_in_sqlite_and_launched_by_dagster_itself(
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
def test_the_stack_lets_as_many_runs_begin_as_it_has_workers(
    tmp_path: Path, workers: int, at_least: int
) -> None:
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
    # Of Dagster's own storage it would be more than a hundred; the daemon's may open some meanwhile.
    assert sessions_so_far(stack) - before < 20


def test_postgres_takes_the_longest_partition_key_that_there_can_be(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its indexes refuse long values: 1,024 bytes that are all percent-encoded have to fit once packed."""
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


def test_the_stock_storage_would_not_share_them(stack: Stack) -> None:
    """The reason for docpipe's own storage: when this fails, it is no longer needed."""
    before = sessions_so_far(stack)
    for _ in range(20):
        storage = DagsterPostgresStorage(stack.endpoints.postgres_url)
        storage.run_storage.get_runs(limit=1)
        storage.event_log_storage.get_dynamic_partitions("shared")
    assert sessions_so_far(stack) - before > 60
