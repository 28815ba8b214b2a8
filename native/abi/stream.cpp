// extern "C": streams. One mutex per stream. Each failure is written to the record of its call, so no thread sees the
// failure of another.
#include <mutex>

#include "abi/buffers.hpp"
#include "engine/stream/stream.hpp"

struct amp_stream {
    amp_stream(amp::Plan plan, const amp_stream_config& config) : stream(std::move(plan), config) {}
    amp::Stream stream;
    std::mutex mutex;
};

using namespace amp;

namespace {

template <class F> amp_status locked(const char* stage, amp_stream* s, amp_error* error, F&& f) {
    return guarded(stage, error, [&] {
        need(s, stage, "stream: NULL.", "Create one.");
        const std::lock_guard lock(s->mutex);
        f(s->stream);
    });
}

template <class F> auto read(amp_stream* s, F&& f) {  // for calls that cannot fail
    const std::lock_guard lock(s->mutex);
    return f(s->stream);
}

template <class Record> void check_record(const Record* r, const char* stage) {
    need(r && r->struct_size >= sizeof(Record), stage, "record: NULL or of an unknown version (struct_size).",
         "Pass one, and set struct_size.");
}

}  // namespace

extern "C" {

amp_status amp_stream_create(const void* descriptors, size_t descriptors_size, const void* plan, size_t plan_size,
                             const amp_stream_config* config, amp_stream** stream, amp_error* error) {
    if (stream) *stream = nullptr;
    return guarded("load", error, [&] {
        need(stream, "load", "stream: NULL.", "Pass the place for the handle.");
        need(config && config->struct_size >= sizeof(amp_stream_config), "configure",
             "config: NULL or of an unknown version (struct_size).", "Fill it as amp/stream.h says.");
        check_flags(config->flags, kRunFlags, "configure");
        Plan p = compile(read_descriptors(checked(descriptors, descriptors_size, "load"), descriptors_size));
        if (plan || plan_size) expect_same(p, checked(plan, plan_size, "load"), plan_size);
        *stream = new amp_stream(std::move(p), *config);
    });
}

void amp_stream_destroy(amp_stream* s) { delete s; }

amp_status amp_stream_set_history(amp_stream* s, const void* blob, size_t size, amp_error* error) {
    return locked("history", s, error,
                  [&](Stream& x) { x.set_history(read_history(checked(blob, size, "history"), size)); });
}

amp_status amp_stream_extend(amp_stream* s, const char* curve, const double* times, const double* values, size_t count,
                             amp_error* error) {
    return locked("history", s, error, [&](Stream& x) {
        need(curve && ((times && values) || count == 0), "history", "curve, times or values: NULL.", "Give them.");
        x.extend(curve, times, values, count);
    });
}

amp_status amp_stream_bind_input(amp_stream* s, const char* node, const amp_buffer* samples, amp_error* error) {
    return locked("bind_input", s, error, [&](Stream& x) {
        need(node, "bind_input", "node: NULL.", "Name it.");
        check_buffer(samples, "bind_input");
        x.bind_input(node, *samples);
    });
}

amp_status amp_stream_set_param(amp_stream* s, const char* node, const char* key, const amp_buffer* value,
                                int64_t at_frame, int64_t* frame, amp_error* error) {
    return amp_stream_set_params(s, node, &key, value, 1, at_frame, frame, error);
}

amp_status amp_stream_set_params(amp_stream* s, const char* node, const char* const* keys, const amp_buffer* values,
                                 size_t count, int64_t at_frame, int64_t* frame, amp_error* error) {
    return locked("set_param", s, error, [&](Stream& x) {
        need(node && keys && count, "set_param", "node or keys: NULL, or none.", "Name them.");
        std::vector<Setting> settings;
        for (size_t i = 0; i < count; ++i) {
            need(keys[i], "set_param", "key: NULL.", "Name it.");
            check_buffer(values ? values + i : nullptr, "set_param");
            need(values[i].frames >= 1, "set_param", "value: no frames.", "Give at least one.");
            settings.push_back({keys[i], copy_of(values[i])});
        }
        const int64_t at = x.set_params(node, settings, at_frame);
        if (frame) *frame = at;
    });
}

amp_status amp_stream_push(amp_stream* s, const char* node, const amp_buffer* samples, amp_error* error) {
    return locked("push", s, error, [&](Stream& x) {
        need(node, "push", "node: NULL.", "Name it.");
        check_buffer(samples, "push");
        x.push(node, *samples);
    });
}

amp_status amp_stream_end(amp_stream* s, const char* node, amp_error* error) {
    return locked("end", s, error, [&](Stream& x) {
        need(node, "end", "node: NULL.", "Name it.");
        x.end(node);
    });
}

amp_status amp_stream_open_tap(amp_stream* s, const char* node, const char* port, uint32_t policy, int64_t keep_frames,
                               uint32_t* tap, amp_error* error) {
    return locked("open_tap", s, error, [&](Stream& x) {
        need(tap, "open_tap", "tap: NULL.", "Pass the place for its number.");
        *tap = x.open_tap(node, port, policy, keep_frames);
    });
}

amp_status amp_stream_close_tap(amp_stream* s, uint32_t tap, amp_error* error) {
    return locked("close_tap", s, error, [&](Stream& x) { x.close_tap(tap); });
}

amp_status amp_stream_pull(amp_stream* s, uint32_t tap, const amp_buffer* out, uint32_t flags, int64_t* got,
                           amp_error* error) {
    int64_t unread = 0;
    if (got) *got = 0;
    return locked("pull", s, error, [&](Stream& x) {
        check_buffer(out, "pull");
        check_flags(flags, AMP_PULL_READY, "pull");
        x.pull(tap, *out, flags, got ? *got : unread);
    });
}

amp_status amp_stream_advance(amp_stream* s, uint32_t tap, int64_t ahead, int64_t most, int64_t* ready,
                              amp_error* error) {
    return locked("advance", s, error, [&](Stream& x) {
        const int64_t n = x.advance(tap, ahead, most);
        if (ready) *ready = n;
    });
}

int64_t amp_stream_clock(amp_stream* s, const char* node) {
    return s && node ? read(s, [&](const Stream& x) { return x.clock(node); }) : -1;
}
int32_t amp_stream_port_channels(amp_stream* s, const char* node, const char* port) {
    return s && node ? read(s, [&](const Stream& x) { return x.runtime().port_channels(node, port); }) : -1;
}
uint32_t amp_stream_ring_count(amp_stream* s) {
    return s ? read(s, [](const Stream& x) { return static_cast<uint32_t>(x.rings()); }) : 0;
}

amp_status amp_stream_ring_info(amp_stream* s, uint32_t ring, amp_stream_ring* out, amp_error* error) {
    return locked("ring", s, error, [&](const Stream& x) {
        check_record(out, "ring");
        x.describe_ring(ring, *out);
    });
}

amp_status amp_stream_tap_info(amp_stream* s, uint32_t tap, amp_stream_tap* out, amp_error* error) {
    return locked("tap", s, error, [&](const Stream& x) {
        check_record(out, "tap");
        x.describe_tap(tap, *out);
    });
}

void amp_stream_set_flight(amp_stream* s, amp_flight* flight) {
    if (s) read(s, [&](Stream& x) { x.set_flight(flight); });
}

amp_status amp_stream_trace(amp_stream* s, amp_trace_event* out, size_t capacity, size_t* count, uint64_t* dropped,
                            amp_error* error) {
    return locked("trace", s, error, [&](const Stream& x) { x.runtime().trace(out, capacity, count, dropped); });
}

}  // extern "C"
