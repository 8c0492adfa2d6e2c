"""The plain way to serve an MLflow model with KServe's SDK: what ``serving_throughput.py`` compares with.

    python kserve_pyfunc.py FOLDER PORT

The log lines that KServe and uvicorn write for each request are off, as in our server. Columns whose types a frame made
from JSON cannot know (all null, whole numbers for doubles) are converted; others cost a comparison each.
"""

import logging
import sys

import mlflow.pyfunc
import numpy as np
import pandas as pd
from kserve import InferOutput, InferResponse, Model, ModelServer

TYPES = {"double": "float64", "long": "int64", "boolean": "bool", "string": "object"}


class Pyfunc(Model):
    def load(self, folder: str) -> "Pyfunc":
        self.model = mlflow.pyfunc.load_model(folder)
        self.types = {one.name: TYPES[one.type.name] for one in self.model.metadata.get_input_schema().inputs}
        self.ready = True
        return self

    def predict(self, payload, headers=None, response_headers=None):
        v1 = isinstance(payload, dict)
        frame = pd.DataFrame(payload["instances"]) if v1 else payload.as_dataframe()
        for name, kind in self.types.items():
            if frame[name].dtype != kind and not (kind == "bool" and frame[name].isna().any()):
                frame[name] = frame[name].astype(kind)
        answer = np.asarray(self.model.predict(frame))
        if v1:
            return {"predictions": answer.tolist()}
        output = InferOutput("predict", list(answer.shape), "FP64", data=answer.astype(float).ravel().tolist())
        return InferResponse("", self.name, [output])


if __name__ == "__main__":
    model = Pyfunc("loans").load(sys.argv[1])
    server = ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, enable_latency_logging=False)
    for logger in ("uvicorn.access", "kserve.trace"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    server.start([model])
