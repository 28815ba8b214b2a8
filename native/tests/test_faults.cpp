// How a render ends early and what the runtime reports: faults with their place, heat, metrics, trace, flight record.
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using rig::Runtime;
using Samples = std::vector<double>;

bool says(const Runtime& r, const char* words) { return std::strstr(r.error.message, words) != nullptr; }

// The first value that is not finite is reported with its place, for any block size; without the flag the render
// continues.
void nonfinite_values_stop_where_they_are() {
    blob::Graph g = graphs::chain();
    g.nodes[0] = {"tone", "input", {blob::integer("channels", 2)}};
    for (const uint32_t block : {1u, 16u, 512u})
        for (const uint32_t batches : {3u, 10u}) {
            Runtime r(g);
            CHECK(r.configure(batches, block, AMP_RUN_STOP_NONFINITE) == AMP_OK);
            Samples x(static_cast<size_t>(batches) * 200, 0.25);
            x[2 * 200 + 100 + 77] = INFINITY;
            x[1 * 200 + 90] = NAN;
            const amp_buffer b = rig::view(x, batches, 2, 100);
            CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "tone", &b)) == AMP_OK);
            CHECK(r.render(100, batches).empty() && r.status == AMP_E_NONFINITE);
            CHECK(!std::strcmp(r.error.node, "tone") && !std::strcmp(r.error.port, "out") && r.error.batch == 2 &&
                  r.error.channel == 1 && r.error.frame == 77);
            CHECK(amp_graph_runtime_position(r.raw) <= 77);
            CHECK(r.render(1, batches).empty() && r.status == AMP_E_INVALID_ARG && says(r, "stopped with an error"));
            CHECK(r.configure(batches, block) == AMP_OK && r.render(100, batches).size() == x.size());
        }
}

void ranges_are_checked_while_rendering() {
    blob::Graph g = graphs::voice();
    g.modulations[1].scale = 1e6;
    Runtime r(g);
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(1, 32) == AMP_OK);
    CHECK(r.render(300).empty() && r.status == AMP_E_INVALID_ARG);
    CHECK(!std::strcmp(r.error.node, "svf") && !std::strcmp(r.error.port, "cutoff_hz") && r.error.frame > 48);
}

void cancelling() {
    Runtime r(graphs::chain());
    CHECK(r.configure() == AMP_OK);
    amp_graph_runtime_cancel(r.raw);
    CHECK(r.render(100).empty() && r.status == AMP_E_PENDING && amp_graph_runtime_position(r.raw) == 0);
    CHECK(r.render(100).size() == 200 && amp_graph_runtime_position(r.raw) == 100);
}

void heat() {
    blob::Graph g = graphs::voice();
    g.policy = 0;  // otherwise the budget would enable heat
    Runtime r(g);
    size_t count = 9;
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(2, 50) == AMP_OK);
    CHECK(r.note(amp_graph_runtime_heat(r.raw, "svf", nullptr, nullptr, nullptr, 0, &count)) == AMP_E_INVALID_ARG);
    CHECK(r.configure(2, 50, AMP_RUN_HEAT) == AMP_OK && r.render(200, 2).size() == 800);
    double own[3], total[3], temperature[3];
    CHECK(amp_graph_runtime_heat(r.raw, "svf", own, total, temperature, 3, &count) == AMP_OK && count == 3);
    CHECK(own[0] == 2 * 64 * 1e-6 && total[2] > total[1] && temperature[2] > temperature[1] && temperature[0] > 0);
    CHECK(amp_graph_runtime_heat(r.raw, "out", own, nullptr, temperature, 1, &count) == AMP_OK && count == 3 &&
          std::isnan(temperature[0]));
    amp_node_metrics m{sizeof m};
    CHECK(amp_graph_runtime_metrics(r.raw, "svf", &m) == AMP_OK && m.heat_j > total[2]);
    g.budget_w = 1e-3, g.policy = 1;
    Runtime hot(g);
    CHECK(hot.history(graphs::voice_curves()) == AMP_OK && hot.configure(1, 50) == AMP_OK);
    CHECK(hot.render(200).empty() && hot.status == AMP_E_THERMAL && hot.error.frame == 63 && says(hot, "heat budget"));
}

