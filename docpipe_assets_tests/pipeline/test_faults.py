"""Any service may be killed in the middle of a document: nothing is lost or done twice, and work
continues.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import psutil
import pytest
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from PIL import Image

from docpipe_assets.identity import partition_key
from docpipe_assets.instance.launcher import DocumentRunLauncher
from docpipe_assets.instance.records import tags
from docpipe_assets.model import RawPdfs
from docpipe_assets.operations.breaker import WORKER_LOST
from docpipe_assets.operations.ledger import State
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets.storage.transfer import sha256_of
from docpipe_assets_tests.pipeline.documents import write_padded
from docpipe_assets_tests.pipeline.engines import Gate
from docpipe_assets_tests.pipeline.site import Site, open_site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.long,
    pytest.mark.timeout(900),
]

PATIENCE_SECONDS = 400.0
NOTICED_SECONDS = 60.0
"""Maximum time until the run of a killed worker is marked as failed."""
BIG_BYTES = 90_000_000
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "2",
    "DOCPIPE_RETRY_SECONDS": "2",
    "DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.engines:GatedOcr",
}
DEAD_ENDS = {State.FAILED, State.HELD, State.QUARANTINED, State.PARTIAL, State.WITHDRAWN}
PROVENANCE = {"document", "etag", "key", "last_modified"}
"""Fields that depend on the key of a document and not on its content."""
T = TypeVar("T")


@dataclass(frozen=True)
class FaultHarness:
    """A stack whose services are killed, and two documents with known results."""

    site: Site
    gate: Gate
    scan: Path
    letter: Path

    @property
    def stack(self) -> Stack:
        return self.site.stack

    def begin_and_block(self, batch: str) -> int:
        """Uploads the scan and waits until OCR has begun; returns the process that reads it."""
        self.gate.close()
        self.site.put(f"{batch}/scan.pdf", self.scan)
        pid = self.wait_for(self.gate.waiting_process, lambda found: found is not None, "OCR to begin")
        assert pid is not None
        return pid

    def wait_for(
        self, poll: Callable[[], T], is_done: Callable[[T], bool], what: str, *, restarts: bool = True
    ) -> T:
        """Restarts dead services meanwhile, like ``docpipe up``, unless they should stay dead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_done(found := poll()):
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what}; last: {found}"
            if restarts:
                self.stack.restart_failed()
            time.sleep(0.5)
        return found

    def wait_for_end(self, run_id: str, *, restarts: bool = True) -> dg.RunRecord:
        return self.wait_for(
            lambda: self.record(run_id),
            lambda found: found.dagster_run.is_finished,
            f"the end of run {run_id}",
            restarts=restarts,
        )

    def wait_for_success(self, document: str) -> list[dg.DagsterRun]:
        """All runs of the document, oldest first, once it has succeeded; fails at any other outcome."""

        def state() -> State:
            entries = self.site.ledger(document.partition("/")[0]).entries
            found = {entry.document: entry for entry in entries}.get(document)
            assert found is None or found.state not in DEAD_ENDS, found
            return found.state if found else State.QUEUED

        self.wait_for(state, lambda found: found is State.SUCCEEDED, f"{document} to succeed")
        return self.runs(document)

    def runs(self, document: str) -> list[dg.DagsterRun]:
        return self.site.runs_of(partition_key(document))[::-1]

    def record(self, run_id: str) -> dg.RunRecord:
        (record,) = self.site.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        return record

    def rows(self, document: str) -> dict[str, list[Any]]:
        return {
            stream.asset: [
                _content(row.model_dump(mode="json")) for row in self.site.pipeline.load(stream, document)
            ]
            for stream in PIPELINE.streams
        }

    def assert_processing_continues(self, batch: str, others: int = 0) -> None:
        """A normal and the interrupted document have the same results as before; all are accounted for."""
        self.site.put(f"{batch}/letter.pdf", self.letter)
        self.wait_for_success(f"{batch}/letter.pdf")
        self.wait_for_success(f"{batch}/scan.pdf")
        for name in ("letter.pdf", "scan.pdf"):
            assert self.rows(f"{batch}/{name}") == self.rows(f"before/{name}")
        assert len(self.runs(f"{batch}/letter.pdf")) == 1
        ledger = self.site.ledger(batch)
        assert ledger.discovered == ledger.count(State.SUCCEEDED) == 2 + others
        self.assert_nothing_was_done_twice()

        self.assert_every_document_is_accounted_for()

    def assert_every_document_is_accounted_for(self) -> None:
        """In all batches: no test leaves an unaccounted document."""
        ledger = self.site.ledger()
        assert ledger.discovered == ledger.count(State.SUCCEEDED)
        assert not self.stack.check()

    def assert_nothing_was_done_twice(self) -> None:
        runs = self.site.instance.get_runs()
        requests = [run.tags[tags.REQUEST] for run in runs]
        assert len(requests) == len(set(requests)), "two runs of one attempt"
        done = [run.tags[tags.PARTITION] for run in runs if run.status is dg.DagsterRunStatus.SUCCESS]
        assert len(done) == len(set(done)), "a finished document was processed twice"
        for run in runs:
            events = self.site.instance.all_logs(
                run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
            )
            made = [
                str(event.asset_materialization.asset_key) for event in events if event.asset_materialization
            ]
            assert len(made) == len(set(made)), "an asset was materialized twice in a run"


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _content(part) for name, part in value.items() if name not in PROVENANCE}
    return [_content(part) for part in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultHarness]:
    folder, files = tmp_path_factory.mktemp("stack"), tmp_path_factory.mktemp("files")
    with open_site(Stack(folder, workers=2, environment=ENVIRONMENT)) as site:
        (letter,) = write_text_pdfs(files, 1, pages=2)
        made = FaultHarness(
            site, Gate(site.pipeline.settings.data_dir), written_scan(files / "scan.pdf"), letter
        )
        for path in (made.letter, made.scan):
            site.put(f"before/{'scan' if path is made.scan else 'letter'}.pdf", path)
        for document in ("before/letter.pdf", "before/scan.pdf"):
            made.wait_for_success(document)
            assert all(made.rows(document)[asset] for asset in ("raw_pdf", "ocr_text", "chunks"))
        yield made
        made.gate.open()


