// Violations: every reason crosses the ABI as a record with whole texts, and stays with the thread until its next call.
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "amp/violation.h"
#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;
using blob::Graph;

amp_status compiled(const Graph& g, amp_error* error = nullptr) {
    const Bytes d = blob::descriptors(g);
    amp_bytes out{};
    const amp_status status = amp_plan_compile(d.data(), d.size(), &out, error);
    amp_bytes_free(&out);
    return status;
}

size_t found() {
    size_t n = 0;
    amp_violation_count(&n);
    return n;
}

std::string numbered(const std::string& name, int i) { return name + std::to_string(1000 + i); }

// Sixty nodes with five faults each, of five kinds.
Graph three_hundred() {
    Graph g;
    for (int i = 0; i < 60; ++i) {
        blob::Node n{numbered("n", i), "svf"};
        n.params = {blob::number("q", -1), blob::text("mode", "round"), blob::number("volume", 1)};
        n.oversample = 2;
        n.capacity = 0;
        g.nodes.push_back(n);
    }
    return g;
}

void all_cross_with_node_port_code_and_cure() {
    amp_error error = rig::empty_error();
    CHECK(compiled(three_hundred(), &error) < 0);
    size_t n = 0;
    CHECK(amp_violation_count(&n) == 300 && n == 300);
    std::set<std::string> nodes, ports, lines;
    std::set<int32_t> codes;
    for (size_t i = 0; i < 300; ++i) {
        const amp_violation* v = amp_violation_at(i);
        if (!CHECK(v && v->struct_size == sizeof *v)) return;
        CHECK(*v->sentence && v->src[0] == '\0' && v->frames == 0);
        nodes.insert(v->node), ports.insert(v->port), codes.insert(v->code);
        lines.insert(v->sentence);
        CHECK(std::string(v->sentence).rfind(v->node, 0) == 0);
        if (std::strcmp(v->port, "q") == 0) CHECK(std::strcmp(v->cure, "Choose a value inside.") == 0);
    }
    CHECK(nodes.size() == 60 && lines.size() == 300);
    CHECK(ports == std::set<std::string>({"", "q", "mode", "volume"}));
    CHECK(codes == std::set<int32_t>({AMP_E_INVALID_ARG, AMP_E_UNSUPPORTED}));
    CHECK(!amp_violation_at(300) && !amp_violation_at(SIZE_MAX));
    // The error record has the first violations, truncated to its array.
    CHECK(error.code == amp_violation_at(0)->code && std::strcmp(error.node, amp_violation_at(0)->node) == 0);
    const std::string first = std::string(amp_violation_at(0)->sentence) + (*amp_violation_at(0)->cure ? " " : "") +
                              amp_violation_at(0)->cure + '\n';
    CHECK(std::string(error.message).rfind(first, 0) == 0 && std::strlen(error.message) == sizeof error.message - 1);
}

void a_call_leaves_what_it_found_and_no_more() {
    compiled(three_hundred());
    CHECK(amp_violation_count(nullptr) == 300);
    CHECK(compiled(graphs::chain()) == AMP_OK);
    CHECK(found() == 0 && !amp_violation_at(0));
    compiled(three_hundred());
    std::thread([] {  // each thread has its own violations
        CHECK(found() == 0);
        Graph g = graphs::chain();
        g.nodes[0].type = "no such";
        compiled(g);
        CHECK(found() == 1 && amp_violation_at(0)->code == AMP_E_INVALID_ARG);
    })
        .join();
    CHECK(found() == 300);
    CHECK(amp_plan_compile(nullptr, 3, nullptr, nullptr) == AMP_E_INVALID_ARG && found() == 1);
    rig::Runtime r(graphs::chain());
    CHECK(found() == 0);
    CHECK(r.set("nobody", "gain", 1, 0) != AMP_OK && found() == 1);
    CHECK(std::strstr(amp_violation_at(0)->sentence, "nobody") != nullptr);
    amp_quantizer how{};
    CHECK(amp_quantize(nullptr, 1, &how, nullptr, 1) == AMP_E_INVALID_ARG && found() == 1);
    CHECK(amp_graph_runtime_clear_params(nullptr) == AMP_E_INVALID_ARG && found() == 1);
}

// Also where a call is used wrongly, and where the report may not allocate.
void a_cure_is_apart_from_what_is_wrong() {
    const auto cured = [](const char* cure) {
        return found() == 1 && std::strcmp(amp_violation_at(0)->cure, cure) == 0 &&
               !std::strstr(amp_violation_at(0)->sentence, cure);
    };
    rig::Runtime r(graphs::chain());
    CHECK(r.set("nobody", "gain", 1, 0) != AMP_OK && cured("Name one of these."));
    CHECK(std::strstr(amp_violation_at(0)->sentence, "(allowed tone, ") != nullptr);
    amp_quantizer how{};
    CHECK(amp_quantize(nullptr, 1, &how, nullptr, 1) != AMP_OK && cured("Pass the arrays."));
    CHECK(amp_graph_runtime_clear_params(nullptr) != AMP_OK && cured("Create one."));
    const char damaged[] = "AMPX not a blob of this library";
    CHECK(amp_plan_compile(damaged, sizeof damaged, nullptr, nullptr) != AMP_OK && *amp_violation_at(0)->cure);
}

