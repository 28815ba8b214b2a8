// Plans: equal graphs give equal bytes, whatever the order of their parts; a plan of another graph is refused, naming
// the node; one call reports everything that is wrong with a graph.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;
using blob::Graph;

struct Compiled {
    Bytes plan;
    std::string json;
    amp_status status;
    amp_error error = rig::empty_error();
    explicit Compiled(const Graph& g) {
        const Bytes d = blob::descriptors(g);
        amp_bytes out{};
        status = amp_plan_compile(d.data(), d.size(), &out, &error);
        plan.assign(out.data, out.data + out.size);
        amp_bytes_free(&out);
        if (status != AMP_OK) return;
        CHECK(amp_plan_describe(d.data(), d.size(), plan.data(), plan.size(), &out, nullptr) == AMP_OK);
        json.assign(reinterpret_cast<char*>(out.data), out.size);
        amp_bytes_free(&out);
    }
    bool says(const char* words) const { return std::strstr(error.message, words) != nullptr; }
};

void plans_are_deterministic() {
    for (const Graph& g : graphs::all()) {
        const Compiled first(g);
        CHECK(first.status == AMP_OK && !first.plan.empty());
        Graph turned = g;
        std::reverse(turned.nodes.begin(), turned.nodes.end());
        std::reverse(turned.edges.begin(), turned.edges.end());
        std::reverse(turned.modulations.begin(), turned.modulations.end());
        for (auto& n : turned.nodes) std::reverse(n.params.begin(), n.params.end());
        for (int i = 0; i < 3; ++i) {
            const Compiled again(i == 0 ? g : turned);
            CHECK(again.plan == first.plan && again.json == first.json);
        }
        CHECK(rig::Runtime(blob::descriptors(turned), first.plan).status == AMP_OK);
    }
}

// A plan made for `other` does not load with `g`, and the error names the node.
void expect_drift(const Graph& g, const Graph& other, const std::string& node) {
    const Compiled plan(other);
    CHECK(plan.status == AMP_OK);
    rig::Runtime r(blob::descriptors(g), plan.plan);
    CHECK(r.status == AMP_E_DRIFT && !r.raw && r.error.code == AMP_E_DRIFT);
    CHECK(r.error.node == node);
    const Bytes d = blob::descriptors(g);
    amp_bytes json{};
    CHECK(amp_plan_describe(d.data(), d.size(), plan.plan.data(), plan.plan.size(), &json, nullptr) == AMP_E_DRIFT);
}

void drift_names_the_node() {
    const Graph g = graphs::voice();
    for (size_t i = 0; i < g.nodes.size(); ++i) {
        Graph other = g;
        other.nodes[i].heat = 0.125;
        expect_drift(g, other, g.nodes[i].name);
    }
    Graph other = g;
    other.edges[1].delay = 5;
    expect_drift(g, other, "osc");  // it keeps 5 frames of history for its outgoing edge
    other = g;
    other.modulations[2].scale = 0.5;
    expect_drift(g, other, "svf");
    other = g;
    other.nodes.push_back({"zz", "constant"});
    expect_drift(g, other, "zz");
    expect_drift(other, g, "zz");
    const Graph ahead = graphs::ahead();
    other = ahead;
    other.nodes[2].params[0].number = 0.002;
    expect_drift(ahead, other, "noise");  // it keeps more history for the meter, which starts later
    other = ahead;
    other.edges[7].gates.clear();
    expect_drift(ahead, other, "noise");
    other = g;
    other.sample_rate = 44100;
    CHECK(Compiled(other).plan != Compiled(g).plan);
    rig::Runtime r(blob::descriptors(g), Compiled(other).plan);
    CHECK(r.status == AMP_E_DRIFT && std::strstr(r.error.message, "descriptors changed"));
}

void revisions_drift() {
    Graph g = graphs::chain();
    g.nodes[1].revision = 77;
    const Compiled c(g);
    CHECK(c.status == AMP_E_DRIFT && !std::strcmp(c.error.node, "level") && c.says("revision 77"));
}

