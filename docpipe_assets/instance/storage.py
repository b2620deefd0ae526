"""Dagster's storage: Postgres with connections and lookups kept per process, or SQLite.

The stock Postgres storage connects anew for every statement, asks for the same tables and columns
dozens of times a run and writes every event by itself. What is here instead halves the cost of a
run. There is no public way to get it: ``dagster_internals`` lists the private names that this takes.
"""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, Final

import sqlalchemy
from dagster import AssetKey, DagsterEventType, DagsterRun, EventLogEntry, EventLogRecord
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from docpipe_assets.instance.dagster_internals import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    PIPELINE_EVENTS,
    AssetEntry,
    AssetRecord,
    ConfigurableClass,
    ConfigurableClassData,
    DagsterSqliteStorage,
    DagsterStorage,
    EventLogConnection,
    SqlEventLogStorageTable,
    UserConfigSchema,
)
from docpipe_assets.settings import read_settings

_PARTITION_SECONDS: Final = 30
"""How long a partition that was there may be taken to be there still."""
_IDLE_SECONDS: Final = 30
"""A connection that was used since is not asked whether its server is there: the kernel would know."""
_SNAPSHOTS: Final = 50
_EVENTS_AT_HAND: Final = 100
_FOLLOWED_AT_ONCE: Final = frozenset(
    {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        DagsterEventType.RESOURCE_INIT_STARTED,
        DagsterEventType.RESOURCE_INIT_SUCCESS,
        DagsterEventType.LOGS_CAPTURED,
        DagsterEventType.LOADED_INPUT,
        DagsterEventType.STEP_INPUT,
        DagsterEventType.HANDLED_OUTPUT,
        DagsterEventType.STEP_SUCCESS,
    }
)
"""Events after which the run does nothing before its next event: they are written together with that
one. An event after which it works, waits or ends is written at once, with those that wait for it."""


class InstanceStorage(DagsterStorage, ConfigurableClass):
    """Stands in dagster.yaml and becomes the storage that the settings call for."""

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return None

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # a storage, though not a subclass of this one
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        settings = read_settings()
        if settings.postgres_url is None:
            sqlite_dir = settings.data_dir.absolute() / "sqlite"
            return DagsterSqliteStorage.from_local(str(sqlite_dir), inst_data)
        return PooledPostgresStorage(settings.postgres_url.get_secret_value(), inst_data)


