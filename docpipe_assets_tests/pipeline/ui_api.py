"""The requests of the UI's buttons "Materialize" and "Re-execute"."""

import json
import urllib.request
from typing import Any

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.identity import partition_key
from docpipe_assets_tests.pipeline.site import Site

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on PythonError { message }
  }
}
"""

_LAUNCH_AGAIN = """
mutation LaunchAgain($params: ReexecutionParams!) {
  launchPipelineReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on PythonError { message }
  }
}
"""


def materialize(site: Site, document: str, assets: list[str] | None = None) -> str:
    """Launch a run of the implicit asset job; return its id."""
    names = assets or [asset.key.to_user_string() for asset in DOCUMENT_ASSETS]
    return _materialize(site, names, {"dagster/partition": partition_key(document)})


def materialize_corpus_asset(site: Site, asset: str) -> str:
    """Launch a run of a corpus asset; return its id."""
    return _materialize(site, [asset], {})


def _materialize(site: Site, names: list[str], tags: dict[str, str]) -> str:
    answer = query(
        site,
        _LAUNCH,
        {
            "params": {
                "mode": "default",
                "selector": {
                    "repositoryLocationName": "docpipe",
                    "repositoryName": "__repository__",
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": [name]} for name in names],
                },
                "executionMetadata": {"tags": [{"key": key, "value": tags[key]} for key in tags]},
                "runConfigData": {},
            }
        },
    )["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["id"])


def reexecute(site: Site, run_id: str) -> str:
    """Launch all steps of a run again; return the new run's id."""
    params = {"parentRunId": run_id, "strategy": "ALL_STEPS"}
    answer = query(site, _LAUNCH_AGAIN, {"params": params})["launchPipelineReexecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["id"])


def query(site: Site, text: str, variables: dict[str, object]) -> dict[str, dict[str, Any]]:
    request = urllib.request.Request(
        f"{site.stack.endpoints.webserver_url}/graphql",
        json.dumps({"query": text, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = json.load(answer)
    assert "errors" not in body, body["errors"]
    return dict(body["data"])
