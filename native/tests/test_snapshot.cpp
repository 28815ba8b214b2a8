// snapshot and restore: a restored runtime continues with the bits of one render, for any block size; a refused blob
// changes nothing.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;
using rig::Runtime;
using Samples = std::vector<double>;

constexpr int64_t kBefore = 101, kAfter = 132;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Samples input() {
    Samples x(2 * (kBefore + kAfter));
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.001 * static_cast<double>(i % 97) - 0.04;
    return x;
}

// A runtime that can render: curves and samples are set if the graph needs them.
struct Ready : Runtime {
    Samples samples = input();
    Ready(const blob::Graph& g, uint32_t batches, uint32_t block, uint32_t flags = 0) : Runtime(g) {
        if (g.nodes[0].type == "controller") CHECK(history(graphs::voice_curves()) == AMP_OK);
        CHECK(configure(batches, block, flags) == AMP_OK);
        const amp_buffer b = rig::view(samples, 1, 2, kBefore + kAfter);
        for (const auto& n : g.nodes)
            if (n.type == "input") CHECK(note(amp_graph_runtime_bind_input(raw, n.name.c_str(), &b)) == AMP_OK);
    }
};

bool same(const Samples& a, const Samples& b) {
    return !a.empty() && a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(double));
}

// Renders, takes a snapshot and renders on; a second runtime with another block size continues from the blob. `set` is
// called before the first frame, `later` at the snapshot.
template <class Set, class Later>
void continues(const blob::Graph& g, uint32_t batches, uint32_t flags, Set set, Later later) {
    Ready whole(g, batches, 64, flags);
    set(whole);
    CHECK(!whole.render(kBefore, batches).empty());
    const Bytes cut = whole.snapshot();
    CHECK(whole.status == AMP_OK);
    later(whole);
    const Samples rest = whole.render(kAfter, batches);
    for (const uint32_t block : {64u, 1u, 17u, 512u}) {
        Ready fresh(g, batches, block, flags);
        fresh.render(7, batches);  // the state before a restore does not matter
        if (!CHECK(fresh.restore(cut) == AMP_OK)) std::fprintf(stderr, "%s\n", fresh.error.message);
        CHECK(amp_graph_runtime_position(fresh.raw) == kBefore);
        CHECK(fresh.snapshot() == cut);
        later(fresh);
        CHECK(same(fresh.render(kAfter, batches), rest));
    }
    CHECK(whole.restore(cut) == AMP_OK);
    later(whole);
    CHECK(same(whole.render(kAfter, batches), rest));
}

const auto kNothing = [](Runtime&) {};

void every_graph() {
    for (const blob::Graph& g : graphs::all())
        for (const uint32_t batches : {1u, 3u, 9u})
            for (const uint32_t flags : {0u, AMP_RUN_HEAT}) continues(g, batches, flags, kNothing, kNothing);
}

// Values set at frame 0, queued, in force, and cleared, with a latency before the node.
void parameters() {
    const blob::Tensor steps{1, 1, 200, Samples(200, 0.5)};
    const auto set = [&](Runtime& r) {
        CHECK(r.set("meter", "gain", steps) == AMP_OK);
        CHECK(r.set("noise", "amplitude", 0.25, 50) == AMP_OK);
        CHECK(r.set("meter", "gain", 0.75, 170) == AMP_OK);
    };
    const auto clear = [](Runtime& r) { CHECK(r.note(amp_graph_runtime_clear_params(r.raw)) == AMP_OK); };
    for (const uint32_t batches : {1u, 9u}) {
        continues(graphs::ahead(), batches, 0, set, kNothing);
        continues(graphs::ahead(), batches, 0, set, clear);
        continues(graphs::ahead(), batches, 0, set, [](Runtime& r) { r.set("meter", "gain", 2.0, 200); });
    }
    // A clear that is still queued: the values of frame 0 are in force until then, and the blob has both.
    Ready whole(graphs::ahead(), 1, 16), fresh(graphs::ahead(), 1, 64);
    set(whole);
    whole.render(kBefore);
    clear(whole);
    const Bytes cut = whole.snapshot();
    CHECK(fresh.restore(cut) == AMP_OK);
    CHECK(same(fresh.render(kAfter, 1, "meter"), whole.render(kAfter, 1, "meter")));
    CHECK(whole.configure() == AMP_OK && fresh.configure() == AMP_OK);  // cleared values stay cleared
    Ready never(graphs::ahead(), 1, 64);
    const Samples plain = never.render(kAfter);
    CHECK(same(whole.render(kAfter), plain) && same(fresh.render(kAfter), plain));
}

