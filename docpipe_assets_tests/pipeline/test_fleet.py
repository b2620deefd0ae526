"""Workers on other machines join and leave; on SIGTERM they finish or requeue their documents."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from docpipe_assets.identity import partition_key
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.history import fold_history
from docpipe_assets.operations.breaker import RUN_HANDED_BACK, Breakers
from docpipe_assets.operations.ledger import State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.engines import Gate
from docpipe_assets_tests.pipeline.hosts import Host, host, reason_without_hosts
from docpipe_assets_tests.pipeline.site import Site, open_site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(900),
]

ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "2",
    "DOCPIPE_RETRY_SECONDS": "600",  # a counted attempt delays the next one beyond the test
    "DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.engines:GatedOcr",
}
ENDS_SECONDS = 120.0
"""Far more than a worker needs; if requeueing takes too long, it kills itself, with another status."""
RUNNING = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING)


@dataclass(frozen=True)
class Fleet:
    """A stack without workers, a scan that is blocked during OCR, and a letter that is not."""

    site: Site
    gate: Gate
    scan: Path
    letter: Path

    @contextmanager
    def worker(self, name: str, *options: str, host: Host | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, started like on any machine."""
        command = [sys.executable, "-m", "docpipe_assets", "worker", f"--name={name}", "--concurrency=1"]
        settings = self.site.stack.environment
        if host is not None:
            command, settings = host.command(command), host.seen_from_there(settings)
        environment = {**os.environ, **settings}
        with (
            self.log_of(name).open("ab") as log,
            subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def log_of(self, name: str) -> Path:
        return self.site.stack.folder / "logs" / f"{name}.log"

    def begin(self, document: str) -> dg.DagsterRun:
        """Uploads a scan; returns its run once OCR has begun."""
        self.gate.close()
        self.site.put(document, self.scan)
        self.site.wait_for(self.gate.waiting_process, lambda found: found is not None, "OCR to begin")
        (run,) = self.runs(document)
        assert run.status in RUNNING
        return run

    def runs(self, document: str) -> list[dg.DagsterRun]:
        """The runs of a document, oldest first."""
        return self.site.runs_of(partition_key(document))[::-1]

    def wait_for_success(self, document: str) -> list[dg.DagsterRun]:
        self.site.wait_for(
            lambda: self.site.entry(document).state, lambda state: state is State.SUCCEEDED, document
        )
        return self.runs(document)

    def breakers(self) -> Breakers:
        return fold_history(self.site.instance, self.site.pipeline.settings)[0]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    files = tmp_path_factory.mktemp("files")
    page = Image.new("L", (400, 500), 255)
    page.paste(40, (50, 50, 350, 90))
    page.save(files / "scan.pdf", resolution=72)
    (letter,) = write_text_pdfs(files, 1)
    stack = Stack(tmp_path_factory.mktemp("fleet"), workers=0, webserver=False, environment=ENVIRONMENT)
    with open_site(stack, patience_seconds=400) as site:
        gate = Gate(site.pipeline.settings.data_dir)
        yield Fleet(site, gate, files / "scan.pdf", letter)
        gate.open()


def unchanged(site: Site, run: dg.DagsterRun) -> set[str]:
    """The stages that a run found unchanged."""
    logs = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.asset_materialization for entry in logs]
    return {str(one.asset_key.path[-1]) for one in made if one and one.metadata["unchanged"].value}


def test_on_sigterm_a_worker_finishes_its_runs_and_takes_no_new_one(fleet: Fleet) -> None:
    with ExitStack() as workers:
        first = workers.enter_context(fleet.worker("first", "--grace-seconds=600"))
        fleet.begin("finish/scan.pdf")
        first.send_signal(signal.SIGTERM)
        fleet.site.put("finish/letter.pdf", fleet.letter)
        workers.enter_context(fleet.worker("second"))
        fleet.wait_for_success("finish/letter.pdf")
        assert first.poll() is None, "it is still processing"
        fleet.gate.open()
        (scan,) = fleet.wait_for_success("finish/scan.pdf")
        assert tags.ERROR not in scan.tags
        first.wait(ENDS_SECONDS)
        assert first.returncode == 0