class PooledPostgresStorage(DagsterPostgresStorage):
    """Postgres storage whose instances share one pool of connections per process."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        # Connections must not cross a fork, so the pool belongs to the process that asks.
        key = (os.getpid(), postgres_url)
        pool = _POOLS.get(key)
        # The tables are looked for once, and then no more for every run.
        super().__init__(postgres_url, should_autocreate_tables=pool is None, inst_data=inst_data)
        if pool is None:
            pool = _POOLS[key] = _Pool(postgres_url)
        # The attributes behind the public properties: there is no other way to choose the classes.
        self._run_storage = _PooledRuns(postgres_url, pool)
        self._event_log_storage = _PooledEventLog(postgres_url, pool)
        self._schedule_storage = _PooledSchedules(postgres_url, pool)


class _Pool:
    """What may outlive one Dagster instance in this process."""

    def __init__(self, postgres_url: str) -> None:
        self.engine = sqlalchemy.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",  # as Dagster's own engines
            pool_size=4,
            max_overflow=28,
            pool_use_lifo=True,
            pool_recycle=3600,
        )
        event.listen(self.engine, "checkout", self._look_at)
        self._seen: set[str] = set()
        self.asset_ids: dict[AssetKey, int] = {}
        self.snapshots: dict[str, Any] = {}
        self.run_migrations: dict[str, bool] = {}
        self.event_migrations: dict[str, bool] = {}

    def has(self, what: str, ask: Callable[[], bool]) -> bool:
        """Tables, columns, migrations and snapshots never go: one that was seen is there."""
        if what not in self._seen and ask():
            self._seen.add(what)
        return what in self._seen

    def limit_statements(self, milliseconds: int) -> None:
        """A page of the UI must not keep Postgres busy for ever."""

        def set_timeout(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {milliseconds:d}")

        event.listen(self.engine, "connect", set_timeout)
        self.engine.dispose()

    def _look_at(self, connection: Any, record: Any, _: Any) -> None:
        """Postgres may have been restarted since a connection was used last.

        SQLAlchemy's own way to notice is a statement before each statement, a tenth of a run's cost.
        When a server ends, the kernel marks its connections as readable; only then, and after a pause in
        which a firewall may have forgotten the connection, is there something to ask.
        """
        now = time.monotonic()
        is_fresh = now - record.info.get("used_at", 0.0) < _IDLE_SECONDS
        record.info["used_at"] = now
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if is_fresh and not poll.poll(0):
            return
        try:
            self.engine.dialect.do_ping(connection)
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the server has closed the connection") from error


_POOLS: Final[dict[tuple[int, str], _Pool]] = {}


class _PooledRuns(PostgresRunStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # else NullPool: a connection a statement
        self._index_migration_cache = pool.run_migrations  # else asked for anew by every instance
        self._pool = pool
        self._of_thread = threading.local()

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        with self._transaction():
            return super().add_run(dagster_run)

    def add_historical_run(self, dagster_run: DagsterRun, run_creation_time: datetime) -> DagsterRun:
        with self._transaction():
            return super().add_historical_run(dagster_run, run_creation_time)

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        with self._transaction():
            super().add_run_tags(run_id, new_tags)

    def connect(self) -> AbstractContextManager[sqlalchemy.Connection]:
        open_already = getattr(self._of_thread, "connection", None)
        return super().connect() if open_already is None else nullcontext(open_already)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what this thread writes in here at once.

        The stock storage commits a run before its tags. A daemon that is killed between the two leaves a
        run that it takes up again when it is back, and that no filter by tag finds: no ledger of its batch,
        no limit of its lane.
        """
        with super().connect() as connection:
            self._of_thread.connection = connection
            try:
                with connection.execution_options(isolation_level="READ COMMITTED").begin():
                    yield
            finally:
                del self._of_thread.connection

    def has_run_stats_index_cols(self) -> bool:
        return self._pool.has("run stats", super().has_run_stats_index_cols)

    def has_backfill_id_column(self) -> bool:
        return self._pool.has("backfill id", super().has_backfill_id_column)

    def _has_snapshot_id(self, snapshot_id: str) -> bool:
        return self._pool.has(snapshot_id, lambda: super(_PooledRuns, self)._has_snapshot_id(snapshot_id))

    def _get_snapshot(self, snapshot_id: str) -> Any:
        """All documents have the same job and plan. What is stored under a hash never changes."""
        kept = self._pool.snapshots
        if snapshot_id not in kept:
            found = super()._get_snapshot(snapshot_id)
            if found is None:
                return None
            if len(kept) >= _SNAPSHOTS:
                kept.clear()
            kept[snapshot_id] = found
        return kept[snapshot_id]

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        # The stock one makes a pool that does not notice a restarted Postgres.
        self._pool.limit_statements(statement_timeout)


