import os
import pickle
from collections import Counter

import numpy as np
import pytest

from kerasseq.data import RecordingCorpus, SoundBatches, SoundStore, sound_plan
from kerasseq.data.folder import build_folder
from kerasseq.errors import UserError
from kerasseq.preprocessing import SpeechPreprocessor

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

RATE = 8000
RNG = np.random.default_rng(0)
WORDS = "zero one two three four five six".split()
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 6))) for _ in range(60)]
SOUNDS = [
    RNG.integers(-3000, 3000, int(0.3 * len(text.split()) * RATE) + i).astype(np.int16)
    for i, text in enumerate(TEXTS)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    for i, samples in enumerate(SOUNDS):
        soundfile.write(folder / f"{i}.wav", samples, RATE)
    (folder / "l.tsv").write_text("".join(f"{i}.wav\t{t}\n" for i, t in enumerate(TEXTS)))
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["open", "ended"])
def preprocessor(request):
    return SpeechPreprocessor.learn(TEXTS, rate=RATE, end=request.param, max_seconds=3.0)


@pytest.fixture(scope="module")
def store(folder, preprocessor, tmp_path_factory):
    corpus = RecordingCorpus([folder / "l.tsv"])
    return SoundStore.build(tmp_path_factory.mktemp("store") / "train", corpus, preprocessor)


