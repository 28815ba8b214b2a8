// Sketch: the last firings of every thread, in memory that outlives the process. Declarations only; docs/design/next.md
// says where each part will be.
#pragma once
#include "amp/diag.h"
#include "kernel/step.hpp"

// ---- include/amp/flight.h ----
extern "C" {

// One firing that was begun. A record is one cache line, written by one thread: it sets `sequence` to 0, writes the
// other members, and sets `sequence` to the number of the firing on that thread, from 1 on. A sequence that does not
// match the record's place means that the record was being written.
typedef struct amp_flight_record {
    uint64_t sequence;
    int64_t first_frame;  // logical frame
    int64_t position;     // frames delivered when execute was called
    uint64_t ticks;       // ticks of the trace clock; 0: not measured
    uint32_t node;        // index into the plan's order; 0xffffffff none
    uint32_t frames;
    uint32_t phase;        // AMP_PHASE_*
    uint32_t first_batch;  // logical number of the first batch of its shard
    uint32_t batches;
    uint32_t members;  // nodes that fire together, from `node` on (a cohort); 1: a single node
    uint32_t reserved[2];
} amp_flight_record;

// The header before a thread's records.
typedef struct amp_flight_thread {
    uint64_t written;    // records written; the newest is at (written - 1) mod records
    uint64_t thread_id;  // id given by the system; 0: no thread has used this place yet
    uint64_t stack[2];   // alternate stack of the thread's signal handler: address, bytes; 0: none
    uint32_t phase;      // AMP_PHASE_*, also set between firings
    uint32_t faulted;    // 1: the thread stopped in a signal handler, whose context is in the stack
    uint32_t reserved[6];
} amp_flight_thread;

typedef struct amp_flight_rings {
    uint32_t struct_size;  // sizeof(amp_flight_rings)
    uint32_t threads;      // number of places; each has an amp_flight_thread and `records` amp_flight_record
    uint32_t records;      // per thread; a power of two
    uint32_t reserved;
    uint64_t plan_digest;  // of the plan whose order the records refer to
    uint64_t reserved64[5];
} amp_flight_rings;

size_t amp_flight_rings_size(uint32_t threads, uint32_t records);  // [any] bytes

// [owner] Phase: configured, between two calls of execute. The caller owns the memory (shared with a supervising
// process): it starts with struct_size, threads and records, is aligned to a cache line and must outlive the runtime.
// NULL detaches it. A thread keeps its place until the next configure; fewer places than threads is AMP_E_INVALID_ARG
// naming both.
amp_status amp_graph_runtime_set_flight_rings(amp_graph_runtime* runtime, amp_flight_rings* rings);

// [any] Copies the newest complete records of one thread, oldest first. Another process may be writing the memory or
// may have crashed while writing, so every number in it is checked: a position outside `size` bytes is AMP_E_BLOB.
amp_status amp_flight_rings_read(const void* memory, size_t size, uint32_t thread, amp_flight_record* out,
                                 size_t capacity, size_t* count, amp_flight_thread* state);
}

static_assert(sizeof(amp_flight_record) == 64 && sizeof(amp_flight_thread) == 64 && sizeof(amp_flight_rings) == 64);

// ---- engine/flight/writer.hpp ----
namespace amp {

// The only writer of one thread's ring. Without rings the pointer is NULL and a firing costs one branch, as with
// amp_flight today.
class FlightWriter {
public:
    // called before each firing: writes one cache line
    void begin(const Firing& f, uint32_t node, uint32_t members) noexcept;
    void phase(uint32_t phase) noexcept;

private:
    amp_flight_thread* thread_;
    amp_flight_record* records_;
    uint64_t written_, mask_;
    uint32_t first_batch_, batches_;
};

// The writers of a runtime, one per thread that executes; the first is that of the calling thread. amp_flight keeps its
// meaning and shows the newest record of the calling thread. A runtime with rings uses all its threads; one with only
// an amp_flight uses the calling thread.
class FlightRings {
public:
    void attach(amp_flight_rings* rings, uint32_t threads, uint64_t plan_digest);  // throws AMP_E_INVALID_ARG
    FlightWriter* writer(uint32_t thread) noexcept;                                // NULL: no rings are attached
};

}  // namespace amp
