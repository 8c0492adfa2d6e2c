import json
from pathlib import Path

from gauntlet.orchestration.executor_messages import ExecutorInput, as_stored

MESSAGE = {
    "inputs": {
        "parameterValues": {"run": "words-local-1", "count": 3},
        "artifacts": {
            "words": {
                "artifacts": [
                    {
                        "name": "words",
                        "type": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"},
                        "uri": "/runs/one/artifacts/make/words",
                        "metadata": {"rows": 788, "share": 0.5, "digest": "sha256:0", "sorted": True},
                    }
                ]
            }
        },
    },
    "outputs": {
        "artifacts": {
            "report": {"artifacts": [{"name": "report", "type": {"schemaTitle": "system.HTML"}, "uri": "/x"}]}
        },
        "outputFile": "/kfp/words-local-1/count-words/executor_output.json",
    },
}


def test_an_artifact_comes_out_of_the_metadata_store_as_a_server_hands_it_over():
    # Observed on Kubeflow Pipelines 2.17.0.
    (written,) = MESSAGE["inputs"]["artifacts"]["words"]["artifacts"]
    stored = as_stored(written, 43)
    assert stored["name"] == "43"
    assert stored["type"] == {"instanceSchema": ""}
    assert stored["uri"] == written["uri"]
    rows = stored["metadata"].pop("rows")
    assert (rows, type(rows)) == (788.0, float)
    assert stored["metadata"].pop("store_session_info")
    assert stored["metadata"] == {"share": 0.5, "digest": "sha256:0", "sorted": True, "display_name": "words"}


def test_a_task_is_given_its_own_folder_the_runs_name_and_stored_artifacts():
    numbers = {"/runs/one/artifacts/make/words": 7}
    rewritten = ExecutorInput(MESSAGE).as_on_cluster(Path("/runs/one/work"), "monday", numbers.__getitem__)
    assert rewritten.parameters == {"run": "monday", "count": 3}
    (words,) = rewritten.message["inputs"]["artifacts"]["words"]["artifacts"]
    assert (words["name"], words["type"]) == ("7", {"instanceSchema": ""})
    (report,) = rewritten.message["outputs"]["artifacts"]["report"]["artifacts"]
    assert (report["uri"], report["type"]) == ("/runs/one/work/report", {"schemaTitle": "system.HTML"})
    assert json.dumps(rewritten.message)
