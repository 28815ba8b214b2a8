// Sketch: the last firings of every thread, in memory that outlives the process. Declarations only; docs/design/next.md
// says where each part will lie.
#pragma once
#include "amp/diag.h"
#include "kernel/step.hpp"

// ---- include/amp/flight.h ----
extern "C" {

// One firing that began. A record is one cache line, written by one thread: `sequence` becomes 0, the rest is written,
// and `sequence` becomes the number of the firing on that thread, from 1 on. Another number than its place should have
// says that it was being written.
typedef struct amp_flight_record {
    uint64_t sequence;
    int64_t first_frame;  // logical
    int64_t position;     // frames delivered when the call began
    uint64_t ticks;       // of the clock of traces, 0: not read
    uint32_t node;        // index into the plan's order; 0xffffffff none
    uint32_t frames;
    uint32_t phase;        // AMP_PHASE_*
    uint32_t first_batch;  // logical number of the first batch of its shard
    uint32_t batches;
    uint32_t members;  // nodes that fire as one from `node` on: a cohort; 1 alone
    uint32_t reserved[2];
} amp_flight_record;

// What stands in front of a thread's records.
typedef struct amp_flight_thread {
    uint64_t written;    // records so far; the newest is at (written - 1) mod records
    uint64_t thread_id;  // of the system; 0: no thread has had this place yet
    uint64_t stack[2];   // alternate stack of its signal handler: address, bytes; 0: none
    uint32_t phase;      // AMP_PHASE_*, also between firings
    uint32_t faulted;    // 1: it stopped in a signal handler, whose context lies in the stack
    uint32_t reserved[6];
} amp_flight_thread;

typedef struct amp_flight_rings {
    uint32_t struct_size;  // sizeof(amp_flight_rings)
    uint32_t threads;      // places; then each: amp_flight_thread, `records` x amp_flight_record
    uint32_t records;      // of each thread, a power of two
    uint32_t reserved;
    uint64_t plan_digest;  // of the plan whose order the records count in
    uint64_t reserved64[5];
} amp_flight_rings;

size_t amp_flight_rings_size(uint32_t threads, uint32_t records);  // [any] bytes

// [owner] Phase: configured, between two calls of execute. The memory is the caller's (shared with the process that
// watches), starts with struct_size, threads and records, begins with a cache line and outlives the runtime; NULL
// detaches. Threads keep to their places until the next configure; fewer places than threads is AMP_E_INVALID_ARG
// naming both.
amp_status amp_graph_runtime_set_flight_rings(amp_graph_runtime* runtime, amp_flight_rings* rings);

// [any] Copies the newest whole records of one thread, oldest first. Reads memory that another process may be writing,
// or has died over; trusts no number in it: what lies outside `size` bytes is AMP_E_BLOB.
amp_status amp_flight_rings_read(const void* memory, size_t size, uint32_t thread, amp_flight_record* out,
                                 size_t capacity, size_t* count, amp_flight_thread* state);
}

static_assert(sizeof(amp_flight_record) == 64 && sizeof(amp_flight_thread) == 64 && sizeof(amp_flight_rings) == 64);

// ---- engine/flight/writer.hpp ----
namespace amp {

// The only writer of one thread's ring. Without rings it is null and a firing pays one branch, as with amp_flight
// today.
class FlightWriter {
public:
    void begin(const Firing& f, uint32_t node, uint32_t members) noexcept;  // before each firing: one line of memory
    void phase(uint32_t phase) noexcept;

private:
    amp_flight_thread* thread_;
    amp_flight_record* records_;
    uint64_t written_, mask_;
    uint32_t first_batch_, batches_;
};

// Of a runtime: a writer per thread that executes, the caller's first. amp_flight stays as it is and shows the newest
// record of the caller's thread; a runtime with rings runs on all its threads, which one with a plain flight record
// must not.
class FlightRings {
public:
    void attach(amp_flight_rings* rings, uint32_t threads, uint64_t plan_digest);  // throws AMP_E_INVALID_ARG
    FlightWriter* writer(uint32_t thread) noexcept;                                // null: no rings
};

}  // namespace amp
