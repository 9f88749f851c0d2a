import json
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.data import (
    FrozenEncoder,
    PictureBatches,
    PictureCorpus,
    PictureStore,
    holdout,
    picture_plan,
)
from kerasseq.data.public import datasets
from kerasseq.data.public.fetch import fetch
from kerasseq.errors import UserError
from kerasseq.preprocessing import CaptionPreprocessor

Image = pytest.importorskip("PIL.Image")


def picture(path, level=50, size=(16, 12), frames=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = (Image.new("RGB", size, (level, 10 * i, 0)) for i in range(frames))
    first.save(path, **({"save_all": True, "append_images": rest} if rest else {}))


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    return tmp_path


def rows(corpus):
    return [(some.path.rpartition("/")[2], some.texts, some.line) for some in corpus]


# Lists.

COCO = {
    "images": [{"id": 7, "file_name": "a.png"}, {"id": "x", "file_name": "b.png"}],
    "annotations": [
        {"id": 1, "image_id": 7, "caption": "one two"},
        {"id": 2, "image_id": "x", "caption": "three"},
        {"id": 3, "image_id": 7, "caption": "four, five"},
    ],
}
TABLE = 'images/a.png,one two\nimages/b.png,three\nimages/a.png,"four, five"\n'
OBJECTS = [
    {"file_name": "images/a.png", "captions": ["one two", "four, five"]},
    {"image": "images/b.png", "text": "three"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.tsv", TABLE.replace(",", "\t", 2).replace('.png,"', '.png\t"').replace('"', "")),
        ("l.txt", TABLE),
        ("l.txt", "image,caption\n" + TABLE),
        ("l.csv", TABLE.replace(",", ", ", 2).replace(',"', ', "')),
        ("l.csv", "n,caption,file_name\n1,one two,images/a.png\n1,three,images/b.png\n"
                  '1,"four, five",images/a.png'),
        ("l.tsv", "path\tcaption\r\nimages/a.png\tone two\r\nimages/b.png\tthree\r\n"
                  "images/a.png\tfour, five"),
        ("l.token.txt", "images/a.png#0\tone two\nimages/b.png#0\tthree\nimages/a.png#1\t"
                        "four, five\n"),
        ("metadata.csv", "file_name,text\n" + TABLE),
        ("metadata.jsonl", "\n".join(map(json.dumps, OBJECTS))),
        ("l.json", "\n".join(map(json.dumps, OBJECTS))),
        ("l.json", json.dumps(OBJECTS, indent=1)),
        ("images/l.json", json.dumps(COCO)),
        ("l.json", json.dumps(COCO)),
        ("annotations/captions_train.json", json.dumps(COCO, indent=1)),
    ],
)  # fmt: skip
def test_lists(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if name.startswith("annotations"):
        (folder / "images").rename(folder / "train")
    path.write_bytes(text.encode())
    corpora = [PictureCorpus([path])]
    if name.startswith("metadata"):
        corpora.append(PictureCorpus([folder]))
    for corpus in corpora:
        found = [some[:2] for some in rows(corpus)]
        assert found == [("a.png", ("one two", "four, five")), ("b.png", ("three",))]
        assert rows(corpus) == rows(corpus) and not len(corpus.problems)
        assert list(corpus.texts()) == ["one two", "four, five", "three"]
        with corpus.reader((4, 8), 1) as read:
            assert [read(some).shape for some in corpus] == [(1, 4, 8, 3)] * 2


def test_a_folder_of_pictures_by_name(folder):
    for name, text in (("l.tsv", "a.png\tone\n"), ("l.json", json.dumps(COCO))):
        (folder / "lists").mkdir(exist_ok=True)
        (folder / "lists" / name).write_text(text)
        corpus = PictureCorpus([folder / "lists" / name], folder / "images")
        assert next(iter(corpus)).path == str(folder / "images" / "a.png")


def test_several_lists_have_references_of_one_picture(folder):
    (folder / "l.tsv").write_text("images/a.png\tone\nimages/b.png\ttwo\n")
    (folder / "m.tsv").write_text("images/a.png\tthree\n")
    assert rows(PictureCorpus([folder / "l.tsv", folder / "m.tsv"])) == [
        ("a.png", ("one", "three"), 1),
        ("b.png", ("two",), 2),
    ]


def test_problems_are_counted_and_named(folder):
    (folder / "l.tsv").write_bytes(
        b"images/none.png\tone\nimages/none.png\ttwo\nno tab\nimages/a.png\t \n"
        b"images/a.png\tthree\nimages/b.png\t\nimages/b.png\t\xff\nhttp://a.org/a.png\tfour\n"
    )
    corpus = PictureCorpus([folder / "l.tsv"])
    assert rows(corpus) == [("a.png", ("three",), 5)]
    assert corpus.problems.counts == {
        "there is no such picture": 1,
        "no path and text with a tab or comma between": 1,
        "the caption is empty": 2,
        "not valid UTF-8": 1,
        "a URL, which is not fetched": 1,
    }
    assert (
        f"{folder}/l.tsv:1: there is no such picture ({folder}/images/none.png)"
        in corpus.problems.named
    )


def test_problems_of_other_lists(folder):
    broken = {
        "images": [*COCO["images"], {"id": 9}, 5],
        "annotations": [*COCO["annotations"], {"image_id": 3, "caption": "x"}, {"image_id": 7}],
    }
    objects = [*map(json.dumps, OBJECTS), "{", "[]", '{"image": "images/c.png", "captions": []}']
    for name, text, counts in (
        (
            "c.json",
            json.dumps(broken),
            {
                'in "images": not an object with "id" and "file_name"': 2,
                'in "annotations": of no picture in "images"': 1,
                'in "annotations": not an object with "image_id" and "caption"': 1,
            },
        ),
        (
            "o.jsonl",
            "\n".join(objects),
            {
                "not JSON": 1,
                'not an object with the texts "file_name" and "caption"': 1,
                "there is no caption": 1,
            },
        ),
        (
            "t.csv",
            TABLE + "images/c.png,a, b\n",
            {"more columns than in the first line: a comma needs quotes": 1},
        ),
    ):
        (folder / name).write_text(text)
        corpus = PictureCorpus([folder / name])
        assert len(list(corpus)) == 2 and corpus.problems.counts == counts
        assert all(f"{folder}/{name}:" in line for line in corpus.problems.named)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "", "nothing in it"),
        ("a.tsv", "x.png\tone\n", "nothing but bad lines.\n .*a.tsv:1: there is no such picture"),
        ("a.csv", "x,y,z\n", "a.csv:1: the header must name"),
        ("a.json", json.dumps(COCO)[:99], "a.json:1: not JSON"),
        ("a.json", "{}", "a.json:1: not an object"),
        ("a.doc", "x", "cannot be read as a list of pictures"),
    ],
)
def test_errors(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message):
        list(PictureCorpus([folder / name]))


