"""Dagster's storage: Postgres with connections and lookups kept per process, or SQLite.

The stock Postgres storage connects anew for every statement and asks for the same tables dozens
of times a run. Keeping both is a third of a run's cost, and there is no public way to ask for
it; this is the one file that leans on Dagster's internals.
"""

import os
import time
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy
from dagster._config import UserConfigSchema  # the type of a configurable class's schema
from dagster._core.storage.base_storage import DagsterStorage  # what dagster.yaml's `storage` must be
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage  # the default storage has no other name
from dagster._serdes import ConfigurableClass, ConfigurableClassData  # how dagster.yaml finds a class
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from sqlalchemy import event

from docpipe_assets.settings import read_settings

_PARTITION_SECONDS: Final = 30
"""How long a partition that was there may be taken to be there still."""


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
            # Postgres may have been restarted since a connection was used last.
            pool_pre_ping=True,
        )
        self.tables: set[str] = set()
        self.run_migrations: dict[str, bool] = {}
        self.event_migrations: dict[str, bool] = {}

    def limit_statements(self, milliseconds: int) -> None:
        """A page of the UI must not keep Postgres busy for ever."""

        def set_timeout(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {milliseconds:d}")

        event.listen(self.engine, "connect", set_timeout)
        self.engine.dispose()


_POOLS: Final[dict[tuple[int, str], _Pool]] = {}


class _PooledRuns(PostgresRunStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # else NullPool: a connection a statement
        self._index_migration_cache = pool.run_migrations  # else asked for anew by every instance
        self._pool = pool

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        # The stock one makes a pool that does not notice a restarted Postgres.
        self._pool.limit_statements(statement_timeout)


class _PooledEventLog(PostgresEventLogStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # as above
        self._secondary_index_cache = pool.event_migrations  # as above
        self._tables = pool.tables
        self._partitions: dict[tuple[str, str], float] = {}

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Asked some seventy times a run, always of the run's own partition."""
        asked = (partitions_def_name, partition_key)
        if self._partitions.get(asked, 0) < time.monotonic() - _PARTITION_SECONDS:
            if not super().has_dynamic_partition(partitions_def_name, partition_key):
                return False
            self._partitions = {asked: time.monotonic()}
        return True

    def has_table(self, table_name: str) -> bool:
        """Tables are never dropped: one that was seen is there."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Nothing more: the three storages share the pool."""


class _PooledSchedules(PostgresScheduleStorage):
    def __init__(self, postgres_url: str, pool: _Pool) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._engine = pool.engine  # as above

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Nothing more: the three storages share the pool."""
