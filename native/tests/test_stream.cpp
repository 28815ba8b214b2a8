// Streams: however samples are pushed and sound is pulled, the bits are those of one render; who waits is told; what is
// full grows or says so; threads may do all of it at once.
#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "check.hpp"
#include "rig.hpp"

namespace {

using Samples = std::vector<double>;
constexpr int64_t kFrames = 700;

struct Stream {
    amp_stream* raw = nullptr;
    amp_status status = AMP_OK;  // of the last call
    amp_error error = rig::empty_error();
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
        const amp_buffer b = rig::view(x, n, channels, frames);
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
        const amp_buffer b = rig::view(y, batches, channels, frames);
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

Samples noise(size_t n, unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> d(-1.0, 1.0);
    Samples x(n);
    for (double& v : x) v = d(random);
    return x;
}

// Columns [first, first + n) of (rows, frames).
Samples part(const Samples& x, size_t rows, int64_t first, int64_t n) {
    const size_t frames = x.size() / rows;
    Samples y;
    for (size_t r = 0; r < rows; ++r) {
        const auto at = x.begin() + static_cast<long>(r * frames) + first;
        y.insert(y.end(), at, at + n);
    }
    return y;
}

bool same(const Samples& a, const Samples& b) {
    return !a.empty() && a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(double));
}

// Random pushes and pulls of every size from all nodes, against one render.
void pushed_and_pulled(const blob::Graph& g, uint32_t batches, uint32_t block, int64_t ring, unsigned seed) {
    rig::Runtime whole(g);
    Samples input = noise(2 * kFrames, 7);
    if (g.nodes[0].type == "controller") CHECK(whole.history(graphs::voice_curves()) == AMP_OK);
    CHECK(whole.configure(batches, 64, 0) == AMP_OK);
    Stream s(g, batches, block, ring);
    if (!CHECK(s.raw != nullptr)) return;
    if (g.nodes[0].type == "controller") CHECK(s.history(graphs::voice_curves()) == AMP_OK);
    std::vector<const char*> inputs;
    for (const auto& n : g.nodes)
        if (n.type == "input") {
            inputs.push_back(n.name.c_str());
            const amp_buffer b = rig::view(input, 1, 2, kFrames);
            CHECK(whole.note(amp_graph_runtime_bind_input(whole.raw, inputs.back(), &b)) == AMP_OK);
        }
    std::vector<amp_tap> taps;
    std::vector<Samples> want, got;
    std::vector<uint32_t> ids;
    for (const auto& n : g.nodes) {
        const auto channels =
            static_cast<uint32_t>(amp_graph_runtime_port_channels(whole.raw, n.name.c_str(), nullptr));
        want.emplace_back(size_t{batches} * channels * kFrames);
        taps.push_back({sizeof(amp_tap), 0, n.name.c_str(), nullptr, {}});
        ids.push_back(s.tap(n.name.c_str()));
    }
    for (size_t i = 0; i < taps.size(); ++i)
        taps[i].buffer =
            rig::view(want[i], batches, static_cast<uint32_t>(want[i].size() / kFrames / batches), kFrames);
    CHECK(whole.note(amp_graph_runtime_execute(whole.raw, kFrames, nullptr, taps.data(),
                                               static_cast<uint32_t>(taps.size()))) == AMP_OK);
    got.resize(want.size());
    std::vector<int64_t> read(want.size(), 0);
    std::mt19937 random(seed);
    int64_t pushed = 0;
    for (int64_t left = static_cast<int64_t>(want.size()); left > 0;) {
        const auto size = [&] {
            return static_cast<int64_t>(std::exp2(std::uniform_real_distribution<>(0, 9)(random)));
        };
        if (pushed < kFrames && random() % 3 == 0) {
            const int64_t n = std::min(size(), kFrames - pushed);
            for (const char* in : inputs) CHECK(s.push(in, part(input, 2, pushed, n), 1, 2) == AMP_OK);
            if ((pushed += n) == kFrames)
                for (const char* in : inputs) CHECK(s.end(in) == AMP_OK);
        }
        const size_t i = random() % want.size();
        const int64_t n = std::min(size(), kFrames - read[i]);
        if (n == 0) continue;
        const size_t rows = want[i].size() / kFrames;
        const Samples y = s.pull(ids[i], n);
        CHECK(s.status == AMP_OK || (s.status == AMP_E_PENDING && pushed < kFrames));
        const auto here = static_cast<int64_t>(y.size() / rows);
        if (here) CHECK(same(y, part(want[i], rows, read[i], here)));
        read[i] += here;
        left -= read[i] == kFrames && here > 0;
    }
}

void every_graph() {
    unsigned seed = 1;
    for (const blob::Graph& original : graphs::all()) {
        blob::Graph g = original;
        g.policy = 0;  // a budget that halts needs heat
        for (const uint32_t batches : {1u, 3u, 9u})
            for (const uint32_t block : {0u, 1u, 17u})
                for (const int64_t ring : {0, 1}) pushed_and_pulled(g, batches, block, ring, seed++);
    }
}

// a -> left, b -> right; a gate on both edges makes them one.
blob::Graph two_ways(bool gated) {
    blob::Graph g;
    g.nodes = {
        {"a", "input"},    {"b", "input"},   {"left", "gain"}, {"right", "one_pole", {blob::number("cutoff_hz", 500)}},
        {"after", "gain"}, {"free", "gain"}, {"out", "output"}};
    g.edges = {{"a", "left"}, {"b", "right"}, {"left", "after"}, {"a", "free"}, {"right", "out"}};
    if (gated) g.edges[0].gates = g.edges[1].gates = {"beat"};
    g.output = "out";
    return g;
}

// The gate stalls its consumers and what hangs on them, nothing else; the sound is the same.
void gates() {
    const Samples x = noise(300, 1), y = noise(300, 2);
    std::vector<Samples> sound[2];
    for (const bool gated : {false, true}) {
        Stream s(two_ways(gated), 1, 64);
        const uint32_t out = s.tap(), left = s.tap("left"), after = s.tap("after"), free = s.tap("free");
        CHECK(s.push("a", x) == AMP_OK && s.push("b", part(y, 1, 0, 100)) == AMP_OK);
        CHECK(s.pull(free, 300).size() == 300 && s.status == AMP_OK);
        Samples l = s.pull(left, 300), f = s.pull(after, 300);
        CHECK(s.status == (gated ? AMP_E_PENDING : AMP_OK));
        if (gated)
            CHECK(l.size() == 100 && f.size() == 100 &&
                  s.says("after: frame 100 waits for input \"b\" (pushed up to") && s.says("gate \"beat\"") &&
                  s.says("Stalled: after, left, right"));
        else
            CHECK(l.size() == 300 && f.size() == 300);
        CHECK(s.clock("free") == 300 && s.clock("left") == (gated ? 100 : 300) && s.clock("right") == 100);
        CHECK(s.pull(out, 101).size() == 100 && s.status == AMP_E_PENDING && !std::strcmp(s.error.node, "b"));
        CHECK(s.push("b", part(y, 1, 100, 200)) == AMP_OK);
        if (gated) {
            const Samples rest = s.pull(left, 200), more = s.pull(after, 200);
            l.insert(l.end(), rest.begin(), rest.end()), f.insert(f.end(), more.begin(), more.end());
        }
        sound[gated] = {l, f, s.pull(out, 200)};
        CHECK(s.info(out).position == 300);
    }
    for (size_t i = 0; i < 3; ++i) CHECK(same(sound[0][i], sound[1][i]));
}

// A ring grows for a reader that lags, keeps its tokens, and says when it may not.
void growth() {
    Stream s(two_ways(false), 1, 16, 0, 256);
    const uint32_t out = s.tap(), free = s.tap("free");
    const Samples x = noise(1000, 3);
    CHECK(s.push("a", x) == AMP_E_FULL && s.says("a.out: the ring is full (needs 1000 frames, allowed 256)"));
    CHECK(s.clock("a") == 0);
    CHECK(s.push("a", part(x, 1, 0, 200)) == AMP_OK && s.push("b", part(x, 1, 0, 200)) == AMP_OK);
    CHECK(same(s.pull(free, 200), part(x, 1, 0, 200)));
    CHECK(s.ring("a").grown > 0 && s.ring("a").most == 200 && s.ring("a").fill == 0);
    // `out` is not read, so b's samples wait where they are, and the one in the way is named
    CHECK(s.push("b", part(x, 1, 200, 200)) == AMP_E_FULL && s.says("b.out: the ring is full (needs "));
    CHECK(s.says(": right has read up to frame ") && s.says(", as out.out is full: its tap has read up to frame 0."));
    CHECK(s.pull(out, 200).size() == 200 && s.push("b", part(x, 1, 200, 200)) == AMP_OK);
    CHECK(s.push("a", part(x, 1, 200, 200)) == AMP_OK && s.pull(free, 200).size() == 200);
    CHECK(s.pull(out, 200).size() == 200 && s.status == AMP_OK && s.info(out).underruns == 0);
    CHECK(s.pull(out, 5).empty() && s.status == AMP_E_PENDING && s.info(out).underruns == 1);
    CHECK(s.pull(out, 5, AMP_PULL_READY).empty() && s.status == AMP_OK && s.info(out).underruns == 2);
}

// A lossless tap nobody reads stops what feeds it, at the limit; a latest one skips and counts.
void taps() {
    const blob::Graph g = graphs::chain();
    Stream s(g, 1, 32, 0, 500);
    const uint32_t out = s.tap(), idle = s.tap("level");
    Samples y = s.pull(out, 2000);
    CHECK(s.status == AMP_E_FULL && y.size() == 2 * 500 && s.says("level.out: the ring is full") && s.says("its tap"));
    const Samples held = s.pull(idle, 500);
    CHECK(same(held, y));
    CHECK(amp_stream_close_tap(s.raw, idle, nullptr) == AMP_OK && s.pull(out, 2000).size() == 4000);
    CHECK(s.pull(out, 1, 0).size() == 2 && amp_stream_close_tap(s.raw, idle, nullptr) == AMP_E_INVALID_ARG);

    Stream live(g, 1, 32);
    const uint32_t all = live.tap(), seen = live.tap("level", AMP_TAP_LATEST, 100);
    y = live.pull(all, 1000);
    CHECK(live.info(seen).skipped == 900 && live.info(seen).ready == 100 && live.info(seen).position == 900);
    CHECK(same(live.pull(seen, 60), part(y, 2, 940, 60)));
    CHECK(live.info(seen).skipped == 940 && live.pull(seen, 1).empty() && live.status == AMP_OK);
    y = live.pull(all, 50);
    CHECK(same(live.pull(seen, 100), y) && live.info(seen).underruns == 2);
    CHECK(live.ring("level").capacity <= 260);  // it held nobody back

    const uint32_t late = live.tap("tone");  // from the next frame on
    CHECK(live.info(late).position == live.clock("tone") && live.info(late).ready == 0);
}

// M. Geilen and T. Basten: a stuck cycle beside a part that lives. Two paths of very different delay meet again behind
// rings of one frame, while another source goes on for ever: only growth inside the stuck part helps, and it comes.
void artificial_deadlocks() {
    blob::Graph g;
    g.nodes = {{"live", "sine"},  {"meter", "gain"},
               {"fork", "noise"}, {"long", "fir", {blob::integer("half_length", 300)}},
               {"meet", "mix"},   {"out", "output"}};
    g.edges = {
        {"live", "meter"}, {"fork", "long"}, {"fork", "meet", 0, "out", "in", 1}, {"long", "meet"}, {"meet", "out"}};
    g.output = "out";
    rig::Runtime whole(g);
    CHECK(whole.configure() == AMP_OK);
    const Samples want = whole.render(400);
    for (const uint32_t block : {1u, 64u}) {
        Stream s(g, 1, block, 1);
        const uint32_t meter = s.tap("meter", AMP_TAP_LATEST, 1), out = s.tap();
        CHECK(same(s.pull(out, 400), want) && s.status == AMP_OK);
        const amp_stream_ring fork = s.ring("fork");
        CHECK(fork.grown >= 8 && fork.most > 300 && fork.capacity < 1024);
        CHECK(s.clock("live") >= 400 && s.info(meter).skipped >= 399);
    }
    Stream tight(g, 1, 64, 1, 200);
    CHECK(tight.pull(tight.tap(), 400).empty() && tight.status == AMP_E_FULL &&
          tight.says("fork.out: the ring is full"));
    CHECK(tight.clock("live") > 0);
}

// What is not finite is not taken.
void refusals() {
    Stream s(two_ways(false));
    Samples bad = noise(500, 5);
    bad[123] = NAN;
    CHECK(s.push("b", bad) == AMP_E_NONFINITE && s.error.frame == 123 && s.clock("b") == 0);
    CHECK(s.push("b", bad, 1, 2) == AMP_E_SHAPE && s.push("left", bad) == AMP_E_INVALID_ARG);
    CHECK(s.push("nobody", bad) == AMP_E_INVALID_ARG && s.end("left") == AMP_E_INVALID_ARG);
    CHECK(s.end("b") == AMP_OK && s.end("b") == AMP_E_INVALID_ARG && s.says("has ended"));
    CHECK(s.set("right", "cutoff_hz", 1e9) == AMP_E_INVALID_ARG && s.set("right", "nothing", 1) == AMP_E_INVALID_ARG);
    CHECK(s.pull(s.tap(), 10).size() == 10 && s.set("right", "cutoff_hz", 90, 9) == AMP_E_INVALID_ARG);
    CHECK(s.history({}) == AMP_E_INVALID_ARG && s.says("the stream has begun"));
    const Stream hot(graphs::voice()), far(graphs::chain(), 1, 0, -1), none(graphs::chain(), 0);
    CHECK(!hot.raw && hot.status == AMP_E_UNSUPPORTED && !far.raw && !none.raw && none.status == AMP_E_INVALID_ARG);
    Stream deaf(graphs::chain());
    uint32_t id = 0;
    CHECK(amp_stream_open_tap(deaf.raw, "tone", "none", 0, 0, &id, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_stream_open_tap(deaf.raw, "tone", nullptr, AMP_TAP_LATEST, 0, &id, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_stream_open_tap(deaf.raw, "tone", nullptr, 2, 1, &id, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_stream_pull(deaf.raw, 0, nullptr, 0, nullptr, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_stream_push(nullptr, "in", nullptr, nullptr) == AMP_E_INVALID_ARG &&
          amp_stream_clock(nullptr, "a") == -1);
    CHECK(deaf.clock("nobody") == -1 && amp_stream_ring_info(deaf.raw, 99, nullptr, nullptr) == AMP_E_INVALID_ARG);
}

// What fails at frame n is heard up to frame n - 1, however it is pulled.
void faults() {
    blob::Graph g = graphs::long_loop();  // the lfo drives the delay out of range at some frame
    g.modulations[0].scale = 10;
    rig::Runtime whole(g);
    Samples input = noise(2 * kFrames, 7);
    CHECK(whole.configure() == AMP_OK);
    const amp_buffer b = rig::view(input, 1, 2, kFrames);
    CHECK(whole.note(amp_graph_runtime_bind_input(whole.raw, "in", &b)) == AMP_OK);
    CHECK(whole.render(48000).empty() && whole.status == AMP_E_INVALID_ARG);
    for (const int64_t size : {1, 50, 48000}) {
        Stream s(g, 1, 0, 0, 0, 0);
        const uint32_t out = s.tap();
        CHECK(s.push("in", input, 1, 2) == AMP_OK && s.end("in") == AMP_OK);
        int64_t heard = 0;
        do heard += static_cast<int64_t>(s.pull(out, size).size() / 2);
        while (s.status == AMP_OK);
        CHECK(s.status == AMP_E_INVALID_ARG && heard == s.error.frame &&
              !std::strcmp(s.error.message, whole.error.message));
        CHECK(s.pull(out, 1).empty() && s.status == AMP_E_INVALID_ARG);
    }
}

// Parameters and points of curves that come while it runs act at their frame.
void control() {
    const blob::Graph g = graphs::ahead();
    rig::Runtime whole(g);
    CHECK(whole.configure() == AMP_OK);
    CHECK(whole.set("meter", "gain", 0.5, 37) == AMP_OK && whole.set("noise", "amplitude", 0.25, 300) == AMP_OK);
    CHECK(whole.set("noise", "amplitude", 0.75, 301) == AMP_OK);
    const Samples want = whole.render(600);
    for (const int64_t size : {1, 64, 600}) {
        Stream s(g, 1, 0);
        const uint32_t out = s.tap();
        int64_t at = 0;
        CHECK(s.set("noise", "amplitude", 0.25, 300, &at) == AMP_OK && at == 300);
        CHECK(s.set("meter", "gain", 0.5, 37) == AMP_OK);
        Samples y[2];
        for (int64_t n = 0; n < 600; n += size) {
            if (n == 64 || (n == 0 && size == 600)) CHECK(s.set("noise", "amplitude", 0.75, 301) == AMP_OK);
            const Samples z = s.pull(out, std::min(size, 600 - n));
            for (size_t c = 0; c < 2; ++c)
                y[c].insert(y[c].end(), z.begin() + static_cast<long>(c * z.size() / 2),
                            z.begin() + static_cast<long>((c + 1) * z.size() / 2));
        }
        y[0].insert(y[0].end(), y[1].begin(), y[1].end());
        CHECK(same(y[0], want));
        CHECK(s.set("noise", "amplitude", 1, s.clock("noise") - 1) == AMP_E_INVALID_ARG && s.says("the earliest is"));
        CHECK(s.set("noise", "amplitude", 1, -1, &at) == AMP_OK && at == s.clock("noise"));
    }
    blob::Graph curve;
    curve.nodes = {{"c", "controller", {blob::text("curve", "c")}}, {"out", "output"}};
    curve.edges = {{"c", "out"}};
    curve.output = "out";
    rig::Runtime played(curve);
    CHECK(played.configure() == AMP_OK);
    CHECK(played.history({{"c", AMP_CURVE_LINEAR, {{0, 0.5}, {0.0005, 1}, {0.002, 1}, {0.004, -2}, {0.005, 0}}}}) ==
          AMP_OK);
    const Samples line = played.render(300);
    Stream s(curve);
    CHECK(s.history({{"c", AMP_CURVE_LINEAR, {{0, 0.5}, {0.0005, 1}}}}) == AMP_OK);
    const uint32_t out = s.tap();
    CHECK(same(s.pull(out, 60), part(line, 1, 0, 60)));
    CHECK(s.extend({0.001}, {1}) == AMP_E_INVALID_ARG && s.says("would change what was heard"));
    CHECK(s.extend({0.002}, {3}) == AMP_E_INVALID_ARG && s.says("that value first"));
    CHECK(s.extend({0.002, 0.001}, {1, 1}) == AMP_E_INVALID_ARG && s.says("point 3"));
    CHECK(s.extend({0.002, 0.004}, {1, -2}) == AMP_OK && same(s.pull(out, 100), part(line, 1, 60, 100)));
    CHECK(s.extend({0.005}, {0}) == AMP_OK && same(s.pull(out, 140), part(line, 1, 160, 140)));
}

// Pushing, pulling, setting and looking from many threads: one render's bits for whoever reads alone.
void threads() {
    blob::Graph g = two_ways(true);
    Stream s(g, 9, 64);
    constexpr int64_t kLong = 20000;
    const Samples x = noise(kLong, 8);
    rig::Runtime whole(g);
    CHECK(whole.configure(9) == AMP_OK);
    Samples copy = x;
    const amp_buffer b = rig::view(copy, 1, 1, kLong);
    for (const char* in : {"a", "b"}) CHECK(whole.note(amp_graph_runtime_bind_input(whole.raw, in, &b)) == AMP_OK);
    const Samples want = whole.render(kLong, 9);
    const uint32_t out = s.tap(), seen = s.tap("free", AMP_TAP_LATEST, 64);
    std::atomic<bool> done{false};
    std::atomic<int> refused{0};
    std::vector<std::thread> crowd;
    for (const char* in : {"a", "b"})
        crowd.emplace_back([&, in] {
            for (int64_t n = 0; n < kLong; n += 500) {
                Samples mine = part(x, 1, n, 500);
                const amp_buffer some = rig::view(mine, 1, 1, 500);
                refused += amp_stream_push(s.raw, in, &some, nullptr) != AMP_OK;  // CHECK is for one thread
            }
        });
    crowd.emplace_back([&] {  // keeps the output ahead
        while (!done) amp_stream_advance(s.raw, out, 3000, 300, nullptr, nullptr), std::this_thread::yield();
    });
    crowd.emplace_back([&] {  // meters, knobs that nobody hears, counters
        Samples y(9 * 64);
        const amp_buffer some = rig::view(y, 9, 1, 64);
        double half = 0.5;
        const amp_buffer knob{sizeof knob, 1, 1, 0, 1, 1, 1, &half};
        for (uint32_t id = 0; !done; amp_stream_close_tap(s.raw, id, nullptr)) {
            amp_stream_pull(s.raw, seen, &some, 0, nullptr, nullptr);
            amp_stream_set_param(s.raw, "after", "gain", &knob, -1, nullptr, nullptr);
            amp_stream_open_tap(s.raw, "after", nullptr, AMP_TAP_LATEST, 100, &id, nullptr);
            amp_stream_tap t{};
            amp_stream_ring ring{};
            t.struct_size = sizeof t, ring.struct_size = sizeof ring;
            refused += amp_stream_tap_info(s.raw, seen, &t, nullptr) != AMP_OK;
            refused += amp_stream_ring_info(s.raw, 0, &ring, nullptr) != AMP_OK;
            refused += s.clock("out") > kLong;
        }
    });
    Samples got(want.size());
    int64_t heard = 0;
    while (heard < kLong) {
        amp_buffer some = rig::view(got, 9, 1, kLong);
        some.data += heard;
        some.frames = std::min<int64_t>(700, kLong - heard);
        int64_t n = 0;
        const amp_status status = amp_stream_pull(s.raw, out, &some, heard % 2 ? AMP_PULL_READY : 0, &n, nullptr);
        if (status != AMP_OK && status != AMP_E_PENDING) break;
        heard += n;
        if (n == 0) std::this_thread::yield();
    }
    done = true;
    for (auto& t : crowd) t.join();
    CHECK(refused == 0 && heard == kLong && same(got, want));
}

}  // namespace

int main() {
    every_graph();
    gates();
    growth();
    taps();
    artificial_deadlocks();
    refusals();
    faults();
    control();
    threads();
    return check::finish("stream");
}
