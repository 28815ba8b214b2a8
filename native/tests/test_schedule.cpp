// Schedules: what is derived, what is followed, and what is refused with two nodes named. The sound never changes.
#include <algorithm>
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;
using blob::Stages;
using rig::Runtime;
using Samples = std::vector<double>;

using graphs::choir;
using graphs::numbered;

Bytes taken(amp_bytes& b) {
    const Bytes copy(b.data, b.data + b.size);
    amp_bytes_free(&b);
    return copy;
}

Bytes derived(const blob::Graph& g) {
    const Bytes d = blob::descriptors(g);
    amp_bytes b{};
    CHECK(amp_schedule_derive(d.data(), d.size(), &b, nullptr) == AMP_OK);
    return taken(b);
}

std::string described(const blob::Graph& g, const Bytes& schedule) {
    const Bytes d = blob::descriptors(g);
    amp_bytes b{};
    CHECK(amp_schedule_describe(d.data(), d.size(), schedule.data(), schedule.size(), &b, nullptr) == AMP_OK);
    const Bytes json = taken(b);
    return {json.begin(), json.end()};
}

std::string lane_group(const char* name, int first, int count) {  // as in the description
    std::string s = "[";
    for (int i = first; i < first + count; ++i) s += (i > first ? ", \"" : "\"") + numbered(name, i) + "\"";
    return s + "]";
}

amp_status set(Runtime& r, const Bytes& b) {
    return r.note(amp_graph_runtime_set_schedule(r.raw, b.empty() ? nullptr : b.data(), b.size()));
}

bool same(const Samples& a, const Samples& b) {
    return !a.empty() && a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(double));
}

Samples rendered(const blob::Graph& g, const Bytes* schedule, uint32_t batches = 1, uint32_t flags = 0) {
    Runtime r(g);
    if (schedule) CHECK(set(r, *schedule) == AMP_OK);
    CHECK(r.configure(batches, 64, flags) == AMP_OK);
    return r.render(200, batches);
}

// Nineteen voices: two lane groups of eight, and three voices that are too few for another.
void derives_lane_groups() {
    const blob::Graph g = choir(19);
    const std::string json = described(g, derived(g));
    for (const char* part : {"lfo", "tone", "body", "sum", "pole"}) {
        size_t groups = 0, singles = 0;
        for (size_t at = json.find(std::string("\"") + part); at != std::string::npos;
             at = json.find(std::string("\"") + part, at + 1)) {
            if (json[at - 1] != '[') continue;
            const std::string cohort = json.substr(at, json.find(']', at) - at);
            const auto members = std::count(cohort.begin(), cohort.end(), ',') + 1;
            groups += members == 8;
            singles += members == 1;
        }
        CHECK(groups == 2 && singles == 3);
    }
    const blob::Graph five = choir(5);
    const std::string small = described(five, derived(five));
    for (const char* part : {"lfo", "tone", "body", "sum", "pole"})
        CHECK(small.find(lane_group(part, 0, 5)) != std::string::npos);
    CHECK(small.find("[" + lane_group("sum", 0, 5) + ", " + lane_group("pole", 0, 5) + "]") !=
          std::string::npos);  // in one stage
    CHECK(described(choir(3), derived(choir(3))) == described(choir(3), {}));
    CHECK(derived(g) == derived(g));
}

// Nodes that voices share, before or after them, do not prevent lane groups.
void shared_parts() {
    blob::Graph g = choir(8);
    for (auto& m : g.modulations) m.src = "lfo_0";
    g.nodes.push_back({"hiss", "noise"});
    for (int i = 0; i < 8; ++i) g.edges.push_back({"hiss", numbered("body", i), 0, "out", "in", 1});
    CHECK(described(g, derived(g)).find(lane_group("tone", 0, 8)) != std::string::npos);
    g.nodes.push_back({"odd", "gain"});  // one voice has an additional node
    g.edges[0].dst = "odd";
    g.edges.push_back({"odd", "body_0"});
    CHECK(described(g, derived(g)).find(lane_group("tone", 1, 7)) != std::string::npos);
}

void same_bits() {
    for (blob::Graph g : {choir(19), choir(5)}) {
        const Bytes own = derived(g), none;
        for (uint32_t batches : {1u, 6u}) {
            const Samples by_itself = rendered(g, nullptr, batches);
            CHECK(same(by_itself, rendered(g, &none, batches)));
            CHECK(same(by_itself, rendered(g, &own, batches)));
        }
    }
    for (const blob::Graph& g : graphs::all()) CHECK(!derived(g).empty() && !described(g, derived(g)).empty());
}

