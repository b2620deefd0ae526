"""The throughput and cost of downloading and uploading a large document.

    python -m docpipe_assets_tests.benchmarks.transfer [--megabytes 600] [--repeats 3] [--pair]

The server is rclone, in a separate process with its data on disk, over the loopback interface. Each transfer
is a separate process; the repeats are interleaved, so that other load affects all of them, and the figures
are medians. A client is created and used once before its time is measured. Peak memory is that of the
complete process, including interpreter and libraries. The reference is ``boto3.download_file`` with its
defaults; it verifies no hash. ``--pair``: only the reference and docpipe, for many rounds on a busy machine.
The exit status is 1 if the verified download is slower than 90 % of the reference or needs 100 MB.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets.storage.transfer import BUFFER_BYTES, sha256_of

MEGABYTE = 1_000_000
BUCKET, KEY = "measured", "scan.pdf"
PEER, OURS = "boto3 download_file", "docpipe fetch, SHA-256"
LEAST_SHARE, MOST_MEGABYTES = 0.9, 100


@dataclass(frozen=True)
class Transfer:
    """The cost of one transfer."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


@dataclass(frozen=True)
class Measured:
    """The cost of a transfer, and the CPU seconds of the server meanwhile."""

    transfer: Transfer
    server_cpu_seconds: float


Way = Callable[[str, Path], Callable[[], Any]]
"""Creates a client for the server at a URL, and returns the function that transfers the file."""


def boto_download(threads: int, *, is_hashed: bool = False) -> Way:
    def way(url: str, path: Path) -> Callable[[], Any]:
        from boto3.s3.transfer import TransferConfig

        client = s3_client(url, "us-east-1")
        client.head_object(Bucket=BUCKET, Key=KEY)

        def move() -> None:
            client.download_file(BUCKET, KEY, str(path), Config=TransferConfig(max_concurrency=threads))
            if is_hashed:
                sha256_of(path)

        return move

    return way


def boto_stream(url: str, path: Path) -> Callable[[], Any]:
    client = s3_client(url, "us-east-1")
    client.head_object(Bucket=BUCKET, Key=KEY)

    def move() -> None:
        body = client.get_object(Bucket=BUCKET, Key=KEY)["Body"]
        with path.open("wb") as sink:
            while block := body.read(BUFFER_BYTES):
                sink.write(block)

    return move


def obstore_download(url: str, path: Path) -> Callable[[], Any]:
    import obstore

    store = obstore_store(url)
    obstore.head(store, KEY)

    def move() -> None:
        with path.open("wb") as sink:
            for block in obstore.get(store, KEY).stream(min_chunk_size=BUFFER_BYTES):
                sink.write(block)

    return move


def docpipe_download(url: str, path: Path) -> Callable[[], Any]:
    store = S3Store(BUCKET, endpoint_url=url)
    found = store.head(KEY)
    return lambda: store.fetch(KEY, path, found.size_bytes, found.etag)


def boto_upload(url: str, path: Path) -> Callable[[], Any]:
    client = s3_client(url, "us-east-1")
    client.head_object(Bucket=BUCKET, Key=KEY)
    return lambda: client.upload_file(str(path), BUCKET, "up.pdf")


def obstore_upload(url: str, path: Path) -> Callable[[], Any]:
    import obstore

    store = obstore_store(url)
    obstore.head(store, KEY)
    return lambda: obstore.put(store, "up.pdf", path)


def docpipe_upload(url: str, path: Path) -> Callable[[], Any]:
    store = S3Store(BUCKET, endpoint_url=url)
    store.head(KEY)
    return lambda: store.put("up.pdf", path)