def written_scan(path: Path) -> Path:
    page = Image.new("L", (400, 500), 255)
    page.paste(40, (50, 50, 350, 90))
    page.save(path, resolution=72, save_all=True, append_images=[page])
    return path


def lost_run(harness: FaultHarness, batch: str) -> str:
    (run,) = harness.runs(f"{batch}/scan.pdf")
    assert run.status is dg.DagsterRunStatus.STARTED
    return run.run_id


def assert_lost_and_retried(harness: FaultHarness, batch: str, run_id: str) -> None:
    """One run with WORKER_LOST, and a subsequent one that the reconciler requested automatically."""
    runs = harness.runs(f"{batch}/scan.pdf")
    assert [run.status for run in runs] == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
    assert runs[0].run_id == run_id
    assert [run.tags[tags.ATTEMPT] for run in runs] == ["1", "2"]
    assert runs[1].tags[tags.PURPOSE] == "retry"
    assert tags.ERROR not in runs[0].tags, f"a run without an error is considered {WORKER_LOST}"


def test_a_killed_worker_process_costs_one_attempt(harness: FaultHarness) -> None:
    pid = harness.begin_and_block("child")
    run_id = lost_run(harness, "child")
    children = psutil.Process(pid).children(recursive=True)
    killed_at = time.time()
    os.kill(pid, signal.SIGKILL)
    harness.gate.open()
    record = harness.wait_for_end(run_id)
    assert record.end_time is not None
    assert record.end_time - killed_at < NOTICED_SECONDS
    assert not harness.stack.check(), "the worker itself still runs"
    harness.assert_processing_continues("child")
    assert_lost_and_retried(harness, "child", run_id)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, "the sandbox of a killed process ends too"


