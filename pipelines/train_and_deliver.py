"""From new data to all of production's traffic, every gate in between."""

from pipelines.continuous_delivery import continuous_delivery, finish_rollout
from pipelines.continuous_training import continuous_training

from gauntlet.orchestration.definition import pipeline


@pipeline(
    name="train-and-deliver",
    on_exit=finish_rollout,
    parameters_of=(continuous_training, continuous_delivery),
    without=("promote", "version"),
)
def train_and_deliver(**given):
    """Train a model on new data, check it at every gate, register it, and deliver it in analysed steps."""
    # Registration gives no title here: a version becomes champion once it serves all requests.
    registered = continuous_training.wire(given, promote="never")
    return continuous_delivery.wire(given, version=registered.outputs["Output"])