def obstore_store(url: str) -> Any:
    from obstore.store import S3Store as Obstore

    return Obstore(
        BUCKET,
        endpoint=url,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


DOWNLOADS: dict[str, Way] = {
    PEER: boto_download(10),
    "the same, 2 threads": boto_download(2),
    "the same, then hashed": boto_download(10, is_hashed=True),
    "boto3 get_object": boto_stream,
    "obstore get": obstore_download,
    OURS: docpipe_download,
}
UPLOADS: dict[str, Way] = {
    "boto3 upload_file": boto_upload,
    "obstore put": obstore_upload,
    "docpipe put, verified": docpipe_upload,
}


def measure(way: Way, url: str, path: Path) -> Transfer:
    move = way(url, path)
    began, cpu = time.perf_counter(), time.process_time()
    move()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    # Not ru_maxrss, which a process inherits from its parent.
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    return Transfer(seconds, cpu_seconds, int(peak) * 1024 / MEGABYTE)


def measure_in_process(name: str, url: str, path: Path, server_cpu_seconds: Callable[[], float]) -> Measured:
    """The same in a separate process."""
    before = server_cpu_seconds()
    command = [sys.executable, "-m", __spec__.name, "--measure", name, url, str(path)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{name}: {run.stderr}")
    return Measured(Transfer(**json.loads(run.stdout)), server_cpu_seconds() - before)


def compare(megabytes: float, repeats: int, ways: list[str]) -> dict[str, list[Measured]]:
    """The cost of each way, by repeat. Raises RuntimeError if the received bytes differ from those sent."""
    # Imported here because the measured processes import this module too.
    import psutil

    from docpipe_assets_tests.benchmarks.documents import write_scan
    from docpipe_assets_tests.storage.servers import rclone_server

    found: dict[str, list[Measured]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        bucket = Path(folder, "buckets", BUCKET)
        bucket.mkdir(parents=True)
        document, arrived, uploaded = bucket / KEY, Path(folder, "arrived.pdf"), bucket / "up.pdf"
        write_scan(document, max(round(megabytes / 0.4), 1), megabytes)
        sha256 = sha256_of(document)
        with rclone_server(bucket.parent) as url:
            (server,) = psutil.Process().children()

            def cpu_seconds() -> float:
                times = server.cpu_times()
                return float(times.user + times.system)

            for number in range(1, repeats + 1):
                print(f"round {number} of {repeats}", file=sys.stderr, flush=True)
                for name in ways:
                    here, there = (arrived, arrived) if name in DOWNLOADS else (document, uploaded)
                    found[name].append(measure_in_process(name, url, here, cpu_seconds))
                    if sha256_of(there) != sha256:
                        raise RuntimeError(f"{name}: the received bytes differ from those sent")
                    there.unlink()
    return found


def report(found: dict[str, list[Measured]], megabytes: float) -> None:
    print(f"{'':26}{'MB/s':>6}{'CPU s':>8}{'server CPU s':>14}{'peak MB':>9}")
    for name, measured in found.items():
        speed = megabytes / median(one.transfer.seconds for one in measured)
        cpu = median(one.transfer.cpu_seconds for one in measured)
        server = median(one.server_cpu_seconds for one in measured)
        peak = median(one.transfer.peak_megabytes for one in measured)
        print(f"{name:26}{speed:>6.0f}{cpu:>8.2f}{server:>14.2f}{peak:>9.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pair", action="store_true")
    parser.add_argument("--measure", nargs=3, metavar=("WAY", "URL", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, url, path = options.measure
        print(json.dumps(asdict(measure((DOWNLOADS | UPLOADS)[name], url, Path(path)))))
        return
    from docpipe_assets_tests.storage.servers import KEY_ID, SECRET

    os.environ.update(AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
    load = os.getloadavg()[0]
    ways = [PEER, OURS] if options.pair else [*DOWNLOADS, *UPLOADS]
    found = compare(options.megabytes, options.repeats, ways)
    print(
        f"{options.megabytes:,.0f} MB, {os.cpu_count()} cores, load {load:.1f} before, "
        f"medians of {options.repeats}"
    )
    report(found, options.megabytes)
    shares = [
        peer.transfer.seconds / ours.transfer.seconds
        for peer, ours in zip(found[PEER], found[OURS], strict=True)
    ]
    share = median(one.transfer.seconds for one in found[PEER]) / median(
        one.transfer.seconds for one in found[OURS]
    )
    peak = max(one.transfer.peak_megabytes for one in found[OURS])
    print(f"docpipe / download_file: {share:.2f} (round by round {', '.join(f'{s:.2f}' for s in shares)})")
    if share < LEAST_SHARE or peak >= MOST_MEGABYTES:
        sys.exit(f"missed: {LEAST_SHARE} of its speed, and less than {MOST_MEGABYTES} MB at the peak")


if __name__ == "__main__":
    main()
