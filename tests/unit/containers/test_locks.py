"""What serves a model is what trained it."""

import re
from pathlib import Path

CONTAINERS = Path(__file__).parents[3] / "containers"

FORCED = {"protobuf"}
"""kserve wants protobuf 6 where the model image has 7. MLflow takes both; no model goes through it."""


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s\\]+)", lock.read_text(), re.MULTILINE))


def test_the_serving_image_has_the_model_images_versions():
    model = pins(CONTAINERS / "model" / "requirements.cpu.lock")
    serving = pins(CONTAINERS / "serving" / "requirements.lock")
    assert {"mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "xgboost-cpu"} <= model.keys()
    assert {name for name, version in model.items() if serving.get(name) != version} == FORCED