void cycles_are_spelled_out() {
    Graph g = graphs::short_loop();
    g.edges[1].delay = 0;
    g.edges[1].tokens.clear();
    const Compiled c(g);
    CHECK(c.status == AMP_E_CYCLE && c.says("feedback back -> sum -> pole -> back: 0 frames") && c.says("needs 1"));
    g = graphs::chain();
    g.edges.push_back({"level", "level", 0, "out", "in", 1});
    CHECK(Compiled(g).status == AMP_E_CYCLE && !std::strcmp(Compiled(g).error.node, "level"));
    g.edges.back().delay = 1;
    CHECK(Compiled(g).status == AMP_OK);
}

void starts_follow_from_latencies() {
    const Compiled c(graphs::ahead());
    const auto has = [&](const char* words) { return c.json.find(words) != std::string::npos; };
    CHECK(c.status == AMP_OK);
    CHECK(has("\"graph\": \"test\", \"latency_frames\": 57,"));  // 48 before the loop, 9 inside it
    CHECK(has("\"latency_frames\": 20, \"arrival_frames\": 0, \"advance_frames\": 37,"));  // fir
    CHECK(has("\"latency_frames\": 9, \"arrival_frames\": 48, \"advance_frames\": 0,"));   // loop
    CHECK(has("{\"sub_block\": 3, "));                                                     // delay 12 minus latency 9
    CHECK(has("\"src\": \"fir\", \"src_port\": \"out\", \"dst\": \"sum\", \"dst_port\": \"in\", \"slot\": 0, "
              "\"delay_frames\": 0, \"lag_frames\": 28,"));
    CHECK(has("\"src\": \"noise\", \"src_port\": \"out\", \"dst\": \"meter\", \"dst_port\": \"in\", \"slot\": 0, "
              "\"delay_frames\": 0, \"lag_frames\": 48,"));  // it waits for the other consumer of its gate
}

void what_cannot_start_is_spelled_out() {
    Graph g = graphs::ahead();
    g.edges[4].tokens.clear();
    g.edges[4].delay = 9;
    CHECK(Compiled(g).status == AMP_E_CYCLE);
    CHECK(Compiled(g).says("feedback sum -> loop -> sum: 9 frames of edge delay, needs 10 (loop declares 9). "
                           "Add delay_frames on one of its edges."));
    g = graphs::ahead();
    g.edges[0].gates = {"beat"};  // fir and the output, both behind the gate
    CHECK(Compiled(g).status == AMP_E_CYCLE);
    CHECK(Compiled(g).says(
        "gate \"beat\": fir -> sum -> out together with fir: 0 frames of edge delay, needs 20 (fir "
        "declares 20). Add delay_frames on one of its edges, or take one of its nodes out of the gate."));
}

void components_have_their_shortest_cycle() {
    CHECK(Compiled(graphs::short_loop()).json.find("\"sub_block\": 1,") != std::string::npos);
    CHECK(Compiled(graphs::long_loop()).json.find("\"sub_block\": 40,") != std::string::npos);
    CHECK(Compiled(graphs::chain()).json.find("sub_block") == std::string::npos);
}

// Makes one change to a valid graph and expects a status and words of its message.
void expect(const char* what, amp_status status, const char* words, void (*change)(Graph&), Graph g = graphs::voice()) {
    change(g);
    const Compiled c(g);
    if (!CHECK(c.status == status && c.says(words)))
        std::fprintf(stderr, "  %s: got %s: %s\n", what, amp_status_name(c.status), c.error.message);
    for (size_t i = 0; i < amp_violation_count(nullptr); ++i) {  // each has a cure, separate from its sentence
        const amp_violation& v = *amp_violation_at(i);
        if (!CHECK(*v.sentence && *v.cure && !std::strstr(v.sentence, v.cure)))
            std::fprintf(stderr, "  %s: \"%s\", cure \"%s\"\n", what, v.sentence, v.cure);
    }
}

