import errno
import gzip
import hashlib
import http.server
import threading
import zipfile

import pytest

from kerasseq.data.public import datasets, fetch
from kerasseq.data.public.dataset import File
from kerasseq.errors import UserError

DATA = bytes(range(256)) * 3000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content`, with the faults that `server` asks for."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        if server.status:
            return self.send_error(server.status.pop(0))
        start = 0
        if server.ranges and self.headers.get("Range"):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.content):
                return self.send_error(416)
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.breaks.pop(0)] if server.breaks else body)


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.ranges, server.breaks = DATA, True, []
    server.status, server.asked = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/a.gz"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(fetch, "PAUSE", 0)


@pytest.fixture
def get(server, tmp_path):
    def get(*urls, data=DATA):
        file = File("a.gz", len(data), hashlib.sha256(data).hexdigest(), urls or (server.url,))
        return fetch.fetch_file(file, tmp_path, reports.append).read_bytes()

    reports = get.reports = []
    return get


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file(get, server, tmp_path):
    assert get() == DATA
    assert names(tmp_path) == ["a.gz"]
    done = [progress.done for progress in get.reports]
    assert done == sorted(done) and done[-1] == len(DATA)
    assert "0.8 of 0.8 MB" in str(get.reports[-1]) and "0 s left" in str(get.reports[-1])
    get()
    assert len(server.asked) == 1


def test_an_interrupted_transfer_goes_on(get, server):
    server.breaks = [200_000, 100_000]
    assert get() == DATA
    assert server.asked == [None, "bytes=200000-", "bytes=300000-"]


def test_a_server_without_ranges_begins_again(get, server):
    server.ranges, server.breaks = False, [200_000]
    assert get() == DATA
    assert server.asked == [None, "bytes=200000-"]


def test_another_run_goes_on(get, server, tmp_path):
    server.breaks = [50_000, 50_000, 50_000, 50_000]
    with pytest.raises(UserError, match="broke off after 200,000 of 768,000 bytes"):
        get()
    assert names(tmp_path) == ["a.gz.part"]
    assert get() == DATA
    assert server.asked[-1] == "bytes=200000-"


@pytest.mark.parametrize("size", [1000, len(DATA), len(DATA) + 5])
def test_another_file_s_beginning_is_thrown_away(get, tmp_path, size):
    (tmp_path / "a.gz.part").write_bytes(b"x" * size)
    assert get() == DATA
    assert names(tmp_path) == ["a.gz"]


def test_a_damaged_file_under_its_name_is_replaced(get, tmp_path):
    (tmp_path / "a.gz").write_bytes(DATA[:-1])
    assert get() == DATA


def test_other_content_is_not_taken_but_kept(get, server, tmp_path):
    server.content = DATA[:-1] + b"!"
    with pytest.raises(UserError, match="is not the file that is known: its SHA-256 is .* rename"):
        get()
    assert names(tmp_path) == ["a.gz.unverified"]


def test_a_shorter_file_of_the_publisher_is_not_taken(get, server, tmp_path):
    server.content = DATA[:1000]
    with pytest.raises(UserError, match="is not the file that is known"):
        get()
    assert names(tmp_path) == ["a.gz.unverified"]


def test_a_busy_server_is_asked_again(get, server):
    server.status = [503, 429]
    assert get() == DATA


def test_a_missing_file_is_asked_for_once(get, server, tmp_path):
    server.status = [404]
    with pytest.raises(UserError, match="answers 404 Not Found"):
        get()
    assert len(server.asked) == 1 and names(tmp_path) == []


def test_the_next_address_is_tried(get, server):
    server.status = [404]
    assert get(server.url, server.url) == DATA


def test_nobody_answers(get):
    with pytest.raises(UserError, match="cannot be reached: .*[Rr]efused"):
        get("http://127.0.0.1:9/a.gz")


def test_a_full_disk(get, monkeypatch):
    def copy(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "_copy", copy)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        get()


def test_progress_is_one_line_when_it_goes_to_a_file(server, tmp_path, capsys):
    file = File("a.gz", len(DATA), hashlib.sha256(DATA).hexdigest(), (server.url,))
    fetch.fetch_file(file, tmp_path, fetch._Line())
    assert capsys.readouterr().err.count("\n") == 1


def test_fetch_of_a_set_puts_it_where_locate_looks(server, tmp_path, monkeypatch):
    file = File("a.gz", len(DATA), hashlib.sha256(DATA).hexdigest(), (server.url,))
    small = datasets.Dataset("small", "", ("en", "de"), "", "", 1, "folder", (file,), dict)
    monkeypatch.setitem(datasets.DATASETS, "small", small)
    folder = fetch.fetch("small", tmp_path, lambda _: None)
    assert folder == tmp_path / "folder" == datasets.find("small").locate(tmp_path)


def write_multi30k(folder, languages=("en", "de")):
    folder.mkdir(parents=True)
    for stem in ("train", "val", "test_2016_flickr"):
        for language in languages:
            path = folder / f"{stem}.{language}.gz"
            path.write_bytes(gzip.compress(f"{stem} {language} 1\n{stem} {language} 2\n".encode()))


@pytest.mark.parametrize("under", [".", "multi30k"])
def test_multi30k_in_its_official_layout(tmp_path, under, monkeypatch):
    write_multi30k(tmp_path / "data" / under)
    monkeypatch.setenv("KERASSEQ_DATA", str(tmp_path / "data"))
    parts = datasets.pairs("multi30k", "de", "en")
    assert {part: list(corpus) for part, corpus in parts.items()} == {
        part: [(f"{stem} de {i}", f"{stem} en {i}") for i in (1, 2)]
        for part, stem in (("train", "train"), ("valid", "val"), ("test", "test_2016_flickr"))
    }
    assert list(datasets.pairs("multi30k")["valid"])[0] == ("val en 1", "val de 1")


def test_tatoeba_is_split_by_english_sentence_in_both_directions(tmp_path):
    rows = [(f"Sentence {i // 3}.", f"Satz {i}.") for i in range(6000)]
    with zipfile.ZipFile(tmp_path / "deu-eng.zip", "w") as archive:
        archive.writestr("deu.txt", "".join(f"{a}\t{b}\tCC-BY\n" for a, b in rows))
    there = datasets.pairs("tatoeba-deu", "en", "de", tmp_path)
    back = datasets.pairs("tatoeba-deu", "de", data_dir=tmp_path)
    parts = {part: list(corpus) for part, corpus in there.items()}
    assert sorted(sum(parts.values(), [])) == sorted(rows)
    english = [{pair[0] for pair in pairs} for pairs in parts.values()]
    assert all(english) and sum(map(len, english)) == 2000
    assert 20 <= len(parts["test"]) <= 120
    for part, corpus in back.items():
        assert list(corpus) == [pair[::-1] for pair in parts[part]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("multi31k",), "no data set 'multi31k'; there are multi30k, tatoeba-deu, tatoeba-fra"),
        (("multi30k", "en", "xx"), "has no language 'xx'; it has en, de, fr, cs"),
        (("multi30k", "en", "en"), "both 'en'"),
        (("multi30k", "en", "de"), "kerasseq datasets fetch multi30k"),
        (("tatoeba-fra",), "fra-eng.zip is missing"),
    ],
)
def test_errors(tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        datasets.pairs(*arguments, data_dir=tmp_path)


def test_only_the_languages_in_use_are_needed(tmp_path):
    write_multi30k(tmp_path / "multi30k", ("en", "fr"))
    assert datasets.pairs("multi30k", "en", "fr", tmp_path)
    with pytest.raises(UserError, match=r"train.de.gz is missing"):
        datasets.pairs("multi30k", "en", "de", tmp_path)


def test_the_registry():
    for name, dataset in datasets.DATASETS.items():
        assert dataset.name == name and dataset.licence and dataset.size > 1e6
        for file in dataset.files:
            assert len(file.sha256) == 64 and all(u.startswith("https://") for u in file.urls)
