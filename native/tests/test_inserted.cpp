// Nodes that the plan inserted: without a descriptor, with their own name and origin in texts, traces and errors.
#include <algorithm>
#include <string>

#include "abi/guard.hpp"
#include "check.hpp"
#include "plan/lowering.hpp"
#include "plan/schedule.hpp"
#include "rig.hpp"

namespace {

using amp::Lowering, amp::Plan;
using blob::Graph;

Plan plan_of(const Graph& g, Lowering lower) {
    const blob::Bytes d = blob::descriptors(g);
    return amp::compile(amp::read_descriptors(d.data(), d.size()), lower);
}

// A runtime of a plan with inserted nodes, with its derived schedule.
struct Lowered : rig::Runtime {
    Lowered(const Graph& g, Lowering lower) : rig::Runtime(g) {
        amp_graph_runtime_destroy(raw);
        raw = new amp_graph_runtime{amp::Runtime(plan_of(g, lower))};
        raw->runtime.set_schedule(amp::derive(raw->runtime.plan()));
    }
};

void into_every_edge(Plan& p) {
    for (uint32_t k = 0, n = static_cast<uint32_t>(p.edges.size()); k < n; ++k)
        amp::insert(p, k, *amp::find_type("gain"), "patch/" + p.nodes[p.edges[k].src].name);
}

template <int kTimes> void ahead_of_the_first(Plan& p) {
    for (int i = 0; i < kTimes; ++i) amp::insert(p, 0, *amp::find_type("lookahead_limiter"), "ahead");
}

Graph wobbling() {
    Graph g = graphs::short_loop();
    g.nodes.push_back({"wobble", "lfo", {blob::number("rate_hz", 300), blob::number("depth", 0.2)}});
    g.modulations = {{"wobble", "back", "gain", 0, 1, 1, -1, 0, 0}};
    return g;
}

// A node that passes its signal on bit for bit is inserted into every edge and modulation: delays, tokens and loops
// keep their effect.
void they_run_like_others() {
    for (const Graph& g : {graphs::chain(), graphs::short_loop(), wobbling()})
        for (const uint32_t batches : {1u, 9u}) {
            rig::Runtime plain(g);
            Lowered with(g, into_every_edge);
            CHECK(plain.configure(batches, 64) == AMP_OK && with.configure(batches, 64) == AMP_OK);
            const auto x = plain.render(500, batches), y = with.render(500, batches);
            CHECK(!x.empty() && x == y);
            CHECK(with.raw->runtime.plan().nodes.size() > g.nodes.size());
        }
}

void plan_texts_show_name_and_origin() {
    const Graph g = wobbling();
    const Plan plain = plan_of(g, nullptr), p = plan_of(g, into_every_edge);
    CHECK(p.nodes.size() == plain.nodes.size() + g.edges.size() + g.modulations.size() && p.digest != plain.digest);
    const auto u = p.find("patch/wobble");
    CHECK(u && !p.nodes[*u].descriptor && p.nodes[*u].type == amp::find_type("gain"));
    CHECK(p.nodes[*u].origin == "modulation wobble -> back.gain");
    CHECK(p.find("patch/pole") && p.find("patch/pole.2") && !p.find("patch/nobody") && p.find("pole"));
    CHECK(p.nodes[*p.find("pole")].descriptor && p.nodes[*p.find("pole")].origin.empty());
    const std::string json = amp::describe(p);
    CHECK(json.find("\"name\": \"patch/wobble\", \"type\": \"gain\"") != std::string::npos);
    CHECK(json.find("\"origin\": \"modulation wobble -> back.gain\"") != std::string::npos);
    CHECK(json.find("\"source\": \"patch/back.out\", \"target\": \"sum.in\"") != std::string::npos);
    CHECK(amp::describe(plain).find("origin") == std::string::npos);
    const auto schedule = amp::describe(p, amp::derive(p));
    CHECK(schedule.find("\"patch/pole.2\"") != std::string::npos);
}

// The user's heat shares are unchanged: modulations carry no heat, and an edge delivers the heat that entered it.
void heat_goes_through_them() {
    Graph g = wobbling();
    g.edges[3].kappa = 0.25;
    const Plan plain = plan_of(g, nullptr), p = plan_of(g, into_every_edge);
    for (const amp::PlanEdge& e : p.edges) {
        if (e.descriptor != amp::kInserted) continue;
        const std::string& origin = p.nodes[e.dst].origin;
        const bool modulates = origin.find("modulation") == 0;
        const auto same = std::find_if(plain.edges.begin(), plain.edges.end(), [&](const amp::PlanEdge& k) {
            return k.port >= 0 && spelled(plain.descriptors.edges[k.descriptor]) == origin;
        });
        CHECK(modulates ? e.kappa == 0.0 : same != plain.edges.end());
        if (!modulates && !amp::recurs(plain, *same)) CHECK(e.kappa == same->kappa);
    }
}

// The latency of an inserted node is compensated; a cycle that it makes too short is refused with its name and origin.
void their_latency_counts() {
    const Graph g = graphs::chain();
    const Plan one = plan_of(g, ahead_of_the_first<1>), two = plan_of(g, ahead_of_the_first<2>);
    const int64_t frames = one.nodes[*one.find("ahead")].latency;
    CHECK(frames > 0 && one.latency == frames && two.latency == 2 * frames);
    const Graph loop = graphs::short_loop();
    const Lowering everywhere = [](Plan& p) {
        for (uint32_t k = 0, n = static_cast<uint32_t>(p.edges.size()); k < n; ++k)
            if (p.edges[k].delay) amp::insert(p, k, *amp::find_type("lookahead_limiter"), "ahead");
    };
    try {
        plan_of(loop, everywhere);
        CHECK(false);
    } catch (const amp::Failure& f) {
        CHECK(f.code == AMP_E_CYCLE);
        CHECK(f.message.find("-> ahead -> sum") != std::string::npos);
        CHECK(f.message.find("ahead (inserted for edge back -> sum.in) declares") != std::string::npos);
    }
}

void traces_metrics_and_taps_name_them() {
    Lowered r(graphs::chain(), into_every_edge);
    CHECK(r.configure(1, 64, AMP_RUN_TRACE) == AMP_OK && !r.render(128).empty());
    const auto place = r.raw->runtime.plan().find("patch/tone");
    amp_trace_event events[64];
    uint64_t dropped = 0;
    size_t count = 0;
    CHECK(amp_graph_runtime_trace(r.raw, events, 64, &count, &dropped) == AMP_OK);
    CHECK(place && std::any_of(events, events + count,
                               [&](const auto& e) { return e.node == r.raw->runtime.plan().nodes[*place].rank; }));
    amp_node_metrics m{};
    m.struct_size = sizeof m;
    CHECK(amp_graph_runtime_metrics(r.raw, "patch/tone", &m) == AMP_OK && m.frames == 128);
    CHECK(!r.render(64, 1, "patch/tone").empty());
}

// A fault names the inserted node and its origin.
void errors_say_what_they_are_for() {
    Graph g;
    g.nodes = {{"loud", "input"}, {"out", "output"}};
    g.edges = {{"loud", "out"}};
    g.output = "out";
    Lowered r(g, [](Plan& p) { amp::insert(p, 0, *amp::find_type("svf"), "patch/loud"); });
    CHECK(r.configure(1, 64, AMP_RUN_STOP_NONFINITE) == AMP_OK);
    std::vector<double> loud(4000, 1.7e308);  // the filter adds two such values
    const amp_buffer samples = rig::view(loud, 1, 1, 4000);
    CHECK(amp_graph_runtime_bind_input(r.raw, "loud", &samples) == AMP_OK);
    CHECK(r.render(4000).empty() && r.status == AMP_E_NONFINITE);
    CHECK(std::string(r.error.node) == "patch/loud");
    CHECK(std::string(r.error.message).find("patch/loud (inserted for edge loud -> out.in)") != std::string::npos);
}

void snapshots_hold_their_state() {
    Lowered first(wobbling(), into_every_edge), second(wobbling(), into_every_edge);
    CHECK(first.configure(2, 32) == AMP_OK && second.configure(2, 32) == AMP_OK);
    CHECK(!first.render(100, 2).empty());
    CHECK(second.restore(first.snapshot()) == AMP_OK);
    const auto x = first.render(200, 2);
    CHECK(!x.empty() && x == second.render(200, 2));
}

}  // namespace

int main() {
    they_run_like_others();
    plan_texts_show_name_and_origin();
    heat_goes_through_them();
    their_latency_counts();
    traces_metrics_and_taps_name_them();
    errors_say_what_they_are_for();
    snapshots_hold_their_state();
    return check::finish("test_inserted");
}
