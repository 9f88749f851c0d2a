"""Training steps without `fit`."""

import functools
from typing import Any

import keras
from keras import ops, tree

from kerasseq.backend.functions import compile_function
from kerasseq.backend.which import name


def make_stepper(model: keras.Model) -> "Stepper":
    """Returns the `Stepper` of a built model, which trains it without `fit`.

    `fit` cannot continue in the middle of an epoch. It also passes tensors without static shapes,
    and waits for each loss.

    A model that was compiled with `on_policy` is trained in inference mode, without dropout, since
    samples must come from the distribution that is differentiated.
    """
    kinds = {"tensorflow": _TensorFlowStepper, "jax": _JaxStepper, "torch": _TorchStepper}
    return kinds[name()](model)


class Stepper:
    """`loss = stepper(batch)` trains on one batch, a pytree (x, labels, weights).

    The loss is a scalar on the device; nothing waits for it before it is read. Between a step and
    `sync()` the variables of the model and of its optimizer must not be read, since on JAX the
    stepper holds the state. The model has `compute_loss(x, y, y_pred, sample_weight,
    training)` and `evaluation_sums(x, y, y_pred, sample_weight)`.
    """

    def __init__(self, model: keras.Model):
        self.model, self.training = model, not getattr(model, "on_policy", False)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    def __call__(self, batch: Any) -> Any:
        raise NotImplementedError

    def sync(self) -> None:
        """Updates the variables of the model and its optimizer."""

    def finish_window(self) -> None:
        """Updates with the mean of the gradients since the last update, if there are any."""
        self.sync()
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        steps = optimizer.gradient_accumulation_steps or 1
        # The optimizer's own count: half precision skips steps that overflow.
        count = int(ops.convert_to_numpy(optimizer._iterations)) % steps
        if not count:
            return
        # Keras divides by `steps`: (sum + (steps / count - 1) * sum) / steps = sum / count.
        accumulated = [
            gradients.value * (steps / count - 1) for gradients in optimizer._accumulated_gradients
        ]
        optimizer._iterations.assign_add(steps - count - 1)
        optimizer.apply(accumulated)

    def evaluate(self, batch: Any) -> tuple[Any, ...]:
        """Returns `model.evaluation_sums` of one batch, in inference mode."""
        raise NotImplementedError

    def _loss(self, x, y, weights):
        outputs = self.model(x, training=self.training)
        return self.model.compute_loss(x, y, outputs, weights, training=self.training)

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
            loss = self._loss(x, y, weights)
            scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, [v.value for v in variables])
        # Dense, since the norm of a sparse gradient that has a row twice would be wrong.
        gradients = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
        model.optimizer.apply(gradients, variables)
        return loss


class _TorchStepper(Stepper):
    def __call__(self, batch):
        import torch

        x, y, weights = tree.map_structure(ops.convert_to_tensor, batch)
        model = self.model
        loss = self._loss(x, y, weights)
        scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = torch.autograd.grad(scaled, [v.value for v in variables], allow_unused=True)
        with torch.no_grad():
            model.optimizer.apply(list(gradients), variables)
        return loss.detach()

    def finish_window(self):
        import torch

        with torch.no_grad():
            super().finish_window()

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
        self._evaluated = compile_function(model.variables, self._evaluate)

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
            trainable,
            fixed,
            metrics,
            x,
            y,
            weights,
            training=self.training,
            optimizer_variables=optimizer,
        )
        trainable, optimizer = self.model.optimizer.stateless_apply(optimizer, gradients, trainable)
        return loss, (trainable, fixed, metrics, optimizer)
