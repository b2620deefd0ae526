"""The assets that hold no artifact: what breakers did and what people decided, as events to look at."""

import dagster as dg

from docpipe_assets.defs.partitions import documents
from docpipe_assets.instance.records.names import BATCH_PRIORITY, BREAKER

breaker = dg.AssetSpec(
    BREAKER,
    group_name="operations",
    partitions_def=documents,
    kinds={"breaker"},
    description=(
        "Who is held back and why. The page of a document's partition shows the state of its breaker, as the "
        "intake sensor told it whenever it opened or closed; a partition without a materialization never had "
        "an open one. The events show all of it one after the other, with the resets and withdrawals, and "
        "the breakers of stages, which have no partition. Holds back automation only; a run that a person "
        "launches always runs. Look at `state`, `reason` and `next_attempt`; reset with the job "
        "`reset_breakers` or `docpipe breaker reset`."
    ),
)

batch_priority = dg.AssetSpec(
    BATCH_PRIORITY,
    group_name="operations",
    kinds={"queue"},
    description=(
        "Which batches go before or after the others, as people said with `docpipe ingest --priority`: the "
        "newest event of a batch holds, and what already waits in the queue keeps the priority it came with."
    ),
)