void heat_continues() {
    Ready whole(graphs::voice(), 3, 32, AMP_RUN_HEAT), fresh(graphs::voice(), 3, 7, AMP_RUN_HEAT);
    whole.render(kBefore, 3);
    CHECK(fresh.restore(whole.snapshot()) == AMP_OK);
    whole.render(kAfter, 3), fresh.render(kAfter, 3);
    Samples mine[3], theirs[3];
    size_t count = 0;
    for (auto* v : {mine, theirs}) {
        for (int k = 0; k < 3; ++k) v[k].resize((kBefore + kAfter) / AMP_HEAT_WINDOW);
        amp_graph_runtime* raw = v == mine ? whole.raw : fresh.raw;
        CHECK(amp_graph_runtime_heat(raw, "svf", v[0].data(), v[1].data(), v[2].data(), v[0].size(), &count) == AMP_OK);
        CHECK(count == v[0].size() && v[1].back() > 0.0);
    }
    for (int k = 0; k < 3; ++k) CHECK(same(mine[k], theirs[k]));
}

// Refused blobs return a status with a reason, and change nothing.
void refusals() {
    const blob::Graph g = graphs::ahead();
    Ready r(g, 3, 16);
    r.render(kBefore, 3);
    const Bytes cut = r.snapshot();
    const auto refuse = [&](Runtime& other, const Bytes& b, amp_status status, const char* words) {
        CHECK(other.restore(b) == status);
        if (!CHECK(std::strstr(other.error.message, words) != nullptr))
            std::fprintf(stderr, "%s\n", other.error.message);
    };
    for (size_t at = blob::kHeader; at < cut.size(); at += 1 + at / 40) {  // truncated anywhere
        Bytes part(cut.begin(), cut.begin() + static_cast<long>(at));
        blob::reseal(part);
        refuse(r, part, AMP_E_BLOB, "is cut off");
    }
    Bytes bad = cut;
    bad.push_back(0);
    blob::reseal(bad);
    refuse(r, bad, AMP_E_BLOB, "1 bytes are left over");
    bad = cut;
    bad.back() ^= 1;
    refuse(r, bad, AMP_E_BLOB, "checksum");
    bad = cut;
    bad[blob::kHeader] = 0;
    blob::reseal(bad);
    refuse(r, bad, AMP_E_BLOB, "layout 0 is not known");
    refuse(r, blob::descriptors(g), AMP_E_BLOB, "magic");
    CHECK(r.snapshot() == cut);

    Ready other(graphs::chain(), 3, 16), fewer(g, 2, 16), hot(g, 3, 16, AMP_RUN_HEAT);
    refuse(other, cut, AMP_E_DRIFT, "another plan (got digest");
    refuse(fewer, cut, AMP_E_INVALID_ARG, "batches");
    refuse(hot, cut, AMP_E_INVALID_ARG, "heat: not that of the snapshot");
    const amp_config moved{sizeof moved, 3, 16, 0, 0, 5};
    CHECK(amp_graph_runtime_configure(hot.raw, &moved) == AMP_OK);
    refuse(hot, cut, AMP_E_INVALID_ARG, "batch_offset");
    Runtime raw(g), deaf(graphs::voice());
    refuse(raw, cut, AMP_E_INVALID_ARG, "not configured");
    CHECK(raw.snapshot().empty() && raw.status == AMP_E_INVALID_ARG);
    Ready voice(graphs::voice(), 1, 16);
    CHECK(deaf.configure() == AMP_OK);
    refuse(deaf, voice.snapshot(), AMP_E_INVALID_ARG, "no control history");
}

// A memory position in a restored state is checked before it is used.
void states_reach_no_foreign_memory() {
    blob::Graph g;
    g.nodes = {{"noise", "noise"}, {"fir", "fir", {blob::integer("half_length", 4)}}, {"out", "output"}};
    g.edges = {{"noise", "fir"}, {"fir", "out"}};
    g.output = "out";
    Ready r(g, 1, 16);
    r.render(kBefore);
    const Bytes cut = r.snapshot();
    long refused = 0;
    for (size_t at = blob::kHeader; at + 8 <= cut.size(); ++at) {
        Bytes bad = cut;
        const int64_t far = int64_t{1} << 40;
        std::memcpy(&bad[at], &far, sizeof far);
        blob::reseal(bad);
        const amp_status s = r.restore(bad);
        CHECK(s == AMP_OK || s == AMP_E_BLOB || s == AMP_E_DRIFT || s == AMP_E_INVALID_ARG);
        refused += std::strstr(r.error.message, "the state of fir is none it can have") != nullptr;
        if (s == AMP_OK) r.render(kAfter);
    }
    CHECK(refused > 0);
}

