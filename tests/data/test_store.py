import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kerasseq.data import ListCorpus
from kerasseq.data.plan import BatchPlan
from kerasseq.data.text.batches import TokenBatches
from kerasseq.data.text.lists import FileCorpus
from kerasseq.data.text.store import TokenStore
from kerasseq.errors import UserError
from kerasseq.preprocessing.text import TextPreprocessor

WORDS = "a man in blue shirt is standing on the ladder with two young dogs and Käse ß".split()
RNG = np.random.default_rng(0)
PAIRS = [
    tuple(" ".join(RNG.choice(WORDS, RNG.integers(1, 20))) for _ in range(2)) for _ in range(300)
]
CORPUS = ListCorpus(PAIRS)


@pytest.fixture(scope="module")
def preprocessor():
    return TextPreprocessor.learn(PAIRS, "unigram", 60, steps=["lower", "spaces"])


@pytest.fixture(scope="module")
def store(preprocessor, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "train"
    return TokenStore.build(path, CORPUS, preprocessor, keep_text=True)


def test_rows_are_the_encoded_texts_in_order(store, preprocessor):
    assert len(store) == len(PAIRS)
    for side, texts in zip(("source", "target"), zip(*PAIRS, strict=True), strict=True):
        rows = preprocessor.encode(texts, side)
        lengths = store.lengths(side)
        assert (lengths == rows.lengths).all()
        got = store.rows(side, np.arange(len(PAIRS)), int(lengths.max()))
        assert got.dtype == np.int32
        assert (got[got != 0] == rows.ids).all()
        picked = store.rows(side, np.array([7, 3, 7]), 64)
        assert (picked == np.pad(got, ((0, 0), (0, 64)))[[7, 3, 7], :64]).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_chunks_and_threads_change_nothing(preprocessor, store, tmp_path, threads, monkeypatch):
    monkeypatch.setattr("kerasseq.data.text.corpus.PAIRS_AT_ONCE", 7)
    counts = []
    small = TokenStore.build(
        tmp_path / "s",
        CORPUS,
        preprocessor,
        keep_text=True,
        threads=threads,
        progress=counts.append,
    )
    for name in os.listdir(store.path):
        if name != "meta.json":
            assert (small.path / name).read_bytes() == (store.path / name).read_bytes()
    assert counts == sorted(counts) and counts[-1] == len(PAIRS)


def test_it_is_built_once_for_the_same_pairs_and_options(preprocessor, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("a man\tin blue\n" * 3)
    path = tmp_path / "store"

    def build(keep_text=False, preprocessor=preprocessor):
        store = TokenStore.build(path, FileCorpus([file]), preprocessor, keep_text=keep_text)
        return (path / "meta.json").stat().st_mtime_ns, len(store)

    first = build()
    assert build() == first
    with_text = build(keep_text=True)
    assert with_text != first and build(keep_text=True) == with_text
    file.write_text("a man\tin blue\n" * 4)
    assert build(keep_text=True)[1] == 4
    other = TextPreprocessor(preprocessor.tokenizer("source"), steps=["spaces"])
    before = build()
    assert build(preprocessor=other) != before
    assert sorted(os.listdir(tmp_path)) == ["a.tsv", "store"]


def test_long_pairs_are_left_out_and_named(preprocessor, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("a man\tin blue\nbad\na man\t" + "dogs " * 40 + "\n" + "a dog\ta\n")
    short = TextPreprocessor(preprocessor.tokenizer("source"), max_target_length=16)
    for _ in range(2):  # built, then opened again
        store = TokenStore.build(tmp_path / "s", FileCorpus([file]), short)
        assert len(store) == 2
        assert dict(store.problems.counts) == {
            "the target is longer than 15 pieces": 1,
            "no tab between a source and a target": 1,
        }
        assert f"{file}:3: the target is longer than 15 pieces" in store.problems.named


def test_nothing_left(preprocessor, tmp_path):
    tiny = TextPreprocessor(preprocessor.tokenizer("source"), max_source_length=1)
    with pytest.raises(UserError, match="No pair is left to train on"):
        TokenStore.build(tmp_path / "s", CORPUS, tiny)
    assert not os.listdir(tmp_path)


def test_a_failure_while_reading_leaves_the_old_store(preprocessor, tmp_path):
    class Broken(ListCorpus):
        def chunks(self):
            yield from super().chunks()
            raise UserError("x.tsv:9: no")

    TokenStore.build(tmp_path / "s", CORPUS, preprocessor)
    with pytest.raises(UserError, match="x.tsv:9"):
        TokenStore.build(tmp_path / "s", Broken(PAIRS[:5]), preprocessor)
    assert len(TokenStore.build(tmp_path / "s", CORPUS, preprocessor)) == len(PAIRS)
    assert os.listdir(tmp_path) == ["s"]


SLOW = """
import sys, time, pickle
from kerasseq.data.text.corpus import Chunk, PairCorpus
from kerasseq.data.text.store import TokenStore
class Slow(PairCorpus):
    def fingerprint(self): return "x"
    def chunks(self):
        while True:
            yield Chunk(["a man"] * 100, ["blue"] * 100, "x", range(100))
            print("chunk", flush=True)
            time.sleep(0.01)
TokenStore.build(sys.argv[1], Slow(), pickle.load(open(sys.argv[2], "rb")))
"""


def test_a_killed_build_leaves_no_half_store(preprocessor, tmp_path):
    file, path = tmp_path / "preprocessor", tmp_path / "s"
    file.write_bytes(pickle.dumps(preprocessor))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, path, file],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    for _ in range(20):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not path.exists()
    assert len(TokenStore.build(path, CORPUS, preprocessor)) == len(PAIRS)
    assert sorted(os.listdir(tmp_path)) == ["preprocessor", "s"]


def test_sampled_rows_are_repeatable_and_the_same_text(store, preprocessor):
    indices = np.arange(40)
    best = store.rows("target", indices, 128)
    drawn = store.rows("target", indices, 128, sampling=0.1, seed=4)
    assert (drawn == store.rows("target", indices, 128, sampling=0.1, seed=4)).all()
    assert (drawn != store.rows("target", indices, 128, sampling=0.1, seed=5)).any()
    assert (drawn != best).any()
    assert preprocessor.detokenize(drawn) == preprocessor.detokenize(best)
    assert preprocessor.detokenize(best) == [pair[1].lower() for pair in PAIRS[:40]]


def test_a_drawn_row_that_does_not_fit_keeps_its_best(store, preprocessor):
    indices = np.argsort(store.lengths("target"))[-20:]
    width = int(store.lengths("target").max())
    best = store.rows("target", indices, width)
    drawn = store.rows("target", indices, width, sampling=0.01, seed=1)
    assert preprocessor.detokenize(drawn) == preprocessor.detokenize(best)
    assert (drawn == best).all(axis=1).any()


def test_lengths_for_sampling_leave_room(store):
    indices = np.arange(len(store))
    room = store.lengths("source", sampling=0.1)
    assert (room >= store.lengths("source")).all()
    drawn = store.rows("source", indices, 256, sampling=0.1, seed=9)
    assert ((drawn != 0).sum(axis=1) <= room).mean() > 0.85


def test_sampling_without_the_text(preprocessor, tmp_path):
    store = TokenStore.build(tmp_path / "s", CORPUS, preprocessor)
    with pytest.raises(UserError, match="without the text"):
        store.rows("source", np.arange(3), 64, sampling=0.1)


@pytest.mark.parametrize("sampling", [None, 0.2])
def test_batches(store, preprocessor, sampling):
    lengths = [store.lengths(side, sampling) for side in ("source", "target")]
    plan = BatchPlan(*lengths, tokens=512, seed=3)
    batches = TokenBatches(store, plan, sampling=sampling)
    seen = []
    for index in range(len(batches)):
        features, labels, weights = batches[index]
        planned = batches.epoch[index]
        rows, source, target = planned.shape
        assert features["values"].shape == features["mask"].shape == (rows, source)
        assert features["tokens"].shape == labels.shape == weights.shape == (rows, target)
        assert features["mask"].any(axis=1).all()
        assert not weights[planned.real :].any()
        real = slice(planned.real)
        assert (weights[real] == (labels[real] != 0)).all()
        pairs = [PAIRS[i] for i in planned.indices[real]]
        assert preprocessor.detokenize(labels[real]) == [target.lower() for _, target in pairs]
        seen.extend(planned.indices[real])
        again = TokenBatches(store, plan, sampling=sampling)[index]
        assert (again[1] == labels).all() and (again[0]["values"] == features["values"]).all()
    assert sorted(seen) == list(range(len(PAIRS)))


def test_the_end_of_an_epoch_begins_the_next(store):
    plan = BatchPlan(store.lengths("source"), store.lengths("target"), tokens=512)
    batches = TokenBatches(store, plan)
    batches.on_epoch_end()
    assert (batches[0][1] == TokenBatches(store, plan, epoch=1)[0][1]).all()


def test_a_store_travels_to_another_process(store):
    copy = pickle.loads(pickle.dumps(store))
    indices = np.arange(5)
    assert (copy.rows("source", indices, 64) == store.rows("source", indices, 64)).all()
    drawn = [s.rows("source", indices, 64, sampling=0.1) for s in (copy, store)]
    assert (drawn[0] == drawn[1]).all()


def test_batches_are_gathered_quickly(store):
    indices = np.arange(128)
    start = time.process_time()
    for _ in range(200):
        store.rows("source", indices, 128)
    assert (time.process_time() - start) / 200 < 0.005


def test_rows_are_read_alike_without_pread(store, monkeypatch):
    indices = np.array([299, 0, 64, 63, 299])
    expected = store.rows("source", indices, 64)
    monkeypatch.delattr(os, "pread")
    assert (store.rows("source", indices, 64) == expected).all()