std::vector<uint32_t> traced(Runtime& r) {
    CHECK(r.configure(1, 64, AMP_RUN_TRACE) == AMP_OK);
    CHECK(!r.render(10).empty());
    size_t n = 0;
    amp_graph_runtime_trace(r.raw, nullptr, 0, &n, nullptr);
    std::vector<amp_trace_event> events(n);
    amp_graph_runtime_trace(r.raw, events.data(), n, &n, nullptr);
    std::vector<uint32_t> order;
    for (const auto& e : events) order.push_back(e.node);
    return order;
}

// A valid, unusual schedule: the last node by name fires first. Traces and faults use the nodes' places in the plan.
void follows() {
    blob::Graph g;
    g.nodes = {{"a", "sine"}, {"b", "gain"}, {"c", "sine"}, {"d", "gain"}, {"e", "mix"}, {"out", "output"}};
    g.edges = {{"a", "b"}, {"c", "d"}, {"b", "e"}, {"d", "e", 0, "out", "in", 1}, {"e", "out"}};
    g.output = "out";
    Runtime r(g);
    CHECK((traced(r) == std::vector<uint32_t>{0, 1, 2, 3, 4, 5}));
    CHECK(set(r, blob::schedule({{{"c"}}, {{"d"}, {"a"}}, {{"b"}}, {{"e"}}, {{"out"}}})) == AMP_OK);
    CHECK(r.render(1).empty() && r.status == AMP_E_INVALID_ARG);  // configure must be called first
    CHECK((traced(r) == std::vector<uint32_t>{2, 3, 0, 1, 4, 5}));
    CHECK(r.configure() == AMP_OK && r.set("a", "amplitude", 0.25) == AMP_OK);
    const Samples before = r.render(50);
    CHECK(set(r, {}) == AMP_OK && r.configure() == AMP_OK);  // values stay with their nodes
    CHECK(same(before, r.render(50)));
    CHECK(set(r, blob::schedule({{{"c", "a"}}, {{"d"}, {"b"}}, {{"e"}}, {{"out"}}})) == AMP_OK);
    CHECK(r.configure() == AMP_OK && same(before, r.render(50)));
}

void snapshots() {
    const blob::Graph g = choir(8);
    Runtime fused(g), plain(g);
    CHECK(set(plain, {}) == AMP_OK);
    CHECK(fused.configure() == AMP_OK && plain.configure() == AMP_OK);
    CHECK(!fused.render(30).empty());
    const Bytes cut = fused.snapshot();
    CHECK(plain.restore(cut) == AMP_E_INVALID_ARG);
    CHECK(std::strstr(plain.error.message, "schedule") != nullptr);
    const Samples rest = fused.render(30);
    CHECK(set(plain, derived(g)) == AMP_OK && plain.configure() == AMP_OK);
    CHECK(plain.restore(cut) == AMP_OK && same(plain.render(30), rest));
}

struct Broken {
    Stages stages;
    const char *first, *second, *rule;
};

void refuses(const blob::Graph& g, const std::vector<Broken>& list) {
    Runtime r(g);
    const Bytes good = derived(g);
    for (const Broken& b : list) {
        const amp_status status = set(r, blob::schedule(b.stages));
        const std::string message = r.error.message;
        const bool named = message.find(b.first) != std::string::npos && message.find(b.second) != std::string::npos &&
                           message.find(b.rule) != std::string::npos;
        if (!CHECK(status == AMP_E_INVALID_ARG && named)) std::fprintf(stderr, "%s\n", message.c_str());
        CHECK(std::strcmp(r.error.stage, "schedule") == 0);
    }
    CHECK(set(r, good) == AMP_OK && r.configure() == AMP_OK);  // refused schedules changed nothing
}

void broken_rules() {
    blob::Graph g;
    g.nodes = {{"a", "sine"},
               {"b", "sine"},
               {"c", "gain"},
               {"d", "gain"},
               {"e", "gain"},
               {"n", "noise"},
               {"o", "noise"},
               {"sq", "oscillator", {blob::text("waveform", "square")}},
               {"sw", "oscillator", {blob::text("waveform", "saw")}},
               {"out", "output"}};
    g.edges = {{"a", "c"}, {"b", "d", 7}, {"b", "e"}, {"e", "out"}};
    g.edges[2].gates = {"beat"};
    g.output = "out";
    refuses(g,
            {{{{{"a"}, {"c"}, {"b"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"d"}, {"e"}}, {{"out"}}}, "c", "a", "dependency"},
             {{{{"b"}, {"d"}, {"a"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"c"}, {"e"}}, {{"out"}}}, "d", "b", "dependency"},
             {{{{"a"}, {"b"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"c", "d"}, {"e"}}, {{"out"}}}, "d", "c", "delay"},
             {{{{"a"}, {"b"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"c", "e"}, {"d"}}, {{"out"}}}, "e", "c", "gate"},
             {{{{"a"}, {"b"}, {"n"}, {"o"}, {"sq", "sw"}}, {{"c"}, {"d"}, {"e"}}, {{"out"}}}, "sw", "sq", "waveform"},
             {{{{"a"}, {"b"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"c", "out"}, {"d"}, {"e"}}}, "out", "e", "dependency"},
             {{{{"a", "sq"}, {"b"}, {"n"}, {"o"}, {"sw"}}, {{"c"}, {"d"}, {"e"}}, {{"out"}}}, "sq", "a", "type"},
             {{{{"a"}, {"b"}, {"n", "o"}, {"sq"}, {"sw"}}, {{"c"}, {"d"}, {"e"}}, {{"out"}}}, "n", "o", "alone"},
             {{{{"a"}, {"b"}, {"n"}, {"o"}, {"sq"}, {"sw"}}, {{"c"}, {"d"}, {"e"}}}, "out", "", "not in the schedule"},
             {{{{"a"}, {"b"}, {"b"}}}, "b", "", "twice"},
             {{{{"a"}, {"who"}}}, "who", "", "no such node"},
             {{{{"a"}}, {}}, "", "stage 1", "no cohorts"},
             {{{{}}}, "", "stage 0", "no members"}});
}