def test_more_errors(folder):
    for lists, message in (
        ([], "at least one"),
        ([folder], "no folder of captioned pictures"),
        ([folder / "x.tsv"], "does not exist"),
    ):
        with pytest.raises(UserError, match=message):
            PictureCorpus(lists)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\t\n\r\0", codec="utf-8")), min_size=1))
def test_any_caption_comes_back(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("any")
    picture(folder / "a.png")
    said = ["begin", *texts]
    (folder / "l.tsv").write_bytes("".join(f"a.png\t{text}\n" for text in said).encode())
    corpus = PictureCorpus([folder / "l.tsv"])
    assert list(corpus.texts()) == [text.strip() for text in said if text.strip()]
    assert len(corpus.problems) == len(said) - len(list(corpus.texts()))
    (folder / "l.jsonl").write_text(json.dumps({"image": "a.png", "captions": said}))
    assert list(PictureCorpus([folder / "l.jsonl"]).texts()) == [t for t in said if t.strip()]


def test_the_fingerprint_follows_lists_and_pictures(folder):
    def fingerprint(text):
        (folder / "l.tsv").write_text(text)
        return PictureCorpus([folder / "l.tsv"]).fingerprint()

    first = fingerprint("images/a.png\tone\n")
    corpus = PictureCorpus([folder / "l.tsv"])
    assert corpus.fingerprint() == first
    picture(folder / "images/a.png", 70, (20, 20))
    changed = PictureCorpus([folder / "l.tsv"]).fingerprint()
    assert corpus.fingerprint() == first  # a list is read once
    assert len({first, changed, fingerprint("images/a.png\ttwo\n")}) == 3


def test_holdout(folder):
    for i in range(20):
        picture(folder / f"{i}.png")
    lines = "".join(f"{i}.png\tcaption {i} {j}\n" for j in range(2) for i in range(20))
    (folder / "l.tsv").write_text(lines)
    rest, part = holdout(PictureCorpus([folder / "l.tsv"]), 0.2)
    assert [len(list(some)) for some in (rest, part)] == [16, 4]
    assert {some.path for some in rest}.isdisjoint(some.path for some in part)
    with part.reader((4, 4), 1) as read:
        assert read(next(iter(part))).shape == (1, 4, 4, 3)
    with pytest.raises(UserError, match="20 pictures cannot be held out of 20"):
        holdout(PictureCorpus([folder / "l.tsv"]), 20)


# Flickr8k.


@pytest.mark.parametrize(
    ("images", "texts"),
    [("images", "text"), ("Flicker8k_Dataset", "Flickr8k_text"), ("Flicker8k_Dataset", ".")],
)
def test_flickr8k_in_its_official_layout(tmp_path, images, texts):
    folder = tmp_path / "flickr8k"
    (folder / texts).mkdir(parents=True)
    for name in "abcd":
        picture(folder / images / f"{name}.jpg")
    tokens = [f"{name}.jpg#{i}\tcaption {name} {i} .\n" for name in "abcdx" for i in range(5)]
    (folder / texts / "Flickr8k.token.txt").write_text("".join([*tokens, "no caption\n"]))
    for part, names in (("train", "ab"), ("dev", "c"), ("test", "dxy")):
        (folder / texts / f"Flickr_8k.{part}Images.txt").write_text(
            "".join(f"{name}.jpg\n" for name in names)
        )
    parts = datasets.pictures("flickr8k", tmp_path)
    assert {part: [some[0] for some in rows(corpus)] for part, corpus in parts.items()} == {
        "train": ["a.jpg", "b.jpg"],
        "valid": ["c.jpg"],
        "test": ["d.jpg"],
    }
    assert next(iter(parts["valid"])).texts == tuple(f"caption c {i} ." for i in range(5))
    assert sorted(parts["test"].problems.counts) == [
        "not the name of a picture, #, a number, a tab and a caption",
        "there is no caption",
        "there is no such picture",
    ]


def test_flickr8k_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="datasets fetch flickr8k` fetches it or says"):
        datasets.pictures("flickr8k", tmp_path)
    with pytest.raises(UserError, match="fetched by hand into .*Flickr8k_Dataset.zip"):
        fetch("flickr8k", tmp_path)
    with pytest.raises(UserError, match="flickr8k is picture: use it with .*train captioning"):
        datasets.recordings("flickr8k", tmp_path)


