// Nothing is allocated during a render or by a running stream: earlier calls allocate what they need.
#include <cstring>

#include "check.hpp"
#include "memory_cases.hpp"

namespace {

using rig::Runtime;

std::vector<Case> cases() {
    std::vector<Case> list;
    for (const auto& g : graphs::all())
        for (const uint32_t batches : {1u, 3u, 6u, 20u})
            for (const uint32_t flags : {0u, AMP_RUN_HEAT | AMP_RUN_TRACE | AMP_RUN_STOP_NONFINITE})
                list.push_back({g, batches, 32, flags});
    return list;
}

// Buffers for the output node and for one tap on every node, allocated before counting begins.
struct Buffers {
    std::vector<std::vector<double>> data;
    std::vector<amp_tap> taps;
    amp_buffer out{};
    Buffers(const Runtime& r, const Case& c, int64_t frames) {
        data.reserve(c.graph.nodes.size() + 1);
        for (size_t i = 0; i <= c.graph.nodes.size(); ++i) {
            const char* node = i ? c.graph.nodes[i - 1].name.c_str() : "out";
            const auto channels = static_cast<uint32_t>(amp_graph_runtime_port_channels(r.raw, node, nullptr));
            data.emplace_back(size_t{c.batches} * channels * static_cast<size_t>(frames));
            const amp_buffer b = rig::view(data.back(), c.batches, channels, frames);
            if (i)
                taps.push_back({sizeof(amp_tap), 0, node, nullptr, b});
            else
                out = b;
        }
    }
};

void no_allocation_while_rendering() {
    CHECK(allocations_of([] { std::vector<int> counted(1); }) == 1);
    for (const Case& c : cases()) {
        Runtime r(c.graph);
        CHECK(!has_curves(c.graph) || r.history(graphs::voice_curves()) == AMP_OK);
        CHECK(r.configure(c.batches, c.block, c.flags) == AMP_OK);
        Buffers b(r, c, 100 * c.block);
        const auto run = [&](int64_t frames) {
            CHECK(amp_graph_runtime_execute(r.raw, frames, &b.out, b.taps.data(),
                                            static_cast<uint32_t>(b.taps.size())) == AMP_OK);
        };
        for (const int64_t frames : {int64_t{c.block}, int64_t{100} * c.block, int64_t{7}, int64_t{100} * c.block})
            CHECK(allocations_of([&] { run(frames); }) == 0);
    }
}

// Values that were set before, or queued for a frame, take effect without allocating.
void no_allocation_when_changes_are_due() {
    for (const uint32_t batches : {2u, 9u}) {
        Case c{graphs::chain(), batches, 32, 0};
        Runtime r(c.graph);
        CHECK(r.configure(c.batches, c.block) == AMP_OK);
        Buffers b(r, c, 320);
        for (int64_t at : {40, 41, 100, 170}) CHECK(r.set("level", "gain", 0.001 * double(at), at) == AMP_OK);
        CHECK(r.set("tone", "amplitude", blob::Tensor{batches, 2, 1, std::vector<double>(size_t{batches} * 2, 0.5)},
                    99) == AMP_OK);
        CHECK(allocations_of([&] { CHECK(amp_graph_runtime_execute(r.raw, 320, &b.out, nullptr, 0) == AMP_OK); }) == 0);
        CHECK(b.data[0][319] != 0.0);
    }
}

void execute(Runtime& r, int64_t frames, const amp_buffer* out) {
    CHECK(allocations_of([&] { CHECK(amp_graph_runtime_execute(r.raw, frames, out, nullptr, 0) == AMP_OK); }) == 0);
}

// Members of a lane group, values with a frame axis instead of numbers and curves, and a return to the given values.
void no_allocation_when_any_kind_of_change_is_due() {
    const blob::Tensor axis{1, 1, 50, std::vector<double>(50, 0.25)};
    blob::Graph g = graphs::choir(8);
    g.nodes[2].params = {blob::tensor("gain", axis)};
    g.modulations.push_back({"lfo_0", "body_0", "gain", 0, 0.1, 0});
    for (int i = 1; i < 8; ++i)
        g.modulations.push_back({graphs::numbered("lfo", i), graphs::numbered("body", i), "gain", 0, 0.1, 0});
    for (const uint32_t threads : {1u, 2u}) {
        Runtime r(g);
        CHECK(r.configure(1, 32, 0, threads) == AMP_OK);
        std::vector<double> y(320);
        const amp_buffer out = rig::view(y, 1, 1, 320);
        CHECK(r.set("body_3", "gain", axis, 40) == AMP_OK && r.set("body_5", "gain", 0.5, 50) == AMP_OK);
        CHECK(r.set("pole_2", "cutoff_hz", 300, 60) == AMP_OK);
        execute(r, 320, &out);
        CHECK(r.set("body_5", "gain", blob::Tensor{1, 1, 400, std::vector<double>(400, 0.5)}, 330) == AMP_OK);
        execute(r, 320, &out);
        CHECK(amp_graph_runtime_clear_params(r.raw) == AMP_OK);
        execute(r, 320, &out);
    }
    for (const uint32_t batches : {2u, 9u}) {
        Runtime r(graphs::voice());
        CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(batches, 32) == AMP_OK);
        std::vector<double> y(size_t{batches} * 2 * 320);
        const amp_buffer out = rig::view(y, batches, 2, 320);
        CHECK(r.set("svf", "cutoff_hz", 500, 40) == AMP_OK && r.set("vca", "gain", axis, 50) == AMP_OK);
        CHECK(r.set("osc", "pulse_width", 0.5, 90) == AMP_OK && r.set("svf", "cutoff_hz", axis, 95) != AMP_OK);
        execute(r, 320, &out);
        CHECK(amp_graph_runtime_clear_params(r.raw) == AMP_OK);
        execute(r, 320, &out);
    }
}

