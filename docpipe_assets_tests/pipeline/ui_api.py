"""What the UI's "Materialize" button sends."""

import json
import urllib.request

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


def materialize(site: Site, document: str, assets: list[str] | None = None) -> str:
    """Launch a run of the implicit asset job; return its id."""
    tags = [{"key": "dagster/partition", "value": partition_key(document)}]
    names = assets or [asset.key.to_user_string() for asset in DOCUMENT_ASSETS]
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
                "executionMetadata": {"tags": tags},
                "runConfigData": {},
            }
        },
    )["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["id"])


def query(site: Site, text: str, variables: dict[str, object]) -> dict[str, dict[str, dict[str, str]]]:
    request = urllib.request.Request(
        f"{site.stack.endpoints.webserver_url}/graphql",
        json.dumps({"query": text, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = json.load(answer)
    assert "errors" not in body, body["errors"]
    return dict(body["data"])
