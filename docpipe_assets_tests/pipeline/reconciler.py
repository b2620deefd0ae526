"""Intake in a separate process that is killed: one tick, executed step by step until then.

    python -m docpipe_assets_tests.pipeline.reconciler 7

It does what Dagster's daemon does with the result of the sensor: it registers partitions, then requests runs;
but one key after the other, and it is killed after the given number of keys. It never reaches its requests.
"""

import os
import signal
import sys

import dagster as dg

from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import read_settings


def main(registrations: int) -> None:
    settings = read_settings()
    with (
        dg.DagsterInstance.get() as instance,
        dg.build_sensor_context(
            instance=instance, resources={"pipeline": DocumentPipeline(settings)}
        ) as context,
    ):
        answer = intake_sensor(settings)(context)
        assert isinstance(answer, dg.SensorResult)
        keys = [key for one in answer.dynamic_partitions_requests or () for key in one.partition_keys]
        print(f"{len(keys)} to register, {len(answer.run_requests or ())} runs to request", flush=True)
        for key in keys[:registrations]:
            instance.add_dynamic_partitions(documents.name or "", [key])
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