class _PooledEventLog(PostgresEventLogStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # as above
        self._secondary_index_cache = pool.event_migrations  # as above
        self._pool = pool
        self._partitions: dict[tuple[str, str], float] = {}
        self._at_hand: list[EventLogEntry] = []
        self._writing = threading.RLock()
        self._made: dict[AssetKey, EventLogRecord] = {}
        """By the run at work. Two runs of one document never are, so nobody else makes them meanwhile."""

    def store_event(self, event: EventLogEntry) -> None:
        """As the stock storage, save that events that follow each other at once are one statement, and
        without a NOTIFY for each, which nobody listens to any more.
        """
        with self._writing:
            self._at_hand.append(event)
            kind = event.dagster_event_type
            if kind not in _FOLLOWED_AT_ONCE or len(self._at_hand) >= _EVENTS_AT_HAND:
                self._write_what_is_at_hand()

    def _write_what_is_at_hand(self) -> None:
        with self._writing:
            events = list(self._at_hand)
            if not events:
                return
            id_column = SqlEventLogStorageTable.c.id
            statement = SqlEventLogStorageTable.insert().returning(
                id_column, sort_by_parameter_order=len(events) > 1
            )
            with self.run_connection() as connection:
                rows = [self._event_to_row(event) for event in events]
                ids = connection.execute(statement, rows).scalars().all()
            self._at_hand.clear()  # not sooner: what could not be written is written with the next event
        self._index(list(zip(events, ids, strict=True)))

    def _index(self, written: list[tuple[EventLogEntry, int]]) -> None:
        """What the stock storage does for events of assets and checks, after writing them."""
        of_assets = [pair for pair in written if pair[0].dagster_event_type in ASSET_EVENTS]
        if of_assets:
            with self.index_transaction() as connection:
                for event, event_id in of_assets:
                    self._store_asset_event_tags(connection, [event], [event_id])
                    self._store_asset_event(connection, event, event_id)
        for event, event_id in written:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, event_id)
            elif event.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION and event.run_id:
                self._note_made(event, event_id)
            elif event.dagster_event_type in PIPELINE_EVENTS:
                self._made.clear()  # a run begins or ends: from now on others may make them

    def _note_made(self, event: EventLogEntry, event_id: int) -> None:
        made = event.asset_materialization
        if made is not None and made.partition is not None:
            self._made[made.asset_key] = EventLogRecord(event_id, event)

    def get_latest_tags_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """Asked for the data version of each input, which as a rule the run at work has just made."""
        record = self._made.get(asset_key)
        made = record.asset_materialization if record else None
        if (
            made is not None
            and event_type is DagsterEventType.ASSET_MATERIALIZATION
            and list(asset_partitions or ()) == [made.partition]
            and before_cursor is after_cursor is None
        ):
            known = made.tags or {}
            return {str(made.partition): {key: known[key] for key in tag_keys if key in known}}
        return super().get_latest_tags_by_partition(
            asset_key, event_type, tag_keys, asset_partitions, before_cursor, after_cursor
        )

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """Asked for the newest materialization of each input: that of the run at work, where it made one."""
        if asset_keys and all(key in self._made and key in self._pool.asset_ids for key in asset_keys):
            return [self._record_of(key, self._made[key]) for key in asset_keys]
        records = super().get_asset_records(asset_keys)
        for record in records:
            self._pool.asset_ids[record.asset_entry.asset_key] = record.storage_id
        return records

    def _record_of(self, key: AssetKey, made: EventLogRecord) -> AssetRecord:
        entry = AssetEntry(asset_key=key, last_materialization_record=made, last_run_id=made.run_id)
        return AssetRecord(storage_id=self._pool.asset_ids[key], asset_entry=entry)

    def get_records_for_run(self, *arguments: Any, **named: Any) -> EventLogConnection:
        self._write_what_is_at_hand()
        return super().get_records_for_run(*arguments, **named)

    def dispose(self) -> None:
        self._write_what_is_at_hand()
        super().dispose()

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Asked some seventy times a run, always of the run's own partition."""
        asked = (partitions_def_name, partition_key)
        if self._partitions.get(asked, 0) < time.monotonic() - _PARTITION_SECONDS:
            if not super().has_dynamic_partition(partitions_def_name, partition_key):
                return False
            self._partitions = {asked: time.monotonic()}
        return True

    def has_table(self, table_name: str) -> bool:
        return self._pool.has(
            f"table {table_name}", lambda: super(_PooledEventLog, self).has_table(table_name)
        )

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._pool.has(
            f"column {column_name}", lambda: super(_PooledEventLog, self).has_asset_key_col(column_name)
        )

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Nothing more: the three storages share the pool."""


class _PooledSchedules(PostgresScheduleStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # as above
        self._pool = pool

    def has_built_index(self, migration_name: str) -> bool:
        return self._pool.has(
            f"index {migration_name}", lambda: super(_PooledSchedules, self).has_built_index(migration_name)
        )

    def _has_instigators_table(self, conn: sqlalchemy.Connection) -> bool:
        return self._pool.has(
            "instigators", lambda: super(_PooledSchedules, self)._has_instigators_table(conn)
        )

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Nothing more: the three storages share the pool."""