void arguments() {
    size_t size = 0;
    CHECK(amp_graph_runtime_snapshot(nullptr, nullptr, 0, &size) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_restore(nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    Ready r(graphs::chain(), 1, 16);
    CHECK(amp_graph_runtime_snapshot(r.raw, nullptr, 0, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_restore(r.raw, nullptr, 9) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_restore(r.raw, nullptr, 0) == AMP_E_BLOB);
    CHECK(amp_graph_runtime_snapshot(r.raw, nullptr, 0, &size) == AMP_OK && size > blob::kHeader);
    Bytes out(size, 0xee);
    const size_t least = size;
    CHECK(amp_graph_runtime_snapshot(r.raw, out.data(), least - 1, &size) == AMP_E_INVALID_ARG && size == least);
    CHECK(out == Bytes(least, 0xee));
    CHECK(amp_graph_runtime_snapshot(r.raw, out.data(), least, &size) == AMP_OK && size == least);
    CHECK(r.restore(out) == AMP_OK && amp_graph_runtime_position(r.raw) == 0);
}

// After an error no snapshot can be taken; restoring one from before the error makes the runtime usable again.
void after_an_error() {
    Ready r(graphs::long_loop(), 1, 16);
    const Bytes start = r.snapshot();
    const Samples first = r.render(kBefore);
    const Bytes cut = r.snapshot();
    CHECK(r.set("line", "delay_s", 0.05) == AMP_OK);  // longer than its memory
    CHECK(r.render(kAfter).empty() && r.status == AMP_E_INVALID_ARG);
    CHECK(r.snapshot().empty() && r.status == AMP_E_INVALID_ARG);
    CHECK(r.restore(cut) == AMP_OK && r.render(kAfter).size() == 2 * kAfter);
    CHECK(r.restore(start) == AMP_OK && same(r.render(kBefore), first));
}

// NaN among frames that were made but not delivered: a runtime with AMP_RUN_STOP_NONFINITE refuses the blob; another
// delivers the NaN.
void not_finite() {
    blob::Graph g = graphs::chain();
    g.edges[1].delay = 9;
    Ready from(g, 1, 16);
    CHECK(!from.render(kBefore).empty());
    const Bytes cut = from.snapshot();
    long refused = 0;
    for (size_t at = blob::kHeader; at + 8 <= cut.size(); ++at) {
        Bytes bad = cut;
        std::memcpy(&bad[at], &kNaN, sizeof kNaN);
        blob::reseal(bad);
        Ready stops(g, 1, 16, AMP_RUN_STOP_NONFINITE), goes_on(g, 1, 16);
        if (stops.restore(bad) == AMP_OK) {
            const Samples y = stops.render(kAfter);
            CHECK(std::all_of(y.begin(), y.end(), [](double x) { return std::isfinite(x); }));
        } else if (stops.status == AMP_E_NONFINITE) {
            ++refused;
            CHECK(std::strstr(stops.error.message, "level.out: the snapshot holds NaN"));
            CHECK(!std::strcmp(stops.error.node, "level") && amp_graph_runtime_position(stops.raw) == 0);
            CHECK(stops.render(kAfter).size() == 2 * kAfter);  // unchanged by the refused call
            CHECK(goes_on.restore(bad) == AMP_OK && goes_on.render(kAfter).size() == 2 * kAfter);
        }
    }
    CHECK(refused >= 9 * 2);  // frames times channels
}

// Flags without a meaning are refused, so that a later version can define them.
void unknown_flags() {
    Runtime r(graphs::chain());
    for (uint32_t bit = 16; bit != 0; bit <<= 1)
        CHECK(r.configure(1, 16, bit | AMP_RUN_HEAT) == AMP_E_INVALID_ARG &&
              std::strstr(r.error.message, "flags: unknown bits"));
    CHECK(r.configure(1, 16, AMP_RUN_STOP_NONFINITE | AMP_RUN_HEAT | AMP_RUN_TRACE | AMP_RUN_NO_METRICS) == AMP_OK);
}

}  // namespace

int main() {
    every_graph();
    parameters();
    heat_continues();
    refusals();
    states_reach_no_foreign_memory();
    arguments();
    after_an_error();
    not_finite();
    unknown_flags();
    return check::finish("snapshot");
}
