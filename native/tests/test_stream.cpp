// Streams: the bits are those of one render, however samples are pushed, frames pulled and parameters set.
#include <cmath>

#include "stream_rig.hpp"

namespace {

using rig::noise, rig::part, rig::same, rig::Samples, rig::Stream, rig::two_ways;
constexpr int64_t kFrames = 700;

// Random pushes and pulls of all sizes at all nodes, compared with one render.
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
        g.policy = 0;  // a budget that halts would need heat
        for (const uint32_t batches : {1u, 3u, 9u})
            for (const uint32_t block : {0u, 1u, 17u})
                for (const int64_t ring : {0, 1}) pushed_and_pulled(g, batches, block, ring, seed++);
    }
}

// Samples that are not finite are refused.
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

// A fault at frame n is reported after the frames up to n - 1 were delivered, however they are pulled.
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

// Parameters and curve points that are set while the stream runs take effect at their frame.
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

}  // namespace

int main() {
    every_graph();
    refusals();
    faults();
    control();
    return check::finish("stream");
}