// A call whose heat records do not fit is refused before its first frame.
void what_does_not_fit_is_refused_whole() {
    blob::Graph g = graphs::voice();
    Runtime r(g), whole(g);
    for (Runtime* x : {&r, &whole})
        CHECK(x->history(graphs::voice_curves()) == AMP_OK && x->configure(9, 32, AMP_RUN_HEAT) == AMP_OK);
    CHECK(r.render(200, 9) == whole.render(200, 9));
    CHECK(r.note(amp_graph_runtime_execute(r.raw, int64_t{1} << 50, nullptr, nullptr, 0)) == AMP_E_NOMEM);
    CHECK(std::strstr(r.error.message, "heat: the records of") && std::strcmp(r.error.stage, "execute") == 0);
    CHECK(amp_graph_runtime_position(r.raw) == 200);
    CHECK(r.render(2000, 9) == whole.render(2000, 9));
}

void taps_beyond_all_outputs_are_refused() {
    Runtime r(graphs::chain());
    CHECK(r.configure() == AMP_OK);
    std::vector<double> y(2 * 8);
    const amp_buffer b = rig::view(y, 1, 2, 8);
    std::vector<amp_tap> taps(65, amp_tap{sizeof(amp_tap), 0, "level", nullptr, b});
    const auto run = [&](uint32_t n) { return r.note(amp_graph_runtime_execute(r.raw, 8, &b, taps.data(), n)); };
    CHECK(allocations_of([&] { CHECK(run(63) == AMP_OK); }) == 0);
    CHECK(run(64) == AMP_E_INVALID_ARG && std::strstr(r.error.message, "taps: too many (got 64, allowed 63"));
    CHECK(amp_graph_runtime_position(r.raw) == 8 && run(63) == AMP_OK);
}

