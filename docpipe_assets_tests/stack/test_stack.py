"""The complete local stack: real services, a run through the queue, and services that die."""

import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg2
import pytest
import redis

from docpipe_assets.stack import Stack, StackError, running_environment
from docpipe_assets_tests.stack.graphql import Graphql
from docpipe_assets_tests.stack.tiny_definitions import NAMES

pytestmark = pytest.mark.pipeline


def s3(stack: Stack, *, aws_secret_access_key: str | None = None) -> Any:
    endpoints = stack.endpoints
    return boto3.client(
        "s3",
        endpoint_url=endpoints.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=endpoints.s3_access_key_id,
        aws_secret_access_key=aws_secret_access_key or endpoints.s3_secret_access_key,
    )


def select(url: str, statement: str) -> Any:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def wait_for(path: Path, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} did not appear within {seconds} s"
        time.sleep(0.05)
    return path.read_text()


def family(pid: int) -> set[int]:
    return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}


def test_every_service_responds(stack: Stack) -> None:
    assert {bucket["Name"] for bucket in s3(stack).list_buckets()["Buckets"]} == {"intake", "lake"}
    assert select(stack.endpoints.postgres_url, "SELECT count(*) FROM runs")
    assert redis.from_url(stack.endpoints.broker_url).ping()
    with urllib.request.urlopen(stack.endpoints.webserver_url) as page:
        assert b"Dagster" in page.read()
    assert stack.check() == []


def test_another_process_finds_the_running_stack(stack: Stack) -> None:
    assert running_environment(stack.folder) == stack.environment


def test_every_port_is_bound_to_the_loopback_interface_only(stack: Stack) -> None:
    pids = set().union(*(family(stack.part(name).pid) for name in stack.names))
    listening = {
        connection.laddr
        for connection in psutil.net_connections("inet")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    }
    assert {port for _, port in listening} >= {stack.endpoints.s3_port, stack.endpoints.postgres_port}
    # gRPC listens on the same address in IPv6 form.
    assert {address.removeprefix("::ffff:") for address, _ in listening} == {"127.0.0.1"}


def test_a_client_without_the_secret_is_rejected(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError, match=r"40[03]"):
        urllib.request.urlopen(stack.endpoints.s3_endpoint_url + "/intake")
    with pytest.raises(s3(stack).exceptions.ClientError):
        s3(stack, aws_secret_access_key="guessed").list_buckets()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        select(stack.endpoints.postgres_url.replace(stack.endpoints.postgres_password, "guessed"), "SELECT 1")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=stack.endpoints.broker_port, password="guessed").ping()


def test_secrets_are_not_in_arguments_logs_or_files_readable_by_others(stack: Stack) -> None:
    endpoints = stack.endpoints
    secrets = [endpoints.s3_secret_access_key, endpoints.postgres_password, endpoints.broker_password]
    arguments = [
        argument
        for name in stack.names
        for pid in family(stack.part(name).pid)
        for argument in psutil.Process(pid).cmdline()
    ]
    assert arguments
    assert not [argument for argument in arguments for secret in secrets if secret in argument]

    holding = [
        path
        for path in stack.folder.rglob("*")
        if path.is_file()
        and "postgres" not in path.parts
        and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]
    assert [path.name for path in holding if path.stat().st_mode & 0o077] == []
    assert not [path for path in holding if path.parent.name == "logs"]


def test_a_bucket_outlives_its_last_object(stack: Stack) -> None:
    client = s3(stack)
    client.put_object(Bucket="intake", Key="acuity/folder/a.pdf", Body=b"%PDF-")
    client.delete_object(Bucket="intake", Key="acuity/folder/a.pdf")
    assert {bucket["Name"] for bucket in client.list_buckets()["Buckets"]} == {"intake", "lake"}
    client.put_object(Bucket="intake", Key="b.pdf", Body=b"%PDF-")


@pytest.mark.parametrize("lane", ["standard", "large"])
def test_a_run_goes_through_the_queue_of_its_lane_to_a_warm_worker(
    stack: Stack, graphql: Graphql, lane: str
) -> None:
    workers = family(stack.part("worker").pid)
    run_id = graphql.launch(f"{lane}.pdf", {"docpipe/lane": lane, "dagster-celery/queue": lane})
    assert graphql.status_at_the_end(run_id) == "SUCCESS"
    processes = graphql.processes(run_id)
    assert set(processes) == set(NAMES)
    assert len(set(processes.values())) == 1
    assert set(processes.values()) < workers


def test_a_canceled_run_ends_as_canceled(stack: Stack, graphql: Graphql) -> None:
    run_id = graphql.launch("waits-canceled")
    wait_for(stack.folder / "dagster" / "waits-canceled.began")
    graphql.terminate(run_id)
    assert graphql.status_at_the_end(run_id) == "CANCELED"


def test_a_killed_worker_fails_its_run_is_reported_and_replaced(stack: Stack, graphql: Graphql) -> None:
    run_id = graphql.launch("waits-killed")
    wait_for(stack.folder / "dagster" / "waits-killed.began")
    stack.part("worker").kill()

    [failure] = stack.check()
    assert str(failure).startswith(
        f"worker was killed by SIGKILL; its log {stack.folder / 'logs/worker.log'}"
    )
    assert failure.log_tail.count("\n") < 20

    stack.restart_failed()
    assert stack.check() == []
    assert graphql.status_at_the_end(run_id) == "FAILURE"
    assert graphql.status_at_the_end(graphql.launch("after-worker.pdf")) == "SUCCESS"


def test_the_next_run_succeeds_after_postgres_and_the_broker_were_killed(
    stack: Stack, graphql: Graphql
) -> None:
    for name in ("postgres", "broker"):
        stack.part(name).kill()
        assert [failure.name for failure in stack.check()] == [name]
        stack.restart_failed()
    assert graphql.status_at_the_end(graphql.launch("after-services.pdf")) == "SUCCESS"


def test_a_restarted_s3_server_still_has_its_objects(stack: Stack) -> None:
    s3(stack).put_object(Bucket="lake", Key="kept", Body=b"kept")
    stack.part("s3").kill(signal.SIGKILL)
    stack.part("s3").restart()
    assert s3(stack).get_object(Bucket="lake", Key="kept")["Body"].read() == b"kept"


def test_a_service_that_keeps_dying_is_given_up_with_its_log(stack: Stack) -> None:
    for _ in range(3):
        stack.part("s3").kill()
        stack.restart_failed()
    stack.part("s3").kill()
    with pytest.raises(StackError, match=r"s3 failed 4 times .*s3\.log"):
        stack.restart_failed()
    stack.part("s3").restart()


def test_a_folder_has_one_stack_at_a_time(stack: Stack) -> None:
    with pytest.raises(StackError, match=f"running in {stack.folder} .process {os.getpid()}"):
        Stack(stack.folder).start()
    assert stack.check() == []
