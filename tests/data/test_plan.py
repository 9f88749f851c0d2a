import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.data.plan import BatchPlan


def lengths(count, seed=0, spread=0.4):
    rng = np.random.default_rng(seed)
    source = np.clip(rng.lognormal(3, 0.6, count), 1, 250).astype(np.int32)
    target = np.clip(source * rng.lognormal(0, spread, count), 1, 250).astype(np.int32)
    return source, target


sizes = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=300)


@given(sizes, st.integers(16, 3000), st.integers(1, 64), st.integers(1, 9), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_every_example_once_and_within_its_shape(pairs, tokens, rows, shapes, hosts):
    source, target = np.array(pairs, np.int32).T
    whole = BatchPlan(source, target, tokens=tokens, rows=rows, shapes=shapes)
    assert len(whole.shapes) <= shapes
    shards = [whole.shard(host, hosts).epoch(0) for host in range(hosts)]
    seen = []
    for index in range(len(whole)):
        batches = [epoch[index] for epoch in shards]
        assert len({batch.shape for batch in batches}) == 1
        whole_shape = whole.epoch(0)[index].shape
        assert whole_shape.rows <= rows
        longest = max(whole_shape.source, whole_shape.target)
        assert whole_shape.rows * longest <= max(tokens, longest)
        for batch in batches:
            assert len(batch.indices) == batch.shape.rows
            assert (source[batch.indices] <= batch.shape.source).all()
            assert (target[batch.indices] <= batch.shape.target).all()
            seen.extend(batch.indices[: batch.real])
    assert sorted(seen) == list(range(len(pairs)))


def flat(epoch):
    return np.concatenate([epoch[i].indices[: epoch[i].real] for i in range(len(epoch))])


def test_an_epoch_is_a_function_of_seed_and_number():
    source, target = lengths(2000)
    plan = BatchPlan(source, target, seed=5, tokens=1024)
    again = BatchPlan(source, target, seed=5, tokens=1024)
    other = BatchPlan(source, target, seed=6, tokens=1024)
    last_first = again.epoch(3)
    expected = [batch.indices.tolist() for batch in plan.epoch(3)]
    read_backwards = [last_first[i].indices.tolist() for i in reversed(range(len(again)))]
    assert read_backwards[::-1] == expected
    assert (flat(plan.epoch(3)) != flat(plan.epoch(4))).any()
    assert (flat(plan.epoch(3)) != flat(other.epoch(3))).any()


def test_lengths_are_mixed_over_the_epoch():
    plan = BatchPlan(*lengths(20_000), tokens=1024)
    steps = [batch.shape.source for batch in plan.epoch(0)]
    first, second = np.mean(steps[: len(steps) // 2]), np.mean(steps[len(steps) // 2 :])
    assert abs(first - second) < 0.2 * np.mean(steps)


def test_little_is_padding():
    source, target = lengths(20_000, spread=0.2)
    plan = BatchPlan(source, target, tokens=4096, shapes=8)
    padded = sum(b.shape.rows * (b.shape.source + b.shape.target) for b in plan.epoch(0))
    assert (source.sum() + target.sum()) / padded > 0.75


def test_a_long_source_does_not_pad_a_short_target():
    source, target = np.full(1000, 200), np.full(1000, 10)
    (shape,) = BatchPlan(source, target, tokens=4000).shapes
    assert shape == (16, 208, 12)


def test_no_batch_is_nearly_empty():
    plan = BatchPlan(np.full(1025, 8), np.full(1025, 8), tokens=4096)
    assert [batch.real for batch in plan.epoch(0)] in (
        [341, 342, 342],
        [342, 341, 342],
        [342] * 2 + [341],
    )
    assert plan.shapes[0].rows == 344


def test_fewer_examples_than_a_batch_holds():
    plan = BatchPlan(np.array([3, 4, 5]), np.array([3, 4, 5]), tokens=4096)
    assert plan.shapes == [(3, 8, 8)]


def test_one_example_longer_than_the_budget_is_a_batch_of_its_own():
    plan = BatchPlan(np.array([500, 500]), np.array([4, 4]), tokens=100)
    assert len(plan) == 2 and plan.shapes == [(1, 512, 4)]


def test_a_host_without_a_real_row_still_has_a_batch():
    plan = BatchPlan(np.array([3]), np.array([3]), tokens=64).shard(1, 2)
    batch = plan.epoch(0)[0]
    assert batch.real == 0 and batch.indices.tolist() == [0]


def test_index_out_of_range():
    epoch = BatchPlan(np.array([3]), np.array([3])).epoch(0)
    with pytest.raises(IndexError):
        epoch[1]


def test_a_million_pairs_are_planned_quickly():
    source, target = lengths(1_000_000)
    start = time.process_time()
    epoch = BatchPlan(source, target, tokens=4096).epoch(0)
    assert sum(batch.real for batch in epoch) == 1_000_000
    assert time.process_time() - start < 5