void violations_name_their_reason() {
    const auto invalid = AMP_E_INVALID_ARG;
    expect("rate", invalid, "sample_rate", [](Graph& g) { g.sample_rate = 0.5; });
    expect("rate NaN", invalid, "sample_rate", [](Graph& g) { g.sample_rate = NAN; });
    expect("policy", invalid, "heat policy", [](Graph& g) { g.policy = 2; });
    expect("no name", invalid, "no name", [](Graph& g) { g.nodes[0].name = ""; });
    expect("twice", invalid, "two nodes", [](Graph& g) { g.nodes[1].name = g.nodes[0].name; });
    expect("type", invalid, "unknown node type", [](Graph& g) { g.nodes[0].type = "no such"; });
    expect("oversample", AMP_E_UNSUPPORTED, "oversample_ratio", [](Graph& g) { g.nodes[3].oversample = 2; });
    expect("capacity", invalid, "capacity", [](Graph& g) { g.nodes[4].capacity = 0; });
    expect("thermo", invalid, "thermo", [](Graph& g) { g.nodes[4].conductance = -1; });
    expect("key", invalid, "no such parameter", [](Graph& g) { g.nodes[3].params[0].key = "volume"; });
    expect("key twice", invalid, "given twice", [](Graph& g) { g.nodes[3].params.push_back(blob::number("gain", 1)); });
    expect("range", invalid, "out of range", [](Graph& g) { g.nodes[4].params[2].number = -1; });
    expect("NaN", invalid, "out of range", [](Graph& g) { g.nodes[4].params[2].number = NAN; });
    expect("choice", invalid, "unknown choice", [](Graph& g) { g.nodes[2].params[0].text = "round"; });
    expect("choice kind", invalid, "unknown choice",
           [](Graph& g) { g.nodes[2].params[0] = blob::number("waveform", 1); });
    expect("curve", invalid, "no control curve", [](Graph& g) { g.nodes[0].params.clear(); });
    expect("text", invalid, "needs a text", [](Graph& g) { g.nodes[0].params[0] = blob::number("curve", 1); });
    expect("src", invalid, "no node \"nobody\"", [](Graph& g) { g.edges[0].src = "nobody"; });
    expect("src port", invalid, "no output \"side\"", [](Graph& g) { g.edges[0].src_port = "side"; });
    expect("dst port", invalid, "no input \"side\"", [](Graph& g) { g.edges[0].dst_port = "side"; });
    expect("delay", invalid, "delay_frames", [](Graph& g) { g.edges[0].delay = uint64_t{1} << 40; });
    expect("slot", invalid, "slot 0 is taken", [](Graph& g) { g.edges.push_back({"osc", "vca"}); });
    expect("gate", invalid, "edge osc -> vca.in: a gate has no name", [](Graph& g) { g.edges[1].gates = {"a", ""}; });
    expect("gate twice", invalid, "gate \"a\" is named twice", [](Graph& g) { g.edges[1].gates = {"a", "b", "a"}; });
    expect("kappa", invalid, "kappa", [](Graph& g) { g.edges[1].kappa = 1.5; });
    expect("param", invalid, "no such parameter", [](Graph& g) { g.modulations[0].param = "volume"; });
    expect("fixed", invalid, "cannot be modulated", [](Graph& g) { g.modulations[1].param = "mode"; });
    expect("mod slot", invalid, "slot 1 is taken", [](Graph& g) { g.modulations[2].slot = 1; });
    expect("channel", invalid, "channel (got 3", [](Graph& g) { g.modulations[1].channel = 3; });
    expect("scale", invalid, "finite", [](Graph& g) { g.modulations[1].scale = INFINITY; });
    expect("connect", invalid, "not connected", [](Graph& g) { g.edges.erase(g.edges.begin() + 1); });
    expect("output", invalid, "no node \"speaker\"", [](Graph& g) { g.output = "speaker"; });
    expect("shape", AMP_E_SHAPE, "channels of the value",
           [](Graph& g) { g.nodes[4].params[2] = blob::tensor("q", {1, 3, 1, {1, 2, 3}}); });
    expect("modulator", AMP_E_SHAPE, "more channels",
           [](Graph& g) { g.nodes[5].params.push_back(blob::integer("channels", 2)); });
    expect("tokens", AMP_E_SHAPE, "initial tokens", [](Graph& g) { g.edges[1].delay = 41; }, graphs::long_loop());
    expect("tokens NaN", invalid, "finite", [](Graph& g) { g.edges[1].tokens[0].data[3] = NAN; }, graphs::long_loop());
    expect(
        "round heat", invalid, "undiminished",
        [](Graph& g) {
            for (auto& e : g.edges)
                if (e.dst != "out")
                    e.kappa = e.src == "in" ? 0 : 1;
                else
                    e.kappa = 0;
        },
        graphs::long_loop());
}

