"""Assets without an artifact: breaker changes and interventions of users, shown as events."""

import dagster as dg

from docpipe_assets.defs.partitions import documents
from docpipe_assets.instance.records.names import BATCH_PRIORITY, BREAKER

breaker = dg.AssetSpec(
    BREAKER,
    group_name="operations",
    partitions_def=documents,
    kinds={"breaker"},
    description=(
        "The circuit breakers. The partition page of a document shows the state of its breaker, as reported "
        "by the intake sensor whenever it opened or closed; a partition without a materialization never had "
        "an open breaker. The event log lists all changes in order, including resets and withdrawals, and "
        "the breakers of stages, which have no partition. A breaker blocks automatic runs only, never a run "
        "that a person launches. Check `state`, `reason` and `next_attempt`; reset it with the job "
        "`reset_breakers` or `docpipe breaker reset`."
    ),
)

batch_priority = dg.AssetSpec(
    BATCH_PRIORITY,
    group_name="operations",
    kinds={"queue"},
    description=(
        "The queue priorities of batches, as set with `docpipe ingest --priority`: the latest event of a "
        "batch applies, and queued runs keep the priority that they were queued with."
    ),
)
