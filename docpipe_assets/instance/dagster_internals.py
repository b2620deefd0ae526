"""All private names of Dagster that docpipe uses, each with the reason; no other module imports one.

docpipe pins Dagster below its next minor release because of them. Before raising the pin, review the list,
then run ``stack/test_pooled_storage.py``, which compares the pooled storage with the stock one row by row.
"""

# What Dagster's run workers call to execute a run in their own process.
from dagster._cli.api import _execute_run_command_body as execute_run_command

# Return type of ``config_type``, which every class named in dagster.yaml must have.
from dagster._config import UserConfigSchema

# The events that have tables of their own, and those that start and end a run.
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, PIPELINE_EVENTS

# A run launcher's base class, its argument, and its answers to run monitoring.
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus

# The base class of the class configured under ``storage`` in dagster.yaml.
from dagster._core.storage.base_storage import DagsterStorage

# Return types of the storage for event and asset queries.
from dagster._core.storage.event_log.base import AssetEntry, AssetRecord, EventLogConnection

# The event table, for inserting several rows with one statement.
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

# Configured in dagster.yaml: capturing the output of a run would start four processes.
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

# Dagster's default storage, for a deployment without Postgres.
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

# The message of a run launcher to the process that executes the run.
from dagster._grpc.types import ExecuteRunArgs

# How dagster.yaml loads a class, and how that message is deserialized.
from dagster._serdes import ConfigurableClass, ConfigurableClassData, unpack_value

# Not documented, though released in step with Dagster (dagster-io/dagster#32915).
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

__all__ = [
    "ASSET_CHECK_EVENTS",
    "ASSET_EVENTS",
    "DAGSTER_CELERY_TASK_ID_TAG",
    "PIPELINE_EVENTS",
    "PRIVATE_ATTRIBUTES",
    "TASK_EXECUTE_JOB_NAME",
    "AssetEntry",
    "AssetRecord",
    "CeleryRunLauncher",
    "CheckRunHealthResult",
    "ConfigurableClass",
    "ConfigurableClassData",
    "DagsterSqliteStorage",
    "DagsterStorage",
    "EventLogConnection",
    "ExecuteRunArgs",
    "LaunchRunContext",
    "NoOpComputeLogManager",
    "RunLauncher",
    "SqlEventLogStorageTable",
    "UserConfigSchema",
    "WorkerStatus",
    "execute_run_command",
    "unpack_value",
]

PRIVATE_ATTRIBUTES = {
    "DagsterPostgresStorage": {
        "_run_storage": "replaced by the pooled run storage; the property has no setter",
        "_event_log_storage": "replaced by the pooled event log",
        "_schedule_storage": "replaced by the pooled schedule storage",
    },
    "PostgresRunStorage": {
        "_engine": "replaced by the shared pool; the stock one opens a connection for each statement",
        "_index_migration_cache": "shared by all instances of a process; else read again by each",
        "_has_snapshot_id": "a snapshot that was there stays there: one statement less for each run",
        "_get_snapshot": "all documents have the same job and plan: read once for each process",
    },
    "PostgresEventLogStorage": {
        "_engine": "replaced by the shared pool",
        "_secondary_index_cache": "shared by all instances of a process",
        "_event_to_row": "makes the row of an event, for inserting several with one statement",
        "_store_asset_event": "writes what the stock storage writes beside an asset's event",
        "_store_asset_event_tags": "likewise, the tags of the event",
    },
    "PostgresScheduleStorage": {
        "_engine": "replaced by the shared pool",
        "_has_instigators_table": "a table that was there stays there",
    },
    "CeleryRunLauncher": {"_instance": "the only way from a launcher to its instance"},
    "QueuedRunCoordinator": {"_instance": "the only way from a coordinator to its instance"},
}
"""Private attributes of Dagster's classes that our subclasses read, set or override, with the reasons.

Keyed by Dagster class. ``stack/test_pooled_storage.py`` fails if one is missing from Dagster or from this
list.
"""