void broken_loops() {
    const blob::Graph g = choir(4);
    const auto loops = [](const std::vector<std::vector<std::vector<std::string>>>& middle) {
        Stages s{{{"lfo_0"}, {"lfo_1"}, {"lfo_2"}, {"lfo_3"}},
                 {{"tone_0"}, {"tone_1"}, {"tone_2"}, {"tone_3"}},
                 {{"body_0"}, {"body_1"}, {"body_2"}, {"body_3"}}};
        s.insert(s.end(), middle.begin(), middle.end());
        s.push_back({{"all"}});
        s.push_back({{"out"}});
        return s;
    };
    Runtime r(g);
    CHECK(set(r, blob::schedule(loops(
                     {{{"sum_0", "sum_1", "sum_2", "sum_3"}, {"pole_0", "pole_1", "pole_2", "pole_3"}}}))) == AMP_OK);
    CHECK(set(r, blob::schedule(loops(
                     {{{"sum_1", "sum_0"}, {"pole_1", "pole_0"}, {"sum_2"}, {"pole_2"}, {"sum_3"}, {"pole_3"}}}))) ==
          AMP_OK);
    CHECK(r.configure() == AMP_OK && same(r.render(200), rendered(g, nullptr)));
    refuses(g,
            {{loops({{{"sum_0"}, {"sum_1"}, {"sum_2"}, {"sum_3"}}, {{"pole_0"}, {"pole_1"}, {"pole_2"}, {"pole_3"}}}),
              "sum_", "pole_", "loop"},
             {loops({{{"pole_0"}, {"sum_0"}, {"sum_1"}, {"pole_1"}, {"sum_2"}, {"pole_2"}, {"sum_3"}, {"pole_3"}}}),
              "pole_0", "sum_0", "dependency"},
             {loops({{{"sum_0"}, {"sum_1"}, {"pole_0"}, {"pole_1"}, {"sum_2"}, {"pole_2"}, {"sum_3"}, {"pole_3"}}}),
              "pole_0", "sum_0", "side by side"},
             {loops({{{"sum_0", "sum_1"}, {"pole_0"}, {"pole_1"}, {"sum_2"}, {"pole_2"}, {"sum_3"}, {"pole_3"}}}),
              "pole_0", "sum_0", "lane"},
             {loops({{{"sum_0", "sum_1"}, {"pole_1", "pole_0"}, {"sum_2"}, {"pole_2"}, {"sum_3"}, {"pole_3"}}}),
              "pole_1", "sum_0", "lane"}});
}

void malformed() {
    const blob::Graph g = choir(2);
    Runtime r(g);
    Bytes b = derived(g);
    b[5] ^= 1;
    CHECK(set(r, b) == AMP_E_BLOB);
    b[5] ^= 1;
    b.pop_back();
    CHECK(set(r, b) == AMP_E_BLOB);
    blob::reseal(b);
    CHECK(set(r, b) == AMP_E_BLOB);
    CHECK(amp_graph_runtime_set_schedule(nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    CHECK(r.note(amp_graph_runtime_set_schedule(r.raw, nullptr, 4)) == AMP_E_INVALID_ARG);
    CHECK(amp_schedule_derive(nullptr, 0, nullptr, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_schedule_describe(nullptr, 0, nullptr, 0, nullptr, nullptr) == AMP_E_INVALID_ARG);
    amp_bytes out{};
    CHECK(amp_schedule_derive("", 0, &out, nullptr) == AMP_E_BLOB && !out.data);
    CHECK(amp_schedule_describe("", 0, nullptr, 0, &out, nullptr) == AMP_E_BLOB && !out.data);
}

}  // namespace

int main() {
    derives_lane_groups();
    shared_parts();
    same_bits();
    follows();
    snapshots();
    broken_rules();
    broken_loops();
    malformed();
    return check::finish("schedules");
}