def test_a_lost_worker_costs_one_attempt(harness: FaultHarness) -> None:
    pid = harness.begin_and_block("host")
    run_id = lost_run(harness, "host")
    worker = psutil.Process(harness.stack.part("worker").pid)
    family = worker.children(recursive=True)
    assert pid in {child.pid for child in family}
    killed_at = time.time()
    for process in (worker, *family):
        process.kill()
    harness.gate.open()
    harness.stack.part("worker").kill()
    # The worker is not restarted: a lost host does not return automatically.
    record = harness.wait_for_end(run_id, restarts=False)
    assert record.end_time is not None
    assert record.end_time - killed_at < NOTICED_SECONDS
    assert [failure.name for failure in harness.stack.check()] == ["worker"]
    harness.stack.restart_failed()
    harness.assert_processing_continues("host")
    assert_lost_and_retried(harness, "host", run_id)


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # made by Celery
def test_one_check_of_many_runs_pings_an_unresponsive_worker_once(harness: FaultHarness) -> None:
    launcher = harness.site.instance.run_launcher
    assert isinstance(launcher, DocumentRunLauncher)
    runs = [
        dg.DagsterRun("gone", tags={DAGSTER_CELERY_TASK_ID_TAG: f"gone-{number}"}) for number in range(20)
    ]
    for run in runs:
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        launcher.celery.backend.store_result(task_id, {"hostname": "docpipe@gone"}, "STARTED")
    began = time.monotonic()
    answers = {str(launcher.check_run_worker_health(run).msg) for run in runs}
    assert time.monotonic() - began < NOTICED_SECONDS / 4
    assert answers == {"Worker docpipe@gone does not respond."}


def test_a_killed_broker_does_not_affect_a_document_in_progress(harness: FaultHarness) -> None:
    harness.begin_and_block("broker")
    run_id = lost_run(harness, "broker")
    harness.stack.part("broker").kill()
    harness.gate.open()
    record = harness.wait_for_end(run_id, restarts=False)
    assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    harness.stack.restart_failed()
    harness.assert_processing_continues("broker")
    assert len(harness.runs("broker/scan.pdf")) == 1


def test_an_s3_server_killed_during_a_transfer_costs_no_document(
    harness: FaultHarness, tmp_path: Path
) -> None:
    big = write_padded(tmp_path / "big.pdf", harness.letter, BIG_BYTES)
    server = harness.stack.part("s3")
    harness.site.put("transfer/big.pdf", big)
    arrived = stop_during_the_download(harness, server.pid)
    assert 0 < arrived < big.stat().st_size
    server.kill()
    harness.stack.restart_failed()
    harness.site.put("transfer/scan.pdf", harness.scan)
    runs = harness.wait_for_success("transfer/big.pdf")
    (raw,) = harness.site.pipeline.load(RawPdfs, "transfer/big.pdf")
    assert raw.version == sha256_of(big)
    # Usually the transfer resumes within its attempt; a slow machine may need another one.
    errors = {run.tags[tags.ERROR] for run in runs if tags.ERROR in run.tags}
    assert errors <= {"TRANSFER_CUT", "STORE_UNAVAILABLE"}
    harness.assert_processing_continues("transfer", others=1)


def stop_during_the_download(harness: FaultHarness, server_pid: int) -> int:
    """Freezes the server as soon as the first bytes are on the worker's disk; returns their number."""
    scratch = harness.site.pipeline.settings.scratch_dir
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for path in scratch.glob("*/document.pdf.arriving"):
            if path.stat().st_size:
                os.kill(server_pid, signal.SIGSTOP)
                return path.stat().st_size
        time.sleep(0.001)
    raise AssertionError(f"no download began within {PATIENCE_SECONDS:.0f} s")


def test_a_killed_postgres_costs_at_most_one_attempt(harness: FaultHarness) -> None:
    harness.begin_and_block("postgres")
    harness.stack.part("postgres").kill()
    harness.gate.open()
    time.sleep(2)  # the worker finds the database unavailable
    harness.stack.restart_failed()
    harness.wait_for_success("postgres/scan.pdf")
    assert len(harness.runs("postgres/scan.pdf")) <= 2
    harness.assert_processing_continues("postgres")


def test_a_killed_daemon_does_not_stop_a_document_in_progress(harness: FaultHarness) -> None:
    harness.begin_and_block("daemon")
    run_id = lost_run(harness, "daemon")
    harness.stack.part("daemon").kill()
    harness.gate.open()
    record = harness.wait_for_end(run_id, restarts=False)
    assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert [failure.name for failure in harness.stack.check()] == ["daemon"]
    harness.assert_processing_continues("daemon")
    assert len(harness.runs("daemon/scan.pdf")) == 1


def test_killed_code_server_and_webserver_do_not_stop_a_running_document(harness: FaultHarness) -> None:
    harness.begin_and_block("servers")
    run_id = lost_run(harness, "servers")
    for name in ("code-server", "webserver"):
        harness.stack.part(name).kill()
    harness.gate.open()
    record = harness.wait_for_end(run_id, restarts=False)
    assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    harness.assert_processing_continues("servers")
    assert len(harness.runs("servers/scan.pdf")) == 1