def test_rows_are_the_recordings_in_order(store, preprocessor):
    assert len(store) == 60 and not len(store.problems) and not len(store.unknown)
    assert store.texts(np.arange(60)) == TEXTS
    sounds = store.sounds(np.array([7, 3, 7]))
    for got, index in zip(sounds, (7, 3, 7), strict=True):
        assert got.dtype == np.int16 and (got == SOUNDS[index]).all()
    labels = preprocessor.targets(TEXTS)[1]
    assert (store.labels(np.arange(60), labels.shape[1]) == labels).all()
    assert (store.target_lengths() == (labels != 0).sum(1)).all()
    assert store.frames().tolist() == [-(-len(some) // 80) for some in SOUNDS]
    assert store.seconds == pytest.approx(sum(map(len, SOUNDS)) / RATE)
    again = pickle.loads(pickle.dumps(store._values))
    assert (again.take(np.array([3])).ids == SOUNDS[3]).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(folder, preprocessor, store, tmp_path, threads):
    counts = []
    corpus = RecordingCorpus([folder / "l.tsv"])
    other = SoundStore.build(
        tmp_path / "s", corpus, preprocessor, threads=threads, progress=counts.append
    )
    for name in os.listdir(store.path):
        if name != "meta.json":
            assert (other.path / name).read_bytes() == (store.path / name).read_bytes()
    assert counts == sorted(counts) and counts[-1] == 60


def test_it_is_built_once(preprocessor, tmp_path):
    soundfile.write(tmp_path / "a.wav", SOUNDS[0], RATE)
    (tmp_path / "l.tsv").write_text("a.wav\tone\n")

    def build(preprocessor=preprocessor, **options):
        corpus = RecordingCorpus([tmp_path / "l.tsv"])
        store = SoundStore.build(tmp_path / "s", corpus, preprocessor, **options)
        return (store.path / "meta.json").stat().st_mtime_ns

    first = build()
    assert build() == first
    soundfile.write(tmp_path / "a.wav", SOUNDS[1], RATE)
    with pytest.raises(UserError, match="the recordings have changed since this run began"):
        build(replace=False)
    second = build()
    assert second != first
    tokenizer = preprocessor.tokenizer("target")
    assert build(SpeechPreprocessor(tokenizer, rate=RATE // 2)) != second


def test_what_cannot_be_used_is_named_and_left_out(preprocessor, tmp_path):
    for name, seconds in (("good", 0.5), ("long", 4.0), ("short", 0.01), ("cut", 1.0)):
        soundfile.write(tmp_path / f"{name}.wav", np.ones(int(seconds * RATE), np.int16), RATE)
    data = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[:5000])
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").touch()
    rows = [
        *(("long", "one"), ("good", "one"), ("short", "one"), ("cut", "one"), ("text", "one")),
        *(("empty", "one"), ("none", "one"), ("good", "..."), ("good", "one ñ ño")),
    ]
    (tmp_path / "l.tsv").write_text("".join(f"{name}.wav\t{text}\n" for name, text in rows))
    store = SoundStore.build(tmp_path / "s", RecordingCorpus([tmp_path / "l.tsv"]), preprocessor)
    assert store.texts(np.arange(2)) == ["one", "one ñ ño"] and len(store) == 2
    assert (store.unknown.units, len(store.unknown)) == (Counter("ñ"), 1)
    assert store.problems.counts == {
        "longer than 3 s": 1,
        "shorter than 0.05 s": 1,
        "the recording is cut off": 1,
        "not a sound file, or a damaged one": 1,
        "the file is empty": 1,
        "there is no such recording": 1,
        "nothing is left of the transcript": 1,
    }
    assert f"{tmp_path / 'l.tsv'}:1: longer than 3 s ({tmp_path}/long.wav)" in store.problems.named
    (tmp_path / "l.tsv").write_text("long.wav\tone\n")
    with pytest.raises(UserError, match="No recording is left to train on.\n .*longer than 3 s"):
        SoundStore.build(tmp_path / "t", RecordingCorpus([tmp_path / "l.tsv"]), preprocessor)
    assert not list(tmp_path.glob("t*.new"))


def test_batches(store, preprocessor):
    plan = sound_plan(store, seconds=12.0, shapes=4, seed=3)
    batches = SoundBatches(store, plan)
    seen = Counter()
    for index in range(len(batches)):
        inputs, labels, weights = batches[index]
        rows, real, shape = batches.epoch[index]
        values, mask, tokens = (inputs[key] for key in ("values", "mask", "tokens"))
        assert values.dtype == np.int16 and values.shape == mask.shape
        assert values.shape == (shape.rows, shape.source * RATE // 100)
        assert values.shape[0] == 1 or values.size <= 12.0 * RATE
        assert labels.shape == weights.shape == (shape.rows, shape.target)
        assert tokens.shape[1] == shape.target + (not preprocessor.end)
        assert not weights[real:].any() and (weights[:real] == (labels[:real] != 0)).all()
        assert not values[~mask].any() and mask.any(1).all()
        for row, example in enumerate(rows):
            assert (values[row][mask[row]] == SOUNDS[example]).all()
        assert preprocessor.detokenize(labels) == [TEXTS[example] for example in rows]
        seen.update(rows[:real].tolist())
    assert seen == Counter(range(60))


def test_changed_sounds_depend_on_seed_epoch_and_example_alone(store):
    speeds = (0.9, 1.0, 1.1)
    plans = [sound_plan(store, seconds=s, speeds=speeds, seed=5) for s in (12.0, 30.0)]

    def heard(plan, epoch):
        batches = SoundBatches(store, plan, speeds=speeds, gain=6.0, epoch=epoch)
        found = {}
        for index in reversed(range(len(batches))):
            inputs, rows = batches[index][0], batches.epoch[index].indices
            for values, mask, row in zip(inputs["values"], inputs["mask"], rows, strict=True):
                found[int(row)] = values[mask]
        return found

    first, other, next_epoch = heard(plans[0], 0), heard(plans[1], 0), heard(plans[0], 1)
    assert all(np.array_equal(first[i], other[i]) for i in range(60))
    assert sum(np.array_equal(first[i], next_epoch[i]) for i in range(60)) < 5
    speed = np.array([len(SOUNDS[i]) / len(first[i]) for i in range(60)])
    assert set(np.round(speed, 1)) == set(speeds)
    gain = np.log10([first[i].std() / SOUNDS[i].std() for i in range(60)]) * 20
    assert -7 < gain.min() < -2 and 2 < gain.max() < 7
    with pytest.raises(UserError, match="Speeds must be"):
        SoundBatches(store, plans[0], speeds=())


def test_a_full_disk_is_named(tmp_path):
    def write(folder):
        (folder / "sounds").write_bytes(b"some")
        raise OSError("100 requested and 4 written")  # as NumPy has it

    with pytest.raises(UserError, match="store cannot be written: no space left on the disk"):
        build_folder(tmp_path / "store", "a", write)
    assert not list(tmp_path.iterdir())
