"""One Python function per C function; a status becomes an exception.

Here are runtimes and the functions of the library; streams are in `amp_lab.lowlevel.stream`, meters in
`amp_lab.lowlevel.meter`, node contracts in `amp_lab.lowlevel.contracts`. Only this room uses ``ffi``.

cffi releases the GIL for the duration of every native call.
"""

from __future__ import annotations

from amp_lab.lowlevel.calls import FLIGHT_SIZE, TRACE_DTYPE, Flight, Samples, read_flight
from amp_lab.lowlevel.library import (
    PlanFacts,
    Pyramid,
    abi_version,
    build_info,
    checksum,
    history_sample,
    isa,
    native_logging_set,
    plan_compile,
    plan_describe,
    quantize,
    require_isa,
    schedule_derive,
    schedule_describe,
    source_digest,
    test_hooks,
)
from amp_lab.lowlevel.runtime import (
    HEAT,
    HEAT_WINDOW,
    LANES,
    METRICS_DTYPE,
    MOST_THREADS,
    NO_METRICS,
    STOP_NONFINITE,
    TRACE,
    NodeMetrics,
    Runtime,
)

__all__ = [
    "FLIGHT_SIZE",
    "HEAT",
    "HEAT_WINDOW",
    "LANES",
    "METRICS_DTYPE",
    "MOST_THREADS",
    "NO_METRICS",
    "STOP_NONFINITE",
    "TRACE",
    "TRACE_DTYPE",
    "Flight",
    "NodeMetrics",
    "PlanFacts",
    "Pyramid",
    "Runtime",
    "Samples",
    "abi_version",
    "build_info",
    "checksum",
    "history_sample",
    "isa",
    "native_logging_set",
    "plan_compile",
    "plan_describe",
    "quantize",
    "read_flight",
    "require_isa",
    "schedule_derive",
    "schedule_describe",
    "source_digest",
    "test_hooks",
]
