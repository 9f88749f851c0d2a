"""What differs between TensorFlow, JAX and PyTorch; no other module asks which of them runs."""

import functools
import os
from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree


def name() -> str:
    """The backend that runs: "tensorflow", "jax" or "torch"."""
    return keras.backend.backend()


def scan(step: Callable, init: Any, xs: Any) -> tuple[Any, Any]:
    """Run `carry, y = step(carry, x)` over the leading axis of `xs` and stack the `y`.

    `init`, `xs` and the results are pytrees. It can be trained through, also when compiled by
    XLA, for which `keras.ops.scan` on TensorFlow lacks a bound on the number of steps, and also
    wants outputs shaped as the carry.

    Returns:
        The last carry, and the outputs with a new leading axis of length steps.
    """
    if name() == "jax":
        import jax

        return jax.lax.scan(step, init, xs)
    if name() == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            return _scan_in_graph(step, init, xs)
    carry, outputs = init, []
    for t in range(tree.flatten(xs)[0].shape[0]):
        carry, y = step(carry, tree.map_structure(lambda leaf, t=t: leaf[t], xs))
        outputs.append(y)
    return carry, tree.map_structure(lambda *leaves: ops.stack(leaves, axis=0), *outputs)


def _scan_in_graph(step, init, xs):
    import tensorflow as tf

    leaves = [tf.convert_to_tensor(leaf) for leaf in tree.flatten(xs)]
    length = leaves[0].shape[0] or tf.shape(leaves[0])[0]
    inputs = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape[1:]).unstack(leaf)
        for leaf in leaves
    ]

    def element(t):
        return tree.pack_sequence_as(xs, [array.read(t) for array in inputs])

    # One call outside the loop tells the outputs' structure, shapes and types; as nothing uses
    # its results, the graph drops it.
    _, example = step(init, tree.pack_sequence_as(xs, [leaf[0] for leaf in leaves]))
    outputs = [
        tf.TensorArray(leaf.dtype, size=length, element_shape=leaf.shape)
        for leaf in tree.flatten(example)
    ]

    def body(t, carry, outputs):
        carry, y = step(carry, element(t))
        outputs = [a.write(t, leaf) for a, leaf in zip(outputs, tree.flatten(y), strict=True)]
        return t + 1, carry, outputs

    carry = tree.map_structure(tf.convert_to_tensor, init)
    _, carry, outputs = tf.while_loop(
        lambda t, *_: t < length, body, (0, carry, outputs), maximum_iterations=length
    )
    return carry, tree.pack_sequence_as(example, [array.stack() for array in outputs])


def compiled(variables: list, fn: Callable, jit: bool = True) -> Callable:
    """`fn(*args)` as one compiled function that reads the weights anew at every call.

    `variables` are the Keras variables that `fn` uses. The arguments are pytrees of arrays; a
    new shape is a new trace. With `jit` the function is compiled by XLA on TensorFlow, else it
    runs as a graph, which starts sooner. JAX always compiles. PyTorch runs eagerly and without
    gradients.
    """
    if name() == "tensorflow":
        import tensorflow as tf

        functions: dict = {}

        def call_tensorflow(*args):
            # A function for each shape: TensorFlow takes one that meets many for a mistake, and
            # says so on the terminal.
            shapes = tuple(tuple(leaf.shape) for leaf in tree.flatten(args))
            if shapes not in functions:
                functions[shapes] = tf.function(
                    functools.partial(fn), jit_compile=jit, autograph=False
                )
            return functions[shapes](*args)

        return call_tensorflow
    if name() == "torch":
        import torch

        return torch.no_grad()(fn)
    import jax

    @jax.jit
    def with_weights(weights, args):
        mapping = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return fn(*args)

    def call(*args):
        return with_weights([v.value for v in variables], args)

    return call


def stepper(model: keras.Model) -> "Stepper":
    """Training steps of a built model with a built optimizer, without `fit`.

    `fit` cannot go on in the middle of an epoch; it also hands on tensors without static shapes
    and waits for each loss. See `Stepper`.
    """
    kinds = {"tensorflow": _TensorFlowStepper, "jax": _JaxStepper, "torch": _TorchStepper}
    return kinds[name()](model)


def parallel_calls() -> int:
    """How many calls of compiled functions are worth making side by side, from threads.

    On a CPU a loop of small products keeps one core busy, so each core can have a call of its
    own. An accelerator takes one after the other, and PyTorch's loop holds the interpreter.
    """
    if name() == "torch" or accelerator():
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8)


def accelerator() -> bool:
    """Whether there is a GPU or a TPU."""
    if name() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if name() == "torch":
        import torch

        return torch.cuda.is_available()
    import jax

    return jax.default_backend() != "cpu"


