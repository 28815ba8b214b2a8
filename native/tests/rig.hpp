// A runtime that destroys itself, and its calls with the arguments that tests need.
#pragma once
#include <memory>

#include "graphs.hpp"

namespace rig {

inline amp_error empty_error() {
    amp_error e{};
    e.struct_size = sizeof e;
    return e;
}

// A view of rows in (batch, channel) order; the caller owns the samples.
inline amp_buffer view(std::vector<double>& data, uint32_t batches, uint32_t channels, int64_t frames) {
    return {sizeof(amp_buffer), batches, channels, 0, frames, int64_t{channels} * frames, frames, data.data()};
}

struct Runtime {
    amp_graph_runtime* raw = nullptr;
    amp_status status = AMP_OK;  // status of the last call
    amp_error error = empty_error();

    explicit Runtime(const blob::Bytes& descriptors, const blob::Bytes& plan = {}) {
        status = amp_graph_runtime_create(descriptors.data(), descriptors.size(), plan.empty() ? nullptr : plan.data(),
                                          plan.size(), &raw, &error);
    }
    explicit Runtime(const blob::Graph& g) : Runtime(blob::descriptors(g)) {}
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
    ~Runtime() { amp_graph_runtime_destroy(raw); }

    // Stores the status and, if there is a runtime, its last error.
    amp_status note(amp_status s) {
        if (raw) amp_graph_runtime_last_error(raw, &error);
        return status = s;
    }
    amp_status configure(uint32_t batches = 1, uint32_t block = 64, uint32_t flags = 0, uint32_t threads = 0) {
        const amp_config c{sizeof c, batches, block, flags, 256, 0, threads};
        return note(amp_graph_runtime_configure(raw, &c));
    }
    amp_status history(const std::vector<blob::Curve>& curves) {
        const auto bytes = blob::history(curves);
        return note(amp_graph_runtime_set_history(raw, bytes.data(), bytes.size()));
    }
    amp_status set(const char* node, const char* key, double value, int64_t at = -1) {
        std::vector<double> one{value};
        const amp_buffer b = view(one, 1, 1, 1);
        return note(amp_graph_runtime_set_param(raw, node, key, &b, at));
    }
    amp_status set(const char* node, const char* key, blob::Tensor t, int64_t at = -1) {
        const amp_buffer b = view(t.data, t.batches, t.channels, static_cast<int64_t>(t.frames));
        return note(amp_graph_runtime_set_param(raw, node, key, &b, at));
    }
    blob::Bytes snapshot() {
        size_t size = 0;
        blob::Bytes b;
        if (note(amp_graph_runtime_snapshot(raw, nullptr, 0, &size))) return b;
        b.resize(size);
        note(amp_graph_runtime_snapshot(raw, b.data(), b.size(), &size));
        return b;
    }
    amp_status restore(const blob::Bytes& b) { return note(amp_graph_runtime_restore(raw, b.data(), b.size())); }
    // The samples of one output in (batch, channel, frame) order; empty if the render failed.
    std::vector<double> render(int64_t frames, uint32_t batches = 1, const char* node = nullptr,
                               const char* port = nullptr) {
        const char* from = node ? node : "out";
        const int32_t channels = amp_graph_runtime_port_channels(raw, from, port);
        std::vector<double> y(static_cast<size_t>(batches) * static_cast<size_t>(channels) *
                              static_cast<size_t>(frames));
        const amp_buffer b = view(y, batches, static_cast<uint32_t>(channels), frames);
        const amp_tap tap{sizeof tap, 0, node, port, b};
        note(amp_graph_runtime_execute(raw, frames, node ? nullptr : &b, node ? &tap : nullptr, node ? 1 : 0));
        if (status != AMP_OK) y.clear();
        return y;
    }
};

}  // namespace rig