void ports_say_how_they_meet_and_leave() {
    const auto invalid = AMP_E_INVALID_ARG;
    const auto odd = [](const char* what, amp_status status, const char* words, void (*change)(Graph&)) {
        expect(what, status, words, change, graphs::routing());
    };
    odd("beyond", invalid, "channel (got 2, allowed 0 to 1). hiss.out has 2", [](Graph& g) { g.edges[7].channel = 2; });
    odd("too many", invalid, "parts.out has 2, one for each of its edges", [](Graph& g) { g.edges[5].channel = 2; });
    odd("unnamed", invalid, "parts.out splits and the edge names no channel",
        [](Graph& g) { g.edges[4].channel = -1; });
    odd("twice", invalid, "channel 1 of parts.out leaves by the edge parts -> left.in already",
        [](Graph& g) { g.edges[5].channel = 1; });
    odd("columns", AMP_E_SHAPE, "matrix.in: its edges stack to 3 channels (got a matrix of 3 x 2, allowed 3 columns)",
        [](Graph& g) { g.nodes[3].params[0].tensor = {1, 3, 2, std::vector<double>(6)}; });
    odd("no matrix", invalid, "got a matrix of 1 x 1", [](Graph& g) { g.nodes[3].params.clear(); });
    odd("empty", AMP_E_SHAPE, "allowed (B|1, rows, columns)",
        [](Graph& g) { g.nodes[3].params[0].tensor = {1, 1025, 1, std::vector<double>(1025)}; });
    odd("entry", invalid, "matrix.matrix: out of range", [](Graph& g) { g.nodes[3].params[0].tensor.data[5] = NAN; });
    odd("text", invalid, "needs a matrix", [](Graph& g) { g.nodes[3].params[0] = blob::text("matrix", "identity"); });
    odd("modulated", invalid, "cannot be modulated", [](Graph& g) { g.modulations = {{"tone", "matrix", "matrix"}}; });
    odd("wide", AMP_E_SHAPE, "stack to too many channels",
        [](Graph& g) { g.edges.push_back({"all", "all", 1, "out", "in", 7}); });
    odd("tokens", AMP_E_SHAPE, "got 2 channels, allowed 1 or 1",
        [](Graph& g) { g.edges[5].tokens = {{1, 2, 3, std::vector<double>(6)}}; });
    odd("meet", AMP_E_SHAPE, "mean.in: channels from matrix (got 2, allowed 1", [](Graph& g) {
        g.edges.push_back({"all", "mean", 0, "out", "in", 4});
        g.edges.push_back({"matrix", "mean", 0, "out", "in", 5});
    });
    const Compiled c(graphs::routing());
    const auto has = [&](const char* words) { return c.json.find(words) != std::string::npos; };
    CHECK(has("{\"port\": \"in\", \"gather\": \"concat\", \"channels\": 3}"));
    CHECK(has("{\"port\": \"in\", \"gather\": \"matrix\", \"channels\": 3}"));
    CHECK(has("{\"port\": \"out\", \"scatter\": \"matrix\", \"map\": \"none\", \"channels\": 2}"));
    CHECK(has("\"scatter\": \"split\"") && has("\"map\": \"batches\"") && has("\"map\": \"frames\""));
    CHECK(has("\"channel\": 1, \"carries\": 1, \"into\": 0") && has("\"channel\": -1, \"carries\": 1, \"into\": 2"));
    CHECK(has("\"dead_edges\": [\n  {\"src\": \"hiss\", \"src_port\": \"out\", \"dst\": \"either\""));
    Graph other = graphs::routing();  // the channel that an edge carries is part of the plan
    std::swap(other.edges[4].channel, other.edges[5].channel);
    expect_drift(other, graphs::routing(), "left");
}

// Edges that are not read have no effect: they may be wider than the port, or close a cycle without delay.
void dead_edges_have_no_effect() {
    Graph g = graphs::routing();
    g.edges[9] = {"wide", "either", 0, "out", "in", 9};
    g.nodes.push_back({"wide", "constant", {blob::integer("channels", 7)}});
    g.edges.push_back({"step", "either", 0, "out", "in", 10});
    CHECK(Compiled(g).status == AMP_OK);
    g.edges.back().slot = 0;  // the lowest slot is the one that is read
    CHECK(Compiled(g).status == AMP_E_CYCLE);
}