class Stepper:
    """`loss = stepper(batch)` trains on one batch; a batch is a pytree (x, labels, weights).

    The loss is a scalar on the device: nothing waits for it until it is read. Between a step and
    `sync()` the variables of the model and of its optimizer must not be read: on JAX the state
    lives in the stepper meanwhile. The model has `compute_loss(x, y, y_pred, sample_weight,
    training)` and `evaluation_sums(x, y, y_pred, sample_weight)`.
    """

    def __init__(self, model: keras.Model):
        self.model = model
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    def __call__(self, batch: Any) -> Any:
        raise NotImplementedError

    def sync(self) -> None:
        """Bring the variables of the model and its optimizer up to date."""

    def evaluate(self, batch: Any) -> tuple[Any, ...]:
        """`model.evaluation_sums` of one batch without dropout, with the variables as they are."""
        raise NotImplementedError

    def _evaluate(self, batch):
        x, y, weights = batch
        return self.model.evaluation_sums(x, y, self.model(x, training=False), weights)


class _TensorFlowStepper(Stepper):
    def __init__(self, model):
        super().__init__(model)
        self._compiled = {}

    def __call__(self, batch):
        return self._function(self._train, batch)(batch)

    def evaluate(self, batch):
        return self._function(self._evaluate, batch)(batch)

    def _function(self, fn, batch):
        # One trace for all shapes; but XLA, which Keras chooses where there is a GPU, compiles
        # for each shape anyway, and cannot differentiate a loop whose dimensions are unknown.
        import tensorflow as tf

        jit = bool(self.model.jit_compile)
        key = fn.__name__, jit and tuple(leaf.shape for leaf in tree.flatten(batch))
        if key not in self._compiled:
            signature = tree.map_structure(
                lambda leaf: tf.TensorSpec(leaf.shape if jit else [None] * leaf.ndim, leaf.dtype),
                batch,
            )
            self._compiled[key] = tf.function(
                functools.partial(fn),
                input_signature=[signature],
                jit_compile=jit or None,
                autograph=False,
            )
        return self._compiled[key]

    def _train(self, batch):
        import tensorflow as tf

        x, y, weights = batch
        model = self.model
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), weights, training=True)
            scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, [v.value for v in variables])
        # Dense, since the norm of an embedding's gradient that names a row twice would be wrong.
        gradients = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
        model.optimizer.apply(gradients, variables)
        return loss


class _TorchStepper(Stepper):
    def __call__(self, batch):
        import torch

        x, y, weights = tree.map_structure(ops.convert_to_tensor, batch)
        model = self.model
        loss = model.compute_loss(x, y, model(x, training=True), weights, training=True)
        scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = torch.autograd.grad(scaled, [v.value for v in variables], allow_unused=True)
        with torch.no_grad():
            model.optimizer.apply(list(gradients), variables)
        return loss.detach()

    def evaluate(self, batch):
        import torch

        with torch.no_grad():
            return self._evaluate(tree.map_structure(ops.convert_to_tensor, batch))


class _JaxStepper(Stepper):
    def __init__(self, model):
        import jax

        super().__init__(model)
        self._state = None
        self._compiled = jax.jit(self._train, donate_argnums=0)
        self._evaluated = compiled(model.variables, self._evaluate)

    def _variables(self):
        model = self.model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.metrics_variables,
            model.optimizer.variables,
        )

    def __call__(self, batch):
        if self._state is None:
            self._state = tree.map_structure(lambda v: v.value, self._variables())
        loss, self._state = self._compiled(self._state, batch)
        return loss

    def sync(self):
        if self._state is not None:
            tree.map_structure(lambda v, value: v.assign(value), self._variables(), self._state)
            self._state = None

    def evaluate(self, batch):
        return self._evaluated(batch)

    def _train(self, state, batch):
        import jax

        trainable, fixed, metrics, optimizer = state
        gradient = jax.value_and_grad(self.model.compute_loss_and_updates, has_aux=True)
        x, y, weights = batch
        (_, (loss, _, fixed, metrics)), gradients = gradient(
            trainable, fixed, metrics, x, y, weights, training=True, optimizer_variables=optimizer
        )
        trainable, optimizer = self.model.optimizer.stateless_apply(optimizer, gradients, trainable)
        return loss, (trainable, fixed, metrics, optimizer)


def random_state() -> dict[str, Any]:
    """The random state that the backend keeps outside all variables, as named uint8 arrays."""
    if name() != "torch":
        return {}
    import torch

    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return {device: state.numpy() for device, state in states.items()}


def set_random_state(state: dict[str, Any]) -> None:
    """Go back to what `random_state` gave."""
    if name() != "torch":
        return
    import torch

    torch.set_rng_state(torch.from_numpy(state["cpu"].copy()))
    if "cuda" in state:
        torch.cuda.set_rng_state(torch.from_numpy(state["cuda"].copy()))
