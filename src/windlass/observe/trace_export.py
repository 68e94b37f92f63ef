"""Sends traces to a collector by OTLP over HTTP, if one is named, and makes nobody wait for it.

What names it are OpenTelemetry's own variables: OTEL_EXPORTER_OTLP_ENDPOINT and those beside it.

Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass import __version__
from windlass.errors import InputError
from windlass.observe.traces import build_trace, make_trace_id, to_nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from windlass.observe.ended_attempts import EndedAttempt
    from windlass.observe.traces import Span

Outcome: TypeAlias = Literal["sent", "refused", "dropped"]

VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN: Final = "http/protobuf"
MOST_WAITING: Final = 200
"""Traces that wait for a collector which is slow or gone; what comes then is dropped."""

MOST_EVENTS_WAITING: Final = 50_000
"""Of all these traces together, so that they take some dozens of megabytes at most; a trace with
more of its own is sent where nothing else waits."""

SPANS_AT_ONCE: Final = 512
_PARTING_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


def is_wanted(variables: Mapping[str, str]) -> bool:
    """Tell whether somebody has named a collector."""
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    return any(variables.get(name) for name in VARIABLES)


class TraceExport:
    """Takes attempts that have ended and sends their traces, in a thread of its own."""

    def __init__(self, count: Callable[[Outcome], None]) -> None:
        """`count` is told what became of each trace.

        Raises:
            InputError: what names the collector cannot be used.
        """
        check_variables(os.environ)
        self._count = count
        self._waiting: queue.Queue[EndedAttempt | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._events = 0
        """Those of the traces that wait, and of the one that is sent."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="windlass-traces", daemon=True)
        self._exporter = _make_exporter()
        self._resource = _make_resource()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def observe(self, ended: EndedAttempt) -> None:
        """Have the trace of an attempt sent; never waits."""
        if not self._hold(ended):
            self._count("dropped")
            return
        try:
            self._waiting.put_nowait(ended)
        except queue.Full:
            self._let_go(ended)
            self._count("dropped")

    def close(self) -> None:
        """Send what waits, for a short while."""
        self._ending.set()
        # Where it is full there is something else to wake the thread.
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(_PARTING_SECONDS)
        self._exporter.shutdown()

    def _work(self) -> None:
        while not (self._ending.is_set() and self._waiting.empty()):
            ended = self._waiting.get()
            if ended is not None:
                outcome: Outcome = "sent" if self._send(ended) else "refused"
                self._let_go(ended)
                self._count(outcome)

    def _hold(self, ended: EndedAttempt) -> bool:
        """Take up room for a trace; False where there is none."""
        with self._lock:
            held = self._events + len(ended.events)
            if self._events and held > MOST_EVENTS_WAITING:
                return False
            self._events = held
        return True

    def _let_go(self, ended: EndedAttempt) -> None:
        with self._lock:
            self._events -= len(ended.events)

    def _send(self, ended: EndedAttempt) -> bool:
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            spans = self._translate(ended)
            for first in range(0, len(spans), SPANS_AT_ONCE):
                result = self._exporter.export(spans[first : first + SPANS_AT_ONCE])
                if result is not SpanExportResult.SUCCESS:
                    return False
        except Exception:  # noqa: BLE001 (a worker's loop: what is wrong with one trace is told)
            _log.exception("a trace could not be sent")
            return False
        return True

    def _translate(self, ended: EndedAttempt) -> Sequence[ReadableSpan]:
        trace = make_trace_id(ended.row.run.id, ended.row.attempt)
        return [_translate_span(trace, span, self._resource) for span in build_trace(ended)]


def check_variables(variables: Mapping[str, str]) -> None:
    """Check what names the collector.

    Raises:
        InputError: it cannot be used.
    """
    for name in VARIABLES:
        address = variables.get(name)
        if address and not address.lower().startswith(("http://", "https://")):
            raise InputError(
                f"{name} is not the address of a collector: it begins neither with http:// nor "
                "with https://",
                hint="name the one for OTLP over HTTP, such as http://127.0.0.1:4318",
            )
    for name in PROTOCOLS:
        if (protocol := variables.get(name, SPOKEN)) not in ("", SPOKEN):
            raise InputError(
                f"{name} is '{protocol}', and traces are sent as {SPOKEN} only",
                hint="unset it, and name the address of a collector for that, often on port 4318",
            )


def _make_exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _make_resource() -> Any:
    from opentelemetry.sdk.resources import Resource

    facts = {"service.version": __version__}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        facts["service.name"] = "windlass"
    return Resource.create(facts)


def _translate_span(trace: int, span: Span, resource: Any) -> ReadableSpan:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    def refer(identity: int) -> SpanContext:
        return SpanContext(trace, identity, is_remote=False, trace_flags=TraceFlags(1))

    status = Status(StatusCode.OK)
    if span.failure is not None:
        status = Status(StatusCode.ERROR, span.failure)
    return ReadableSpan(
        name=span.name,
        context=refer(span.id),
        parent=None if span.parent is None else refer(span.parent),
        resource=resource,
        attributes=span.attributes,
        events=[
            Event("annotation", {"level": it.level, "message": it.message}, to_nanoseconds(it.time))
            for it in span.notes
        ],
        kind=SpanKind.INTERNAL,
        status=status,
        start_time=to_nanoseconds(span.start),
        end_time=to_nanoseconds(span.end),
        instrumentation_scope=InstrumentationScope("windlass", __version__),
    )