# The store.

WORDS = "zero one two three four five six".split()
COUNTS = [1 + i % 5 for i in range(40)]
TEXTS = [[" ".join(WORDS[: 1 + (i + j) % 7]) for j in range(n)] for i, n in enumerate(COUNTS)]


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    with open(folder / "l.jsonl", "w") as file:
        for i, texts in enumerate(TEXTS):
            picture(folder / f"{i}.gif", 5 * i, frames=1 + i % 4)
            file.write(json.dumps({"image": f"{i}.gif", "captions": texts}) + "\n")
    return folder / "l.jsonl"


def preprocessor_of(**options):
    return CaptionPreprocessor.learn(WORDS, **{"size": (6, 8), "frames": 3, **options})


PREPROCESSOR = preprocessor_of()


def frozen(name="sums", rows=16):
    def function(features):
        values, mask = features["values"], features["mask"]
        assert len(values) == rows
        steps = values.astype(np.float32).mean(axis=(2, 3))  # (N, F, 3)
        return np.repeat(steps, 2, axis=1), np.repeat(mask, 2, axis=1)

    return FrozenEncoder(function, name, rows)


@pytest.fixture(scope="module", params=[False, True], ids=["pixels", "features"])
def store(request, listed, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "train"
    encoder = frozen() if request.param else None
    return PictureStore.build(path, PictureCorpus([listed]), PREPROCESSOR, encoder=encoder)


@pytest.fixture(scope="module")
def clips(listed):
    corpus = PictureCorpus([listed])
    with corpus.reader((6, 8), 3) as read:
        return [read(some) for some in corpus]


def test_the_store_has_the_pictures_in_order(store, clips):
    every = np.arange(40)
    assert len(store) == 40 and not len(store.problems) and not len(store.unknown)
    assert store.references(every) == TEXTS and store.references([3, 1]) == [TEXTS[3], TEXTS[1]]
    assert store.counts.tolist() == COUNTS
    frames = [min(3, 1 + i % 4) for i in range(40)]
    assert store.lengths().tolist() == [n * (1 + store.encoded) for n in frames]
    assert store.target_lengths().tolist() == [
        max(len(text.split()) + 1 for text in texts) for texts in TEXTS
    ]
    features = store.features(np.array([7, 0, 7]))
    values, mask = features["values"], features["mask"]
    assert mask.sum(1).tolist() == store.lengths()[[7, 0, 7]].tolist() and not values[~mask].any()
    if store.encoded:
        assert values.dtype == np.float16 and values.shape == (3, 6, 3)
        expected = np.repeat(clips[7].mean(axis=(1, 2)), 2, axis=0).astype(np.float16)
    else:
        assert values.dtype == np.uint8 and values.shape == (3, 3, 6, 8, 3)
        expected = clips[7]
    assert np.array_equal(values[0], expected) and np.array_equal(values[2], expected)
    assert store.features(np.array([0]), 9)["values"].shape[:2] == (1, 9)
    labels = store.labels(store.starts[:-1], 8)
    assert PREPROCESSOR.detokenize(labels) == [texts[0] for texts in TEXTS]
    again = pickle.loads(pickle.dumps(store._values))
    assert np.array_equal(again.take(np.array([7])).ids, expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(store, listed, tmp_path, threads):
    counts, encoder = [], frozen() if store.encoded else None
    other = PictureStore.build(
        tmp_path / "s",
        PictureCorpus([listed]),
        PREPROCESSOR,
        encoder=encoder,
        threads=threads,
        progress=counts.append,
    )
    for path in store.path.iterdir():
        assert (other.path / path.name).read_bytes() == path.read_bytes()
    assert counts == [16, 32, 40]


def test_it_is_built_once(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "l.tsv").write_text("a.png\tone\n")

    def build(preprocessor=PREPROCESSOR, **options):
        corpus = PictureCorpus([tmp_path / "l.tsv"])
        store = PictureStore.build(tmp_path / "s", corpus, preprocessor, **options)
        return (store.path / "meta.json").stat().st_mtime_ns

    first = build()
    assert build() == first
    picture(tmp_path / "a.png", 90, (20, 20))
    with pytest.raises(UserError, match="the pictures have changed since this run began"):
        build(replace=False)
    stamps = [first, build(), build(preprocessor_of(frames=2)), build(encoder=frozen())]
    assert build(encoder=frozen()) == stamps[-1]
    assert build(encoder=frozen(rows=4)) == stamps[-1]
    assert len({*stamps, build(encoder=frozen("other")), build()}) == 6


def test_what_cannot_be_used_is_named_and_left_out(tmp_path):
    for name in ("good", "unsaid"):
        picture(tmp_path / f"{name}.png")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("no picture")
    lines = [
        *(("cut", "one"), ("text", "one"), ("none", "one"), ("unsaid", "..."), ("good", "!")),
        *(("good", "one ñandú"), ("good", "one " * 8), ("good", "two ñandú ñu")),
    ]
    (tmp_path / "l.tsv").write_text("".join(f"{name}.png\t{text}\n" for name, text in lines))

    def build(name):
        preprocessor = preprocessor_of(max_target_length=8)
        return PictureStore.build(
            tmp_path / name, PictureCorpus([tmp_path / "l.tsv"]), preprocessor
        )

    store = build("s")
    assert store.references([0]) == [["one ñandú", "two ñandú ñu"]] and len(store) == 1
    assert (store.unknown.units, len(store.unknown)) == (Counter({"ñandú": 2, "ñu": 1}), 2)
    assert store.problems.counts == {
        "the picture is cut off": 1,
        "not a picture file, or a damaged one": 1,
        "there is no such picture": 1,
        "nothing is left of the caption": 2,
        "a caption of more than 8 pieces": 1,
    }
    assert f"{tmp_path}/l.tsv:1: the picture is cut off ({tmp_path}/cut.png)" in str(store.problems)
    (tmp_path / "l.tsv").write_text("cut.png\tone\n")
    with pytest.raises(UserError, match="No picture is left to train on.\n .*cut off"):
        build("t")
    assert not list(tmp_path.glob("t")) and not list(tmp_path.glob("t.*"))


def test_a_full_disk(listed, tmp_path, monkeypatch):
    import errno

    from kerasseq.data.rows import RowWriter

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RowWriter, "add", full)
    with pytest.raises(UserError, match="cannot be written: No space left"):
        PictureStore.build(tmp_path / "s", PictureCorpus([listed]), PREPROCESSOR)
    assert not list(tmp_path.iterdir())


# Batches.


@pytest.mark.parametrize("every", [False, True])
def test_batches(store, every):
    plan = picture_plan(store, rows=8, seed=3, shapes=2, every=every)
    batches = PictureBatches(store, plan, every=every)
    seen = Counter()
    for index in range(len(batches)):
        inputs, labels, weights = batches[index]
        rows, real, shape = batches.epoch[index]
        pictures = batches.pictures(index)
        assert len(rows) <= 8 and inputs["values"].shape[1] <= store.lengths().max()
        features = store.features(pictures, inputs["values"].shape[1])
        assert all(np.array_equal(features[key], inputs[key]) for key in features)
        assert labels.shape == weights.shape == inputs["tokens"].shape == (len(rows), shape.target)
        assert not weights[real:].any() and (weights[:real] == (labels[:real] != 0)).all()
        texts = PREPROCESSOR.detokenize(labels)
        for text, which in zip(texts, pictures.tolist(), strict=True):
            assert text in TEXTS[which]
        seen.update(zip(pictures[:real].tolist(), texts, strict=False))
    if every:
        assert seen == Counter((i, text) for i, texts in enumerate(TEXTS) for text in texts)
    else:
        assert sorted(which for which, _ in seen) == list(range(40))
    assert len(batches) >= (sum(COUNTS) if every else 40) // 8


def read_captions(store, plan, epoch, reverse=False):
    batches = PictureBatches(store, plan, epoch=epoch)
    found = {}
    order = range(len(batches))
    for index in reversed(order) if reverse else order:
        labels, pictures = batches[index][1], batches.pictures(index)
        found.update(zip(pictures.tolist(), PREPROCESSOR.detokenize(labels), strict=True))
    return found


def test_captions_depend_on_seed_epoch_and_picture_alone(store):
    one, other = (picture_plan(store, rows=rows, seed=5) for rows in (8, 40))
    first = [read_captions(store, one, epoch) for epoch in range(60)]
    assert first[7] == read_captions(store, other, 7, reverse=True)
    assert first[7] != first[8]
    assert first[0] != read_captions(store, picture_plan(store, rows=8, seed=6), 0)
    for which, texts in enumerate(TEXTS):
        said = [found[which] for found in first]
        for start in range(0, 60, len(texts)):
            assert sorted(said[start : start + len(texts)]) == sorted(texts)


def test_an_epoch_goes_on_from_any_batch(store):
    plan = picture_plan(store, rows=8, seed=1)
    whole = PictureBatches(store, plan)
    whole.on_epoch_end()
    again = PictureBatches(store, plan, epoch=1)
    for index in (len(whole) - 1, 2):
        for one, other in zip(whole[index][1:], again[index][1:], strict=True):
            assert np.array_equal(one, other)
        for key, array in whole[index][0].items():
            assert np.array_equal(array, again[index][0][key])


def test_moved_pictures(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(40):
        Image.fromarray(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)).save(
            tmp_path / f"{i}.png"
        )
    (tmp_path / "l.tsv").write_text("".join(f"{i}.png\tone\n" for i in range(40)))
    corpus = PictureCorpus([tmp_path / "l.tsv"])
    store = PictureStore.build(tmp_path / "s", corpus, preprocessor_of(frames=1))
    plans = [picture_plan(store, rows=rows) for rows in (4, 16)]
    kept = store.features(np.arange(40))["values"][:, 0]

    def seen(plan, epoch, **options):
        batches = PictureBatches(store, plan, epoch=epoch, **options)
        found = {}
        for index in range(len(batches)):
            pictures = batches.pictures(index).tolist()
            found.update(zip(pictures, batches[index][0]["values"][:, 0], strict=True))
        return np.stack([found[i] for i in range(40)])

    assert np.array_equal(seen(plans[0], 0), kept)
    flipped = seen(plans[0], 0, flip=True)
    mirrored = (flipped == kept[:, :, ::-1]).all(axis=(1, 2, 3))
    assert 8 < mirrored.sum() < 32
    assert np.array_equal(flipped[~mirrored], kept[~mirrored])
    moved = seen(plans[0], 0, shift=1)
    assert np.array_equal(moved, seen(plans[1], 0, shift=1))
    assert not np.array_equal(moved, seen(plans[0], 1, shift=1))
    shifts = Counter()
    for one, whole in zip(moved, kept, strict=True):
        bordered = np.pad(whole, ((1, 1), (1, 1), (0, 0)), mode="edge")
        found = [
            (down, right)
            for down in range(3)
            for right in range(3)
            if np.array_equal(bordered[down : down + 6, right : right + 8], one)
        ]
        assert len(found) == 1
        shifts.update(found)
    assert len(shifts) == 9


def test_features_are_not_moved(listed, tmp_path):
    corpus = PictureCorpus([listed])
    store = PictureStore.build(tmp_path / "s", corpus, PREPROCESSOR, encoder=frozen())
    for options in ({"flip": True}, {"shift": 1}):
        with pytest.raises(UserError, match="cannot be flipped or shifted"):
            PictureBatches(store, picture_plan(store), **options)