@pytest.mark.long
def test_a_worker_that_is_slow_to_shut_down_keeps_its_document(fleet: Fleet) -> None:
    with fleet.worker("patient", "--grace-seconds=600") as leaving:
        fleet.begin("patient/scan.pdf")
        leaving.send_signal(signal.SIGTERM)
        time.sleep(60)  # 1.5 times the time that run monitoring waits for an unresponsive worker
        fleet.gate.open()
        (scan,) = fleet.wait_for_success("patient/scan.pdf")
        assert tags.ERROR not in scan.tags
        leaving.wait(ENDS_SECONDS)
        assert leaving.returncode == 0
    with fleet.worker("killed", "--grace-seconds=600") as leaving:
        fleet.begin("killed/scan.pdf")
        leaving.send_signal(signal.SIGTERM)
        time.sleep(10)
        leaving.kill()
        fleet.site.wait_for(
            lambda: fleet.runs("killed/scan.pdf")[0].status,
            lambda status: status is dg.DagsterRunStatus.FAILURE,
            "the run of a worker that was killed",
        )


@pytest.mark.long
@pytest.mark.parametrize(
    ("grace", "signals", "page_ends"),
    [("0", [signal.SIGTERM], False), ("600", [signal.SIGINT, signal.SIGINT], True)],
    ids=["whose grace period ends on an endless page", "that receives two signals"],
)
def test_a_document_requeued_on_shutdown_is_finished_by_another_worker(
    fleet: Fleet, grace: str, signals: list[signal.Signals], page_ends: bool
) -> None:
    document = f"grace-{grace}/scan.pdf"
    with ExitStack() as workers:
        leaving = workers.enter_context(fleet.worker("leaving", f"--grace-seconds={grace}"))
        fleet.begin(document)
        for number in signals:
            leaving.send_signal(number)
            time.sleep(1)
        if page_ends:
            fleet.gate.open()
        leaving.wait(ENDS_SECONDS)
        assert leaving.returncode == 0, "it ended automatically, within the time limit for requeueing"
        (given_up,) = fleet.runs(document)[:1]
        assert given_up.status is dg.DagsterRunStatus.FAILURE
        assert given_up.tags[tags.ERROR] == RUN_HANDED_BACK

        fleet.gate.close()
        workers.enter_context(fleet.worker("staying"))
        fleet.site.wait_for(lambda: len(fleet.runs(document)), lambda count: count == 2, "the next run")
        breaker = fleet.breakers().documents[partition_key(document)]
        assert (breaker.attempts, breaker.failures, breaker.uncounted) == (0, 0, 0)
        fleet.gate.open()
        _, finished = fleet.wait_for_success(document)
        assert finished.tags[tags.ATTEMPT] == "1", "a requeued run does not count as an attempt"
        assert unchanged(fleet.site, finished) == {"raw_pdf", "page_splits"}
    assert partition_key(document) not in fleet.breakers().documents


def test_a_canceled_run_is_not_mistaken_for_a_requeued_one(fleet: Fleet) -> None:
    with fleet.worker("cancels"):
        run = fleet.begin("cancel/scan.pdf")
        fleet.site.instance.run_launcher.terminate(run.run_id)
        time.sleep(1)
        fleet.gate.open()
        fleet.site.wait_for(
            lambda: fleet.runs("cancel/scan.pdf")[0].status,
            lambda status: status is dg.DagsterRunStatus.CANCELED,
            "the run to be canceled",
        )
        assert tags.ERROR not in fleet.runs("cancel/scan.pdf")[0].tags


WITHOUT_HOSTS = reason_without_hosts()


@pytest.mark.needs("ip")
@pytest.mark.skipif(WITHOUT_HOSTS is not None, reason=str(WITHOUT_HOSTS))
def test_remote_workers_need_only_s3_postgres_and_the_broker(fleet: Fleet, tmp_path: Path) -> None:
    endpoints = fleet.site.stack.endpoints
    ports = (endpoints.s3_port, endpoints.postgres_port, endpoints.broker_port)
    letters = write_text_pdfs(tmp_path, 6)
    with ExitStack() as machines:
        hosts = [machines.enter_context(host(number, ports)) for number in (1, 2)]
        for one in hosts:
            machines.enter_context(fleet.worker(one.name, host=one))
        for letter in letters:
            fleet.site.put(f"machines/{letter.name}", letter)
        ledger = fleet.site.settled("machines", len(letters))
        assert ledger.count(State.SUCCEEDED) == len(letters)
        for one in hosts:
            assert {port: len(one.callers[port]) for port in ports} == dict.fromkeys(ports, 1)
        done = [fleet.log_of(one.name).read_text().count("succeeded in") for one in hosts]
        assert sum(done) == len(letters)
        assert min(done) > 0, "both workers processed documents"