struct Stream {  // A stream of a graph with a tap on its output.
    amp_stream* raw = nullptr;
    uint32_t out = 0;
    Stream(const Case& c, int64_t ring_frames = 0) {
        const auto bytes = blob::descriptors(c.graph), curves = blob::history(graphs::voice_curves());
        const amp_stream_config config{sizeof config, c.batches, c.block, c.flags, 64, 0, ring_frames, 0};
        CHECK(amp_stream_create(bytes.data(), bytes.size(), nullptr, 0, &config, &raw, nullptr) == AMP_OK);
        if (has_curves(c.graph)) CHECK(amp_stream_set_history(raw, curves.data(), curves.size(), nullptr) == AMP_OK);
        CHECK(amp_stream_open_tap(raw, nullptr, nullptr, AMP_TAP_LOSSLESS, 0, &out, nullptr) == AMP_OK);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { amp_stream_destroy(raw); }
};

// Pushing, pulling and growing: rings use address space that was reserved.
void no_allocation_while_streaming() {
    for (Case c : cases()) {
        if (c.flags & AMP_RUN_HEAT) c.flags = AMP_RUN_TRACE | AMP_RUN_STOP_NONFINITE;
        c.graph.policy = 0;
        for (const int64_t ring : {0, 1}) {
            Stream s(c, ring);
            const auto channels = static_cast<uint32_t>(amp_stream_port_channels(s.raw, "out", nullptr));
            std::vector<double> y(size_t{c.batches} * channels * 500), x(2 * 500, 0.5);
            const amp_buffer b = rig::view(y, c.batches, channels, 500), in = rig::view(x, 1, 2, 500);
            CHECK(allocations_of([&] {
                      if (amp_stream_clock(s.raw, "in") == 0)
                          for (int i = 0; i < 3; ++i) CHECK(amp_stream_push(s.raw, "in", &in, nullptr) == AMP_OK);
                      CHECK(amp_stream_pull(s.raw, s.out, &b, 0, nullptr, nullptr) == AMP_OK);
                      CHECK(amp_stream_advance(s.raw, s.out, 900, 900, nullptr, nullptr) == AMP_OK);
                  }) == 0);
        }
    }
}

// A history set after configure does not rebuild the shards: it allocates only memory for its curves, however large the
// graph is, and gives the same samples as a history set before.
void a_history_builds_nothing() {
    const auto taken = [](int gains) {
        blob::Graph g;
        g.nodes = {{"tone", "sine", {blob::curve("amplitude", "level")}}};
        for (int i = 0; i < gains; ++i) {
            g.edges.push_back({g.nodes.back().name, graphs::numbered("gain", i)});
            g.nodes.push_back({graphs::numbered("gain", i), "gain"});
        }
        g.edges.push_back({g.nodes.back().name, "out"});
        g.nodes.push_back({"out", "output"});
        g.output = "out";
        const auto level = blob::history({{"level", AMP_CURVE_LINEAR, {{0.0, 0.0}, {0.01, 1.0}}}});
        Runtime r(g);
        CHECK(r.configure() == AMP_OK);
        const long runtime =
            allocations_of([&] { CHECK(amp_graph_runtime_set_history(r.raw, level.data(), level.size()) == AMP_OK); });
        Stream s(Case{g, 1, 64, 0});
        return std::pair(runtime, allocations_of([&] {
                             CHECK(amp_stream_set_history(s.raw, level.data(), level.size(), nullptr) == AMP_OK);
                         }));
    };
    const auto few = taken(3), many = taken(300);
    CHECK(few == many && few.first < 20 && few.second < 20);
    for (const uint32_t batches : {1u, 9u}) {
        Runtime before(graphs::voice()), after(graphs::voice()), again(graphs::voice());
        CHECK(before.history(graphs::voice_curves()) == AMP_OK && before.configure(batches) == AMP_OK);
        for (Runtime* r : {&after, &again}) CHECK(r->configure(batches) == AMP_OK);
        CHECK(again.history({{"gate", AMP_CURVE_HOLD, {{0.0, 1.0}}}, {"cutoff", AMP_CURVE_HOLD, {{0.0, 90.0}}}}) ==
              AMP_OK);
        for (Runtime* r : {&after, &again}) CHECK(r->history(graphs::voice_curves()) == AMP_OK);
        const auto sound = before.render(500, batches);
        CHECK(!sound.empty());
        CHECK(sound == after.render(500, batches));
        CHECK(sound == again.render(500, batches));
    }
}

}  // namespace

int main() {
    a_history_builds_nothing();
    no_allocation_while_rendering();
    no_allocation_when_changes_are_due();
    no_allocation_when_any_kind_of_change_is_due();
    what_does_not_fit_is_refused_whole();
    taps_beyond_all_outputs_are_refused();
    no_allocation_while_streaming();
    return check::finish("memory of renders");
}