void names_stay_whole() {
    std::string wide;  // 95 bytes: 31 characters of three bytes, and two of one
    for (int i = 0; i < 31; ++i) wide += "\xe2\x82\xac";
    wide += "\x1b\n";
    const std::string longer(60000, 'n');
    for (const std::string& name : {wide, longer}) {
        Graph g;
        g.nodes = {{name, "svf", {blob::number("q", -1)}}};
        amp_error error = rig::empty_error();
        CHECK(compiled(g, &error) == AMP_E_INVALID_ARG && found() == 1);
        CHECK(amp_violation_at(0)->node == name && std::string(amp_violation_at(0)->sentence).rfind(name, 0) == 0);
        CHECK(std::strlen(error.node) < sizeof error.node);
    }
    Graph ring;  // a cycle whose sentence is longer than the text of any record
    for (int i = 0; i < 400; ++i) ring.nodes.push_back({numbered("ring", i), "gain"});
    for (int i = 0; i < 400; ++i) ring.edges.push_back({numbered("ring", i), numbered("ring", (i + 1) % 400)});
    CHECK(compiled(ring) == AMP_E_CYCLE && found() == 1);
    const amp_violation* v = amp_violation_at(0);
    CHECK(std::strlen(v->sentence) > 4000 && std::strstr(v->sentence, "needs 1.") && v->frames == 1);
    CHECK(std::strcmp(v->cure, "Add delay_frames on one of its edges.") == 0);
    const int dst = std::atoi(v->node + 4) - 1000, src = std::atoi(v->src + 4) - 1000;
    CHECK((src + 1) % 400 == dst);  // the edge that closes the cycle
}

void many_are_kept_and_more_are_counted() {
    Graph g;
    for (int i = 0; i < 100000; ++i) g.edges.push_back({"a", "b", 0, "out", "in", i});
    CHECK(compiled(g) == AMP_E_INVALID_ARG && found() == 100000 && amp_violation_count(nullptr) == 100000);
    for (int i = 0; i < 50000; ++i) g.edges.push_back({"a", "b", 0, "out", "in", i});
    CHECK(compiled(g) == AMP_E_INVALID_ARG && found() == 150000);
    CHECK(amp_violation_count(nullptr) == AMP_MOST_VIOLATIONS);
    Graph heavy;  // a name of 60 kB, in the sentences of 3000 parameters: 180 MB of text
    heavy.nodes = {{std::string(60000, 'n'), "gain"}};
    for (int i = 0; i < 3000; ++i) heavy.nodes[0].params.push_back(blob::number(numbered("k", i).c_str(), 1));
    CHECK(compiled(heavy) == AMP_E_INVALID_ARG && found() == 3000);
    CHECK(amp_violation_count(nullptr) > 100 && amp_violation_count(nullptr) < 1200);
    CHECK(compiled(graphs::chain()) == AMP_OK);
}

void schedules_and_histories_list_all() {
    const Bytes d = blob::descriptors(graphs::chain());
    const Bytes s = blob::schedule({{{"tone"}}});
    amp_bytes json{};
    amp_error error = rig::empty_error();
    CHECK(amp_schedule_describe(d.data(), d.size(), s.data(), s.size(), &json, &error) == AMP_E_INVALID_ARG);
    CHECK(found() == 2 && std::strcmp(amp_violation_at(1)->cure, "Give it a place.") == 0);
    CHECK(std::strchr(error.message, '\n') == nullptr);  // the text is one sentence

    const Bytes turned = blob::schedule({{{"out"}}, {{"level"}}, {{"tone"}}});
    CHECK(amp_schedule_describe(d.data(), d.size(), turned.data(), turned.size(), &json, &error) == AMP_E_INVALID_ARG);
    CHECK(found() == 2 && std::strcmp(amp_violation_at(0)->cure, "Move it to a later stage.") == 0);

    rig::Runtime r(graphs::voice());
    const Bytes h = blob::history({});
    CHECK(amp_graph_runtime_set_history(r.raw, h.data(), h.size()) == AMP_E_INVALID_ARG && found() >= 2);
    CHECK(std::strstr(amp_violation_at(0)->sentence, amp_violation_at(0)->port) != nullptr);
}

}  // namespace

int main() {
    all_cross_with_node_port_code_and_cure();
    a_call_leaves_what_it_found_and_no_more();
    a_cure_is_apart_from_what_is_wrong();
    names_stay_whole();
    many_are_kept_and_more_are_counted();
    schedules_and_histories_list_all();
    return check::finish("violations");
}
