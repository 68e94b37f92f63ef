"""What a runner has: jobs that run, and those that have ended and are not told of to their ends.

Each job that runs has a process of its own (`windlass.runner.job_process`), which this one reaches
over a socket. It may be that of an earlier process of this runner, which was killed. When it has
ended and has not said that all is told, what is in the job's record is told from here.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from windlass.errors import InputError, PlatformError
from windlass.protocol.assignments import find_job_id
from windlass.runner.connection import Connection
from windlass.runner.control import Occupation, connect, is_occupied
from windlass.runner.job_process import describe_means, describe_server
from windlass.runner.jobs import Delivery
from windlass.runner.records import JobRecord, list_records
from windlass.runner.recovery import settle, tidy_up
from windlass.runner.shipping import Shipment
from windlass.runner.starter import StarterLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from windlass.runner.control import Link
    from windlass.runner.starter import Starter
    from windlass.runner.workshop import Means

REMEMBERED_SECONDS: Final = 60.0
"""So long it counts whether there is Docker, or a sandbox can be made: looking costs a job time."""

AGAIN_SECONDS: Final = 3.0
NOT_OURS: Final = "the server has given it to somebody else, or ended it"


class Holdings:
    """See the module. All may be called by any thread."""

    def __init__(
        self,
        starter: Starter,
        means: Means,
        runs: Path,
        tell: Callable[[str], None],
        note_change: Callable[[], None],
    ) -> None:
        """Take the folder of all records; `note_change` is called whenever a job is over."""
        self._starter = starter
        self._means = means
        self._runs = runs
        self._tell = tell
        self._note_change = note_change
        self._lock = threading.Lock()
        self._jobs: dict[str, HeldJob] = {}
        self._leftovers: dict[str, Delivery | None] = {}
        """By job; None while it is found out what there is to tell."""
        self._default_place, self._looked = "", float("-inf")
        self._changed = time.monotonic()
        """When a job was last over."""

    @property
    def names(self) -> tuple[str, ...]:
        """All jobs that the server may not give to others."""
        with self._lock:
            return tuple({**self._jobs, **self._leftovers})

    @property
    def running(self) -> int:
        """How many jobs have a process."""
        with self._lock:
            return len(self._jobs)

    @property
    def untold(self) -> int:
        """How many jobs have ended of which the server does not have everything."""
        with self._lock:
            return len(self._leftovers)

    @property
    def last_heard(self) -> float:
        """When a job ended, or the server took something of one that had (`time.monotonic`)."""
        with self._lock:
            told = [it.heard for it in self._leftovers.values() if it is not None]
            return max([self._changed, *told])

    def adopt(self) -> None:
        """Go on with what an earlier process of this runner has left."""
        records = list(list_records(self._runs))
        for record in records:
            link = connect(record.folder) if is_occupied(record.folder) else None
            if link is None:
                self._settle_apart(record)
            else:
                self._hold(record, link)
                link.send(server=describe_server(self._means.server, self._means.credential))
                self._tell(f"job {record.job} goes on")
        tidy_up(self._means.repositories, [it.job for it in records], self._tell)

    def begin(self, values: Mapping[str, Any]) -> bool:
        """Begin a job that was assigned; False where it is there, or cannot be taken now.

        Raises:
            StarterLostError: no job can be begun any more.
        """
        try:
            record = JobRecord(self._runs, find_job_id(values))
        except InputError as error:
            self._tell(f"an assignment cannot be understood: {error.message}")
            return False
        if str(record.job) in self.names:
            return False
        try:
            link = self._start(record)
        except PlatformError as error:
            self._tell(f"job {record.job} cannot be taken: {error.message}")
            if isinstance(error, StarterLostError):
                raise
            return False
        self._hold(record, link)
        self._tell(f"job {record.job} begins")
        link.send(
            begin={
                "means": describe_means(self._means),
                "runs": str(self._runs),
                "default_place": self._recall_place(),
                "assignment": values,
            }
        )
        return True

    def cancel(self, name: str, reason: str) -> None:
        """Ask a job to end; a second time changes nothing."""
        if job := self._find(name):
            job.link.send(cancel=reason)

    def force(self, name: str, reason: str) -> None:
        """End a job at once; a second time changes nothing."""
        if job := self._find(name):
            job.link.send(force=reason)

    def give_up(self, name: str) -> bool:
        """End a job at once that is no longer ours; tell whether it is one that we have."""
        with self._lock:
            job, delivery = self._jobs.get(name), self._leftovers.get(name)
        if job is not None:
            job.link.send(give_up=NOT_OURS)
        if delivery is not None:
            delivery.drop()
        return job is not None or delivery is not None

    def stop(self, reason: str) -> None:
        """End all jobs at once."""
        for job in self._list_jobs():
            job.link.send(stop=reason)

    def wait(self) -> None:
        """Wait until no job has a process; what is not told of them stays in their records."""
        for job in self._list_jobs():
            job.thread.join()

    def _start(self, record: JobRecord) -> Link:
        record.make()
        record.close()
        occupation = Occupation(record.folder)
        # It listens already: a process that is started is reached.
        link = connect(record.folder)
        try:
            if link is None:
                raise PlatformError(f"its process could not be reached in {record.folder}")
            self._starter.start(occupation)
        except PlatformError:
            if link is not None:
                link.close()
            raise
        finally:
            occupation.hand_over()
        return link

    def _hold(self, record: JobRecord, link: Link) -> None:
        job = HeldJob(record, link, self._hear, self._note_end)
        with self._lock:
            self._jobs[str(record.job)] = job
        job.thread.start()

    def _hear(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"say": text}:
                self._tell(str(text))
            case {"default_place": place}:
                self._default_place, self._looked = str(place), time.monotonic()
            case _:
                pass

    def _note_end(self, job: HeldJob, *, is_over: bool) -> None:
        name = str(job.record.job)
        if not is_over:
            self._settle_apart(JobRecord(self._runs, job.record.job))
        with self._lock:
            del self._jobs[name]
            self._changed = time.monotonic()
        if is_over:
            self._tell(f"job {name} is over")
        self._note_change()

    def _settle_apart(self, record: JobRecord) -> None:
        """Do so in a thread: its supervisor may still be ending what the job has started."""
        name = str(record.job)
        with self._lock:
            self._leftovers[name] = None
        threading.Thread(
            target=self._settle, args=(record,), daemon=True, name=f"end of {name}"
        ).start()

    def _settle(self, record: JobRecord) -> None:
        """Tell what is left of a job whose process has ended before all was told."""
        while True:
            try:
                is_left = settle(record, self._means.repositories, self._tell)
                break
            except PlatformError as error:
                self._tell(f"{error.message}; it is tried again")
            except Exception as error:  # noqa: BLE001 - a worker's loop: the job would stay for ever
                self._tell(f"job {record.job} cannot be settled: {error!r}; it is tried again")
            time.sleep(AGAIN_SECONDS)
        if is_left:
            self._tell_rest(record)
        else:
            self._forget(str(record.job))

    def _tell_rest(self, record: JobRecord) -> None:
        name = str(record.job)
        end = record.read_end()
        assert end is not None  # noqa: S101 - it was settled
        delivery = Delivery(
            record,
            Connection(self._means.server, self._means.credential),
            Shipment(record, _take_no_notice, _take_no_notice, is_old=True),
            lambda reason: self._tell(f"nothing more is told of job {name}: {reason}"),
            lambda: self._forget(name),
        )
        with self._lock:
            self._leftovers[name] = delivery
        delivery.end(end)
        delivery.thread.start()

    def _forget(self, name: str) -> None:
        with self._lock:
            self._leftovers.pop(name, None)
            self._changed = time.monotonic()
        self._tell(f"job {name} is over")
        self._note_change()

    def _recall_place(self) -> str:
        is_known = time.monotonic() - self._looked < REMEMBERED_SECONDS
        return self._default_place if is_known else ""

    def _find(self, name: str) -> HeldJob | None:
        with self._lock:
            return self._jobs.get(name)

    def _list_jobs(self) -> list[HeldJob]:
        with self._lock:
            return list(self._jobs.values())


class NoteEnd(Protocol):
    """Hears that the process of a job has ended, and whether nothing is left of the job."""

    def __call__(self, job: HeldJob, /, *, is_over: bool) -> None:
        """Do with it what is to be done."""


class HeldJob:
    """A job whose process this one has a connection to; a thread hears what comes."""

    def __init__(
        self,
        record: JobRecord,
        link: Link,
        hear: Callable[[Mapping[str, Any]], None],
        note_end: NoteEnd,
    ) -> None:
        self.record = record
        self.link = link
        self._hear = hear
        self._note_end = note_end
        self.thread = threading.Thread(
            target=self._listen, name=f"process of {record.job}", daemon=True
        )

    def _listen(self) -> None:
        is_over = False
        for message in self.link.read():
            is_over = "over" in message
            if is_over:
                break
            self._hear(message)
        self.link.close()
        self._note_end(self, is_over=is_over)


def _take_no_notice(reason: str) -> None:
    """Stand for a job that has ended already."""
