"""The Celery application that delivers runs from Dagster's queue to a worker."""

from celery import Celery
from kombu.entity import Exchange, Queue

from docpipe_assets.lanes import CORPUS, LANES, STANDARD


def make_app(broker_url: str) -> Celery:
    """The application of the launcher and of the workers; the broker is also the result backend.

    A run is acknowledged when it starts, not when it ends, and a worker prefetches no more than it has free
    slots. So a message is either at the broker or belongs to a started run: a killed worker leaves nothing to
    redeliver, run monitoring marks its run as failed, and the visibility timeout need not exceed the longest
    run. If a message is delivered twice anyway (a worker died between taking and starting it), Dagster
    ignores the second start of the run.
    """
    exchange = Exchange("docpipe", type="topic")  # type: ignore[no-untyped-call]  # kombu has no types
    app = Celery("docpipe", broker=broker_url, backend=broker_url)
    app.conf.update(
        # dagster_celery routes by "<queue>.<task>".
        task_queues=[
            Queue(lane, exchange, routing_key=f"{lane}.#")  # type: ignore[no-untyped-call]  # likewise
            for lane in (*LANES, CORPUS)
        ],
        task_default_queue=STANDARD,
        task_default_exchange=exchange.name,
        task_default_exchange_type=exchange.type,
        task_default_routing_key=f"{STANDARD}.task",
        task_acks_late=False,
        task_track_started=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        # A restart of the broker must not cancel the documents in progress.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"visibility_timeout": 600},
        # Run monitoring queries the result of every run in progress.
        result_expires=30 * 24 * 3600,
        worker_send_task_events=False,
        # Dagster's log lines are written unchanged, not wrapped in Celery's.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app