// Heat through an edge with a delay arrives after that delay, and only the memory in use is read.
void heat_waits_with_the_delay() {
    blob::Graph g = graphs::chain();
    g.nodes[0].heat = 1.0;
    for (const uint64_t delay : {uint64_t{100}, uint64_t{1} << 29}) {
        g.edges[0].delay = delay;
        Runtime r(g);
        CHECK(r.configure(1, 16, AMP_RUN_HEAT) == AMP_OK);
        for (int i = 0; i < 40; ++i) CHECK(r.render(16).size() == 32);
        double total[10];
        size_t count = 0;
        CHECK(amp_graph_runtime_heat(r.raw, "level", nullptr, total, nullptr, 10, &count) == AMP_OK && count == 10);
        CHECK(total[0] == 0.0 && std::floor(total[9]) == (delay == 100 ? 640 - 100 : 0));
    }
}

void metrics_and_trace() {
    Runtime r(graphs::short_loop());
    CHECK(r.configure(1, 16, AMP_RUN_TRACE) == AMP_OK && r.render(100).size() == 100);
    amp_node_metrics m{sizeof m};
    CHECK(amp_graph_runtime_metrics(r.raw, "noise", &m) == AMP_OK && m.frames == 100 && m.calls == 7 &&
          m.measured_delay_frames == 0);
    CHECK(amp_graph_runtime_metrics(r.raw, "sum", &m) == AMP_OK && m.frames == 100 && m.calls == 100 && m.seconds >= 0);
    CHECK(amp_graph_runtime_metrics(r.raw, "nobody", &m) == AMP_E_INVALID_ARG);
    std::vector<amp_trace_event> events(256);
    size_t count = 0;
    uint64_t dropped = 0;
    CHECK(amp_graph_runtime_trace(r.raw, events.data(), 256, &count, &dropped) == AMP_OK);
    CHECK(count == 256 && dropped == 3 * 100 + 2 * 7 - 256);
    for (size_t i = 1; i < count; ++i)
        CHECK(events[i].start_s <= events[i].stop_s && events[i].first_frame >= events[i - 1].first_frame - 16);
    CHECK(amp_graph_runtime_trace(r.raw, nullptr, 0, nullptr, nullptr) == AMP_OK);
    CHECK(r.configure() == AMP_OK && amp_graph_runtime_trace(r.raw, events.data(), 256, &count, &dropped) == AMP_OK &&
          count == 0 && dropped == 0);
}

void flight_record() {
    Runtime r(graphs::chain());
    amp_flight f{};
    f.struct_size = sizeof f;
    amp_graph_runtime_set_flight(r.raw, &f);
    CHECK(r.configure(1, 16) == AMP_OK && r.render(40).size() == 80);
    CHECK(f.phase == AMP_PHASE_IDLE && f.sequence == 9 && f.node == 2 && f.first_frame == 32 && f.frames == 8);
    amp_graph_runtime_set_flight(r.raw, nullptr);
    CHECK(r.render(40).size() == 80 && f.sequence == 9);
}

// A configuration larger than the arena's address space is refused; the runtime can be configured again.
void too_much_memory() {
    blob::Graph g = graphs::chain();
    g.edges[1].delay = uint64_t{1} << 30;
    Runtime r(g);
    CHECK(r.configure(8) == AMP_E_NOMEM && says(r, "arena"));
    CHECK(r.render(8).empty() && r.status == AMP_E_INVALID_ARG);
    CHECK(r.configure(1) == AMP_OK && r.render(8) == Samples(16, 0.0));
    Runtime many(graphs::chain());
    CHECK(many.configure(1u << 15, 64) == AMP_OK);
    CHECK(many.configure(1, 64) == AMP_OK && many.render(8).size() == 16);
}

}  // namespace

int main() {
    nonfinite_values_stop_where_they_are();
    ranges_are_checked_while_rendering();
    cancelling();
    heat();
    heat_waits_with_the_delay();
    metrics_and_trace();
    flight_record();
    too_much_memory();
    return check::finish("faults");
}