void one_call_reports_all_violations() {
    Graph g = graphs::voice();
    g.nodes[4].params[2].number = -1;
    g.nodes[3].params[0].key = "volume";
    const Compiled c(g);
    CHECK(c.status == AMP_E_INVALID_ARG && c.says("svf.q: out of range") && c.says("vca.volume: no such parameter"));
}

void arguments() {
    const Bytes d = blob::descriptors(graphs::chain());
    amp_error e = rig::empty_error();
    amp_bytes out{};
    CHECK(amp_plan_compile(d.data(), d.size(), nullptr, &e) == AMP_E_INVALID_ARG && e.code == AMP_E_INVALID_ARG);
    CHECK(amp_plan_compile(nullptr, d.size(), &out, &e) == AMP_E_INVALID_ARG && e.code == AMP_E_INVALID_ARG);
    CHECK(amp_plan_compile(nullptr, 0, &out, &e) == AMP_E_BLOB);
    CHECK(amp_plan_describe(d.data(), d.size(), nullptr, 0, nullptr, &e) == AMP_E_INVALID_ARG);
    CHECK(amp_plan_describe(d.data(), d.size(), nullptr, 9, &out, &e) == AMP_E_INVALID_ARG);
    CHECK(amp_plan_describe(d.data(), d.size(), nullptr, 0, &out, &e) == AMP_OK && e.code == AMP_OK);
    amp_bytes_free(&out);
    CHECK(!out.data && !out.size);
}

size_t count(const std::string& in, const std::string& what) {
    size_t n = 0;
    for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++n;
    return n;
}

// The facts of a plan: the same plan as from amp_plan_compile, and the values of its JSON text.
void facts_are_those_of_the_plan() {
    for (const auto& g : graphs::all()) {
        const Bytes d = blob::descriptors(g);
        const Compiled c(g);
        amp_error e = rig::empty_error();
        amp_bytes plan{}, names{};
        amp_plan_facts f{};
        CHECK(amp_plan_compile_facts(d.data(), d.size(), &plan, &f, &names, &e) == AMP_E_INVALID_ARG && !plan.data);
        f.struct_size = sizeof f;
        CHECK(amp_plan_compile_facts(d.data(), d.size(), &plan, &f, nullptr, &e) == AMP_E_INVALID_ARG && !plan.data);
        CHECK(amp_plan_compile_facts(d.data(), d.size(), &plan, &f, &names, &e) == AMP_OK);
        CHECK(Bytes(plan.data, plan.data + plan.size) == c.plan);
        CHECK(f.nodes == g.nodes.size() && f.edges == count(c.json, "{\"kind\": ") &&
              f.components == count(c.json, "{\"sub_block\": "));
        char digest[17];
        std::snprintf(digest, sizeof digest, "%016llx", static_cast<unsigned long long>(f.digest));
        CHECK(c.json.starts_with(std::string("{\"digest\": \"") + digest));
        const std::string all(names.data, names.data + names.size);
        CHECK(static_cast<size_t>(std::count(all.begin(), all.end(), '\0')) == f.nodes + f.curves);
        size_t at = 0, place = 0;
        for (uint32_t i = 0; i < f.nodes; ++i, at = all.find('\0', at) + 1) {
            const std::string quoted = "{\"name\": \"" + std::string(all.c_str() + at) + '"';
            place = c.json.find(quoted, place);
            CHECK(place != std::string::npos);
            CHECK((static_cast<int32_t>(i) == f.output) == (g.output == all.c_str() + at));
        }
        CHECK(c.json.find("\"latency_frames\": " + std::to_string(f.latency_frames) + ", \"output\"") !=
              std::string::npos);
        amp_bytes_free(&plan);
        amp_bytes_free(&names);
    }
}

}  // namespace

int main() {
    plans_are_deterministic();
    drift_names_the_node();
    revisions_drift();
    cycles_are_spelled_out();
    starts_follow_from_latencies();
    what_cannot_start_is_spelled_out();
    components_have_their_shortest_cycle();
    violations_name_their_reason();
    ports_say_how_they_meet_and_leave();
    dead_edges_have_no_effect();
    one_call_reports_all_violations();
    arguments();
    facts_are_those_of_the_plan();
    return check::finish("plan");
}
