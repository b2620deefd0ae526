"""Dagster's GraphQL API, as its UI uses it, for the runs of the tiny definitions."""

import json
import time
import urllib.request
from typing import Any

_REPOSITORY = {"repositoryLocationName": "docpipe", "repositoryName": "__repository__"}
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

_ADD = """mutation($key: String!, $repository: RepositorySelector!) {
  addDynamicPartition(partitionKey: $key, partitionsDefName: "documents", repositorySelector: $repository) {
    __typename } }"""
_LAUNCH = """mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_RUN = """query($run: ID!) { runOrError(runId: $run) { ... on Run { status assetMaterializations {
  assetKey { path } metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"""
_TERMINATE = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"


class Graphql:
    def __init__(self, webserver_url: str) -> None:
        self._url = webserver_url + "/graphql"

    def launch(self, document: str, tags: dict[str, str] | None = None) -> str:
        """Queues a run of all seven assets and returns its id."""
        self._ask(_ADD, key=document, repository=_REPOSITORY)
        tags = {"dagster/partition": document, **(tags or {})}
        parameters = {
            "mode": "default",
            "selector": {**_REPOSITORY, "pipelineName": "one_document"},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        return str(self._ask(_LAUNCH, parameters=parameters)["launchPipelineExecution"]["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        answer = self._ask(_TERMINATE, run=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def status_at_the_end(self, run_id: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        status = ""
        while status not in _ENDED and time.monotonic() < deadline:
            time.sleep(0.2)
            status = str(self._ask(_RUN, run=run_id)["runOrError"]["status"])
        return status

    def processes(self, run_id: str) -> dict[str, int]:
        """The process that materialized each asset."""
        made = self._ask(_RUN, run=run_id)["runOrError"]["assetMaterializations"]
        return {
            event["assetKey"]["path"][0]: next(
                entry["intValue"] for entry in event["metadataEntries"] if entry["label"] == "pid"
            )
            for event in made
        }

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer)["data"])
