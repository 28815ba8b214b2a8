// extern "C": runtimes.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "abi/buffers.hpp"
#include "engine/snapshot.hpp"

using namespace amp;

extern "C" {

amp_status amp_graph_runtime_create(const void* descriptors, size_t descriptors_size, const void* plan,
                                    size_t plan_size, amp_graph_runtime** runtime, amp_error* error) {
    if (runtime) *runtime = nullptr;
    return guarded("load", error, [&] {
        need(runtime, "load", "runtime: NULL.", "Pass the place for the handle.");
        Plan p = compile(read_descriptors(checked(descriptors, descriptors_size, "load"), descriptors_size));
        if (plan || plan_size) expect_same(p, checked(plan, plan_size, "load"), plan_size);
        std::unique_ptr<amp_graph_runtime> rt(new amp_graph_runtime{Runtime(std::move(p))});
        rt->runtime.set_schedule(derive(rt->runtime.plan()));
        *runtime = rt.release();
    });
}

void amp_graph_runtime_destroy(amp_graph_runtime* rt) { delete rt; }

amp_status amp_graph_runtime_set_schedule(amp_graph_runtime* rt, const void* blob, size_t size) {
    return guarded("schedule", rt, [&](Runtime& r) {
        const Plan& p = r.plan();
        r.set_schedule(blob || size ? read_schedule(p, checked(blob, size, "schedule"), size) : plain(p));
    });
}

amp_status amp_graph_runtime_configure(amp_graph_runtime* rt, const amp_config* config) {
    return guarded("configure", rt, [&](Runtime& r) {
        need(config && config->struct_size >= offsetof(amp_config, threads), "configure",
             "config: NULL or of an unknown version (struct_size).", "Fill it as amp/run.h says.");
        amp_config c{};
        c.threads = 1;
        std::memcpy(&c, config, std::min<size_t>(config->struct_size, sizeof c));
        check_flags(c.flags, kRunFlags, "configure");
        r.configure(c);
    });
}

amp_status amp_graph_runtime_set_param(amp_graph_runtime* rt, const char* node, const char* key,
                                       const amp_buffer* value, int64_t at_frame) {
    return guarded("set_param", rt, [&](Runtime& r) {
        need(node && key, "set_param", "node and key: NULL.", "Name them.");
        check_buffer(value, "set_param");
        need(value->frames >= 1, "set_param", "value: no frames.", "Give at least one.");
        r.set_param(node, key, copy_of(*value), at_frame);
    });
}

amp_status amp_graph_runtime_clear_params(amp_graph_runtime* rt) {
    return guarded("set_param", rt, [](Runtime& r) { r.clear_params(); });
}

amp_status amp_graph_runtime_bind_input(amp_graph_runtime* rt, const char* node, const amp_buffer* samples) {
    return guarded("bind_input", rt, [&](Runtime& r) {
        need(node, "bind_input", "node: NULL.", "Name it.");
        check_buffer(samples, "bind_input");
        r.bind_input(node, *samples);
    });
}

amp_status amp_graph_runtime_set_history(amp_graph_runtime* rt, const void* blob, size_t size) {
    return guarded("history", rt,
                   [&](Runtime& r) { r.set_history(read_history(checked(blob, size, "history"), size)); });
}

amp_status amp_graph_runtime_execute(amp_graph_runtime* rt, int64_t frames, const amp_buffer* out, const amp_tap* taps,
                                     uint32_t n_taps) {
    return guarded("execute", rt, [&](Runtime& r) {
        if (out) check_buffer(out, "execute");
        need(taps || n_taps == 0, "execute", "taps: NULL with a count.", "Pass the array.");
        for (uint32_t i = 0; i < n_taps; ++i) {
            need(taps[i].struct_size >= sizeof(amp_tap), "execute", "tap: of an unknown version (struct_size).",
                 "Fill it as amp/run.h says.");
            check_buffer(&taps[i].buffer, "execute");
        }
        r.execute(frames, out, taps, n_taps);
    });
}

amp_status amp_graph_runtime_snapshot(amp_graph_runtime* rt, void* out, size_t capacity, size_t* size) {
    if (size) *size = 0;
    return guarded("snapshot", rt, [&](Runtime& r) {
        need(size, "snapshot", "size: NULL.", "Pass the place for the number of bytes.");
        const auto blob = Snapshot::take(r);
        *size = blob.size();
        if (!out) return;
        if (capacity < blob.size())
            throw Failure(AMP_E_INVALID_ARG, "snapshot",
                          text("out: too small (got %zu bytes, needs %zu).", capacity, blob.size()),
                          "Ask for the size first.");
        std::memcpy(out, blob.data(), blob.size());
    });
}

amp_status amp_graph_runtime_restore(amp_graph_runtime* rt, const void* blob, size_t size) {
    return guarded("restore", rt, [&](Runtime& r) { Snapshot::restore(r, checked(blob, size, "restore"), size); });
}

int64_t amp_graph_runtime_position(const amp_graph_runtime* rt) { return rt ? rt->runtime.position() : -1; }
uint32_t amp_graph_runtime_block_frames(const amp_graph_runtime* rt) { return rt ? rt->runtime.block_frames() : 0; }
uint32_t amp_graph_runtime_threads(const amp_graph_runtime* rt) { return rt ? rt->runtime.threads() : 0; }

void amp_graph_runtime_cancel(amp_graph_runtime* rt) {
    if (rt) rt->runtime.cancel();
}

int32_t amp_graph_runtime_port_channels(const amp_graph_runtime* rt, const char* node, const char* port) {
    return rt && node ? rt->runtime.port_channels(node, port) : -1;
}

void amp_graph_runtime_last_error(const amp_graph_runtime* rt, amp_error* error) {
    if (!rt || !error) return;
    const uint32_t size = std::min<uint32_t>(error->struct_size, sizeof(amp_error));
    if (size <= sizeof(uint32_t)) return;
    amp_error copy = rt->runtime.last_error;
    copy.struct_size = error->struct_size;
    std::memcpy(error, &copy, size);
}

amp_status amp_graph_runtime_metrics(amp_graph_runtime* rt, const char* node, amp_node_metrics* out) {
    return guarded("metrics", rt, [&](Runtime& r) {
        need(node && out && out->struct_size >= sizeof(amp_node_metrics), "metrics",
             "node or record: NULL or of an unknown version (struct_size).", "Name the node, and set struct_size.");
        r.metrics(node, *out);
    });
}

amp_status amp_graph_runtime_all_metrics(amp_graph_runtime* rt, amp_node_metrics* out, size_t capacity) {
    return guarded("metrics", rt, [&](Runtime& r) {
        need(out && capacity >= r.nodes() && out->struct_size >= sizeof(amp_node_metrics), "metrics",
             "records: NULL, fewer than nodes, or of an unknown version (struct_size).",
             "Give one per node, and set struct_size.");
        r.all_metrics(out, out->struct_size);
    });
}

amp_status amp_graph_runtime_trace(amp_graph_runtime* rt, amp_trace_event* out, size_t capacity, size_t* count,
                                   uint64_t* dropped) {
    return guarded("trace", rt, [&](Runtime& r) { r.trace(out, capacity, count, dropped); });
}

amp_status amp_graph_runtime_heat(amp_graph_runtime* rt, const char* node, double* own, double* total,
                                  double* temperature, size_t capacity, size_t* count) {
    return guarded("heat", rt, [&](Runtime& r) {
        need(node, "heat", "node: NULL.", "Name it.");
        r.heat(node, own, total, temperature, capacity, count);
    });
}

void amp_graph_runtime_set_flight(amp_graph_runtime* rt, amp_flight* flight) {
    if (rt) rt->runtime.set_flight(flight);
}

}  // extern "C"
