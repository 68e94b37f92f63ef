"""What a runner knows of a job comes to the server whole, in order and once, whatever happens."""

from __future__ import annotations

import errno
import os
import random
from typing import TYPE_CHECKING

import pytest
from tests.runner_server import (
    CREDENTIAL,
    CUT,
    FAIL,
    FAULTS,
    LOSE_ANSWER,
    TWICE,
    Held,
    RunnerServer,
    served,
)

from windlass.model.status import Result
from windlass.protocol.runner import EndRequest, JobId
from windlass.runner.connection import (
    AwayError,
    Connection,
    GoneError,
    ProtocolError,
    RefusedError,
    read_address,
)
from windlass.runner.jobs import Delivery
from windlass.runner.records import JobRecord, list_records
from windlass.runner.shipping import Shipment
from windlass.stores.log_index import RECORD
from windlass.stores.logs import JobLogReader, JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JOB = JobId("1700000000000000", 1, 3)
END = EndRequest(received=0, result=Result.SUCCESS, outputs={"a": "b"})


@pytest.fixture
def played() -> RunnerServer:
    return RunnerServer()


@pytest.fixture
def connection(played: RunnerServer) -> Iterator[Connection]:
    with served(played) as url:
        connection = Connection(read_address(url), CREDENTIAL)
        yield connection
        connection.close()
    assert played.complaints == []


@pytest.fixture
def record(tmp_path: Path) -> Iterator[JobRecord]:
    record = JobRecord(tmp_path / "runs", JOB)
    record.make()
    yield record
    record.close()


def no_cancel(reason: str) -> None:
    raise AssertionError(reason)


def insist(deed: Callable[[], object]) -> None:
    """Try until the server has answered."""
    for _ in range(200):
        try:
            deed()
        except AwayError:
            continue
        return
    raise AssertionError("the server never answered")


def read_lines(held: Held, folder: Path) -> list[tuple[str, str]]:
    with JobLogReader(held.write_to(folder)) as reader:
        return [(line.step, line.text) for line in reader.lines(0, 10_000)]


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_everything_arrives_once(
    fault: str | None,
    played: RunnerServer,
    connection: Connection,
    record: JobRecord,
    tmp_path: Path,
) -> None:
    """Each request meets the fault the first time, and is sent again."""
    met: set[str] = set()

    def choose(method: str, path: str) -> str | None:
        is_new = path not in met
        met.add(path)
        return fault if is_new else None

    played.choose_fault = choose
    shipment = Shipment(record, no_cancel, no_cancel)
    writer = JobLogWriter(record.folder / "log")
    expected = []
    for number in range(4):
        record.add_events([f'{{"n": {number}}}', f'{{"m": "{"x" * 200_000}"}}'])
        writer.write(f"step {number % 2}", f"line {number}\n".encode())
        expected.append((f"step {number % 2}", f"line {number}"))
        insist(lambda: shipment.ship(connection))
    writer.close()
    insist(lambda: shipment.end(connection, END))

    held = played.jobs[str(JOB)]
    assert [it.get("n") for it in held.told if "n" in it] == [0, 1, 2, 3]
    assert len(held.events) == 8
    assert read_lines(held, tmp_path / "there") == expected
    assert held.end is not None
    assert (held.end.received, held.end.result, held.end.outputs) == (8, "success", {"a": "b"})


