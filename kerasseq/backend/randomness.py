"""The random state that is not in variables of Keras."""

from typing import Any

from kerasseq.backend.which import name


def get_random_state() -> dict[str, Any]:
    """Returns the random state that the backend holds outside variables, as uint8 arrays."""
    if name() != "torch":
        return {}
    import torch

    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return {device: state.numpy() for device, state in states.items()}


def set_random_state(state: dict[str, Any]) -> None:
    """Restores a state of `get_random_state`."""
    if name() != "torch":
        return
    import torch

    torch.set_rng_state(torch.from_numpy(state["cpu"].copy()))
    if "cuda" in state:
        torch.cuda.set_rng_state(torch.from_numpy(state["cuda"].copy()))
