// A stream that destroys itself, and its calls with the arguments that tests need.
#pragma once
#include <cstring>
#include <random>

#include "check.hpp"
#include "rig.hpp"

namespace rig {

using Samples = std::vector<double>;
struct Stream {
    amp_stream* raw = nullptr;
    amp_status status = AMP_OK;  // status of the last call
    amp_error error = empty_error();
    uint32_t batches = 1;

    Stream(const blob::Graph& g, uint32_t n = 1, uint32_t block = 0, int64_t ring = 0, int64_t limit = 0,
           uint32_t flags = AMP_RUN_STOP_NONFINITE | AMP_RUN_TRACE)
        : batches(n) {
        const auto d = blob::descriptors(g);
        const amp_stream_config c{sizeof c, n, block, flags, 4096, 0, ring, limit};
        note(amp_stream_create(d.data(), d.size(), nullptr, 0, &c, &raw, &error));
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { amp_stream_destroy(raw); }

    amp_status note(amp_status s) { return status = s; }
    amp_status history(const std::vector<blob::Curve>& curves) {
        const auto h = blob::history(curves);
        return note(amp_stream_set_history(raw, h.data(), h.size(), &error));
    }
    amp_status extend(Samples times, Samples values) {
        return note(amp_stream_extend(raw, "c", times.data(), values.data(), times.size(), &error));
    }
    bool says(const char* words) const {
        const bool found = std::strstr(error.message, words) != nullptr;
        if (!found) std::fprintf(stderr, "no \"%s\" in: %s\n", words, error.message);
        return found;
    }
    uint32_t tap(const char* node = nullptr, uint32_t policy = AMP_TAP_LOSSLESS, int64_t keep = 0) {
        uint32_t id = 0;
        note(amp_stream_open_tap(raw, node, nullptr, policy, keep, &id, &error));
        return id;
    }
    amp_status push(const char* node, Samples x, uint32_t n = 1, uint32_t channels = 1) {
        const auto frames = static_cast<int64_t>(x.size() / n / channels);
        const amp_buffer b = view(x, n, channels, frames);
        return note(amp_stream_push(raw, node, &b, &error));
    }
    amp_status end(const char* node) { return note(amp_stream_end(raw, node, &error)); }
    amp_status set(const char* node, const char* key, double value, int64_t at = -1, int64_t* frame = nullptr) {
        const amp_buffer b{sizeof b, 1, 1, 0, 1, 1, 1, &value};
        return note(amp_stream_set_param(raw, node, key, &b, at, frame, &error));
    }
    // Up to `frames` frames of a tap, (b, c, n); fewer if the status says why.
    Samples pull(uint32_t id, int64_t frames, uint32_t flags = 0) {
        amp_stream_tap t{};
        t.struct_size = sizeof t;
        CHECK(amp_stream_tap_info(raw, id, &t, nullptr) == AMP_OK);
        const auto channels = static_cast<uint32_t>(amp_stream_port_channels(raw, t.node, t.port));
        Samples y(size_t{batches} * channels * static_cast<size_t>(frames));
        const amp_buffer b = view(y, batches, channels, frames);
        int64_t got = -1;
        note(amp_stream_pull(raw, id, &b, flags, &got, &error));
        CHECK(got >= 0 && got <= frames && (status == AMP_OK || got < frames));
        Samples z;
        for (size_t row = 0; row < size_t{batches} * channels; ++row)
            z.insert(z.end(), y.begin() + static_cast<long>(row) * frames,
                     y.begin() + static_cast<long>(row) * frames + got);
        return z;
    }
    amp_stream_tap info(uint32_t id) const {
        amp_stream_tap t{};
        t.struct_size = sizeof t;
        CHECK(amp_stream_tap_info(raw, id, &t, nullptr) == AMP_OK);
        return t;
    }
    amp_stream_ring ring(const char* node, const char* reader = "") const {
        amp_stream_ring r{};
        r.struct_size = sizeof r;
        for (uint32_t i = 0; i < amp_stream_ring_count(raw); ++i)
            if (amp_stream_ring_info(raw, i, &r, nullptr) == AMP_OK && !std::strcmp(r.node, node) &&
                !std::strcmp(r.reader, reader))
                return r;
        CHECK(false);
        return r;
    }
    int64_t clock(const char* node) const { return amp_stream_clock(raw, node); }
};

inline Samples noise(size_t n, unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> d(-1.0, 1.0);
    Samples x(n);
    for (double& v : x) v = d(random);
    return x;
}

// Columns [first, first + n) of (rows, frames).
inline Samples part(const Samples& x, size_t rows, int64_t first, int64_t n) {
    const size_t frames = x.size() / rows;
    Samples y;
    for (size_t r = 0; r < rows; ++r) {
        const auto at = x.begin() + static_cast<long>(r * frames) + first;
        y.insert(y.end(), at, at + n);
    }
    return y;
}

inline bool same(const Samples& a, const Samples& b) {
    return !a.empty() && a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(double));
}

// a -> left and b -> right, with or without a gate on both edges.
inline blob::Graph two_ways(bool gated) {
    blob::Graph g;
    g.nodes = {
        {"a", "input"},    {"b", "input"},   {"left", "gain"}, {"right", "one_pole", {blob::number("cutoff_hz", 500)}},
        {"after", "gain"}, {"free", "gain"}, {"out", "output"}};
    g.edges = {{"a", "left"}, {"b", "right"}, {"left", "after"}, {"a", "free"}, {"right", "out"}};
    if (gated) g.edges[0].gates = g.edges[1].gates = {"beat"};
    g.output = "out";
    return g;
}

}  // namespace rig