def test_a_log_that_cannot_be_read_for_now(
    played: RunnerServer,
    connection: Connection,
    record: JobRecord,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Too many files are open, perhaps: a job does not end without its log."""
    writer = JobLogWriter(record.folder / "log")
    writer.write("step", b"line\n")
    writer.close()
    opened, refusals = os.open, [errno.EMFILE, errno.EIO]

    def refuse(path: Path, *more: int) -> int:
        if path == record.folder / "log" and refusals:
            raise OSError(refusals.pop(), "not now")
        return opened(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    shipment = Shipment(record, no_cancel, no_cancel)
    delivery = Delivery(record, connection, shipment, no_cancel, lambda: None)
    delivery.end(END)
    delivery.thread.start()
    delivery.thread.join(60)
    assert (refusals, delivery.is_told) == ([], True)
    assert read_lines(played.jobs[str(JOB)], tmp_path / "there") == [("step", "line")]


@pytest.mark.parametrize("seed", range(12))
def test_any_mixture_of_faults(
    seed: int, played: RunnerServer, connection: Connection, record: JobRecord, tmp_path: Path
) -> None:
    """Half of all requests go wrong; at times the server crashes, or the runner starts anew."""
    draw = random.Random(seed)
    crashes: list[str] = []

    def choose(_method: str, _path: str) -> str | None:
        return crashes.pop() if crashes else draw.choice((*FAULTS, *(None,) * 4))

    played.choose_fault = choose
    shipment = Shipment(record, no_cancel, no_cancel)
    writer = JobLogWriter(record.folder / "log")
    expected = []
    for number in range(30):
        record.add_events([f'{{"n": {number}}}'] * draw.randrange(3))
        for _ in range(draw.randrange(4)):
            step, text = f"s{draw.randrange(3)}", "y" * draw.choice((0, 5, 3_000))
            writer.write(step, f"{text}\n".encode())
            expected.append((step, text))
        if draw.random() < 0.2:
            shipment = Shipment(record, no_cancel, no_cancel, is_old=True)
        if draw.random() < 0.2 and str(JOB) in played.jobs:
            forget(played.jobs[str(JOB)], draw)
            crashes.append(CUT)
        try:
            shipment.ship(connection)
        except AwayError:
            continue
    writer.close()
    insist(lambda: shipment.end(connection, END))

    held = played.jobs[str(JOB)]
    assert held.events == record.read_events(0, 1 << 40)
    assert held.files["log"] == (record.folder / "log").read_bytes()
    assert read_lines(held, tmp_path / "there") == expected


def forget(held: Held, draw: random.Random) -> None:
    """As a server whose last writes were lost with its machine."""
    del held.events[draw.randint(0, len(held.events)) :]
    # Records go first, as they came last.
    index = held.files["log.index"]
    del index[draw.randint(0, len(index)) // RECORD.size * RECORD.size :]
    if not index:
        held.files["log"].clear()


def test_only_what_counts_is_sent(
    played: RunnerServer, connection: Connection, record: JobRecord
) -> None:
    """Bytes without a record may be cut off yet, when the runner is killed and started again."""
    writer = JobLogWriter(record.folder / "log")
    writer.write("a", b"first\n")
    shipment = Shipment(record, no_cancel, no_cancel)
    for name, data in (("log", b"half a li"), ("log.index", b"\0" * 9), ("log.steps", b"7 b")):
        with (record.folder / name).open("ab") as file:
            file.write(data)
    shipment.ship(connection)
    writer.close()
    other = JobLogWriter(record.folder / "log")
    other.write("c", b"second\n")
    other.close()
    shipment.end(connection, END)

    held = played.jobs[str(JOB)]
    assert bytes(held.files["log"]) == b"first\nsecond\n"
    assert held.files["log.index"] == (record.folder / "log.index").read_bytes()
    assert held.files["log.steps"] == (record.folder / "log.steps").read_bytes()


def test_half_an_event_does_not_count(record: JobRecord, tmp_path: Path) -> None:
    """What a killed runner was writing is cut off by the next one."""
    record.add_events(['{"a": 1}'])
    with (record.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"b"')
    again = JobRecord(tmp_path / "runs", JOB)
    again.make()
    again.add_events(['{"c": 3}'])

    assert again.read_events(0, 1 << 40) == ['{"a": 1}', '{"c": 3}']
    assert again.count_events() == 2
    again.close()


@pytest.mark.parametrize("length", [0, 1, 65_534, 65_535, 65_536, 200_000])
def test_an_event_of_any_length(record: JobRecord, length: int) -> None:
    """Lines are longer than what is read at once."""
    lines = ["x" * length, "short", "y" * length]
    record.add_events(lines[:1])
    record.add_events(lines[1:])

    assert record.count_events() == 3
    assert [record.read_events(number, 0) for number in range(4)] == [
        *([line] for line in lines),
        [],
    ]
    assert record.read_events(0, 1 << 40) == lines


@pytest.mark.parametrize("force", [False, True])
def test_a_job_is_asked_to_end(
    force: bool, played: RunnerServer, connection: Connection, record: JobRecord
) -> None:
    """The answer to events says so too: a job that talks need not wait for a poll."""
    asked: list[str] = []
    insisted: list[str] = []
    played.jobs[str(JOB)] = Held(cancel="somebody asked", force=force)
    record.add_events(["{}"])
    Shipment(record, asked.append, insisted.append).ship(connection)

    assert (insisted if force else asked) == ["somebody asked"]
    assert (asked if force else insisted) == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, RefusedError), (403, RefusedError), (410, GoneError), (413, ProtocolError),
     (422, ProtocolError), (429, AwayError), (500, AwayError), (503, AwayError), (301, AwayError)],
)  # fmt: skip
def test_what_refusals_mean(
    status: int,
    error: type[Exception],
    played: RunnerServer,
    connection: Connection,
    record: JobRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some are worth another try, others are not; what the server said is in the message."""
    monkeypatch.setattr(played, "answer", lambda *_: (status, '{"detail": "for a reason"}'))
    record.add_events(["{}"])

    with pytest.raises(error, match=f"said {status}: for a reason"):
        Shipment(record, no_cancel, no_cancel).ship(connection)


@pytest.mark.parametrize("answer", ['{"received": 5}', '{"received": -1}', "{}", "nonsense"])
def test_a_gap_that_makes_no_sense(
    answer: str,
    played: RunnerServer,
    connection: Connection,
    record: JobRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that wants what comes later, or does not say what, is not asked for ever."""
    monkeypatch.setattr(played, "answer", lambda *_: (409, answer))
    record.add_events(["{}"])

    with pytest.raises(ProtocolError):
        Shipment(record, no_cancel, no_cancel).ship(connection)


def test_records_are_found_again(tmp_path: Path) -> None:
    """The next process that is this runner finds what is not told yet; removed ones are gone."""
    jobs = [JobId("1", 1, 1), JobId("1", 1, 2), JobId("2", 1, 1)]
    records = [JobRecord(tmp_path, job) for job in jobs]
    for record in records:
        record.make()
    (tmp_path / "1" / "x").mkdir()

    assert [it.job for it in list_records(tmp_path)] == jobs

    for record in records:
        record.write_end(END)
        assert record.read_end() == END
        record.remove()
    assert list(list_records(tmp_path)) == []
    assert os.listdir(tmp_path) == ["1"]  # noqa: PTH208


@pytest.mark.parametrize("fault", [CUT, FAIL, LOSE_ANSWER, TWICE])
def test_faults_are_faults(
    fault: str, played: RunnerServer, connection: Connection, record: JobRecord
) -> None:
    """The server of these tests does what they think it does."""
    played.choose_fault = lambda _method, _path: fault
    record.add_events(["{}"])
    shipment = Shipment(record, no_cancel, no_cancel)

    if fault == TWICE:
        shipment.ship(connection)
    else:
        with pytest.raises(AwayError):
            shipment.ship(connection)
    assert len(played.jobs.get(str(JOB), Held()).events) == (0 if fault in (CUT, FAIL) else 1)
