"""Dagster's storage: Postgres with connections and lookups cached per process, or SQLite.

The stock Postgres storage opens a connection for every statement, checks the same tables and columns dozens
of times per run, and writes every event separately. This storage halves the cost of a run. There is no public
interface for it: ``dagster_internals`` lists the private names that it uses.
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

_PARTITION_CACHE_SECONDS: Final = 30
"""Lifetime of a cached positive answer to whether a partition exists."""
_IDLE_SECONDS: Final = 30
"""A connection that was used within this time is not pinged: the kernel would have marked it."""
_SNAPSHOTS_MAX: Final = 50
_BUFFERED_EVENTS_MAX: Final = 100
_BUFFERED_EVENT_TYPES: Final = frozenset(
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
"""Events after which the run does nothing before its next event: they are written together with it. An event
after which the run works, waits or ends is written immediately, with the buffered ones."""


class InstanceStorage(DagsterStorage, ConfigurableClass):
    """Configured in dagster.yaml; creates the storage that the settings select."""

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
        # Connections must not cross a fork, so each process has its own pool.
        key = (os.getpid(), postgres_url)
        pool = _POOLS.get(key)
        # The tables are created or checked once per process, not for every run.
        super().__init__(postgres_url, should_autocreate_tables=pool is None, inst_data=inst_data)
        if pool is None:
            pool = _POOLS[key] = _Pool(postgres_url)
        # The attributes behind the public properties: there is no other way to select the classes.
        self._run_storage = _PooledRuns(postgres_url, pool)
        self._event_log_storage = _PooledEventLog(postgres_url, pool)
        self._schedule_storage = _PooledSchedules(postgres_url, pool)


class _Pool:
    """State that outlives a Dagster instance within this process."""

    def __init__(self, postgres_url: str) -> None:
        self.engine = sqlalchemy.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",  # as Dagster's own engines
            pool_size=4,
            max_overflow=28,
            pool_use_lifo=True,
            pool_recycle=3600,
        )
        event.listen(self.engine, "checkout", self._validate_connection)
        self._seen: set[str] = set()
        self.asset_ids: dict[AssetKey, int] = {}
        self.snapshots: dict[str, Any] = {}
        self.run_migrations: dict[str, bool] = {}
        self.event_migrations: dict[str, bool] = {}

    def has(self, what: str, ask: Callable[[], bool]) -> bool:
        """Whether something exists; a positive answer is cached, because tables, columns, migrations and
        snapshots are never removed.
        """
        if what not in self._seen and ask():
            self._seen.add(what)
        return what in self._seen

    def limit_statements(self, milliseconds: int) -> None:
        """Limit the duration of statements: a page of the UI must not block Postgres indefinitely."""

        def set_timeout(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {milliseconds:d}")

        event.listen(self.engine, "connect", set_timeout)
        self.engine.dispose()

    def _validate_connection(self, connection: Any, record: Any, _: Any) -> None:
        """Validate a connection: Postgres may have been restarted since it was last used.

        SQLAlchemy's own check is a statement before each statement, a tenth of the cost of a run. When a
        server closes its connections, the kernel marks them as readable. Only then, and after an idle time in
        which a firewall may have dropped the connection, is a ping needed.
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
        self._engine = pool.engine  # the stock NullPool opens a connection per statement
        self._index_migration_cache = pool.run_migrations  # the stock cache is per instance
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
        """All documents have the same job and plan. The content stored under a hash never changes."""
        kept = self._pool.snapshots
        if snapshot_id not in kept:
            found = super()._get_snapshot(snapshot_id)
            if found is None:
                return None
            if len(kept) >= _SNAPSHOTS_MAX:
                kept.clear()
            kept[snapshot_id] = found
        return kept[snapshot_id]

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        # The stock method creates a pool that does not detect a restart of Postgres.
        self._pool.limit_statements(statement_timeout)


class _PooledEventLog(PostgresEventLogStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # as above
        self._secondary_index_cache = pool.event_migrations  # as above
        self._pool = pool
        self._partitions: dict[tuple[str, str], float] = {}
        self._buffer: list[EventLogEntry] = []
        self._write_lock = threading.RLock()
        self._materialized: dict[AssetKey, EventLogRecord] = {}
        """Materializations of the current run. Two runs of one document are never concurrent, so no other run
        adds any."""

    def store_event(self, event: EventLogEntry) -> None:
        """As the stock storage, except that consecutive events are written by one statement, and without a
        NOTIFY per event, which has no listeners any more.
        """
        with self._write_lock:
            self._buffer.append(event)
            kind = event.dagster_event_type
            if kind not in _BUFFERED_EVENT_TYPES or len(self._buffer) >= _BUFFERED_EVENTS_MAX:
                self._flush()

    def _flush(self) -> None:
        with self._write_lock:
            events = list(self._buffer)
            if not events:
                return
            id_column = SqlEventLogStorageTable.c.id
            statement = SqlEventLogStorageTable.insert().returning(
                id_column, sort_by_parameter_order=len(events) > 1
            )
            with self.run_connection() as connection:
                rows = [self._event_to_row(event) for event in events]
                ids = connection.execute(statement, rows).scalars().all()
            self._buffer.clear()  # not earlier: events that were not written are written with the next one
        self._index(list(zip(events, ids, strict=True)))

    def _index(self, written: list[tuple[EventLogEntry, int]]) -> None:
        """The part of the stock storage's ``store_event`` that follows the insert, for asset and check
        events.
        """
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
                self._cache_materialization(event, event_id)
            elif event.dagster_event_type in PIPELINE_EVENTS:
                self._materialized.clear()  # a run starts or ends: other runs may materialize them now

    def _cache_materialization(self, event: EventLogEntry, event_id: int) -> None:
        made = event.asset_materialization
        if made is not None and made.partition is not None:
            self._materialized[made.asset_key] = EventLogRecord(event_id, event)

    def get_latest_tags_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """Called for the data version of each input, which the current run has usually just materialized."""
        record = self._materialized.get(asset_key)
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
        """Called for the latest materialization of each input: that of the current run, if it made one."""
        if asset_keys and all(
            key in self._materialized and key in self._pool.asset_ids for key in asset_keys
        ):
            return [self._record_of(key, self._materialized[key]) for key in asset_keys]
        records = super().get_asset_records(asset_keys)
        for record in records:
            self._pool.asset_ids[record.asset_entry.asset_key] = record.storage_id
        return records

    def _record_of(self, key: AssetKey, made: EventLogRecord) -> AssetRecord:
        entry = AssetEntry(asset_key=key, last_materialization_record=made, last_run_id=made.run_id)
        return AssetRecord(storage_id=self._pool.asset_ids[key], asset_entry=entry)

    def get_records_for_run(self, *arguments: Any, **named: Any) -> EventLogConnection:
        self._flush()
        return super().get_records_for_run(*arguments, **named)

    def dispose(self) -> None:
        self._flush()
        super().dispose()

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Called about seventy times per run, always for the partition of the run."""
        asked = (partitions_def_name, partition_key)
        if self._partitions.get(asked, 0) < time.monotonic() - _PARTITION_CACHE_SECONDS:
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
        """Nothing to do: the three storages share the pool."""


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
        """Nothing to do: the three storages share the pool."""
