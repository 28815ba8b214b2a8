// AMPD version 2: extensions of nodes and edges are stored; required extensions that are unknown are refused.
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;
using blob::Extension;
using blob::Graph;

struct Compiled {
    amp_status status;
    amp_error error = rig::empty_error();
    Bytes plan;
    std::string json;
    uint64_t digest = 0;
    explicit Compiled(const Graph& g) {
        const Bytes d = blob::descriptors(g);
        amp_bytes out{}, names{};
        amp_plan_facts facts{};
        facts.struct_size = sizeof facts;
        status = amp_plan_compile_facts(d.data(), d.size(), &out, &facts, &names, &error);
        amp_bytes_free(&names);
        if (status) return;
        plan.assign(out.data, out.data + out.size);
        amp_bytes_free(&out);
        digest = facts.digest;
        CHECK(amp_plan_describe(d.data(), d.size(), plan.data(), plan.size(), &out, nullptr) == AMP_OK);
        json.assign(reinterpret_cast<char*>(out.data), out.size);
        amp_bytes_free(&out);
    }
    bool has(const std::string& words) const { return json.find(words) != std::string::npos; }
};

Graph version_2(Graph g = graphs::chain()) {
    g.version = 2;
    return g;
}

Graph with(const std::vector<Extension>& of_node, const std::vector<Extension>& of_edge = {}) {
    Graph g = version_2();
    g.nodes[1].extensions = of_node;  // the node "level"
    g.edges[0].extensions = of_edge;  // the edge tone -> level
    return g;
}

void without_extensions_it_is_the_graph_of_version_1() {
    for (const Graph& g : {graphs::chain(), graphs::voice(), graphs::long_loop(), graphs::routing()}) {
        const Compiled first(g), second(version_2(g));
        CHECK(first.status == AMP_OK && second.status == AMP_OK);
        CHECK(first.plan == second.plan && first.digest == second.digest);
        CHECK(first.has("\"descriptor_version\": 1,") && second.has("\"descriptor_version\": 2,"));
        CHECK(!second.has("\"extensions\""));
    }
}

void optional_ones_are_kept() {
    const Compiled plain(version_2());
    const Compiled node(with({{"acme.tuning", 0, "abc"}, {"params_json", 0, "{\"q\": 2}"}}));
    CHECK(node.status == AMP_OK);
    CHECK(node.has("\"extensions\": [{\"id\": \"acme.tuning\", \"required\": false, \"bytes\": 3}, "
                   "{\"id\": \"params_json\", \"required\": false, \"bytes\": 8}]"));
    const Compiled edge(with({}, {{"acme.cable", 0, std::string(1000, '\1')}}));
    CHECK(edge.has("\"extensions\": [{\"id\": \"acme.cable\", \"required\": false, \"bytes\": 1000}]"));
    // they are part of the digests: a plan belongs to its descriptors, and AMP_E_DRIFT names the node
    CHECK(node.digest != plain.digest && edge.digest != plain.digest);
    for (const Graph& g : {with({{"acme.tuning", 0, "abd"}}), with({}, {{"acme.tuning", 0, "abc"}}), version_2()}) {
        rig::Runtime r(blob::descriptors(g), Compiled(with({{"acme.tuning", 0, "abc"}})).plan);
        CHECK(r.status == AMP_E_DRIFT && !std::strcmp(r.error.node, "level"));
    }
    // they do not change the sound, and their order does not matter
    rig::Runtime with_them(with({{"acme.tuning", 0, "abc"}, {"b", 0, ""}})), bare(graphs::chain());
    CHECK(!with_them.configure() && !bare.configure() && with_them.render(100) == bare.render(100));
    CHECK(Compiled(with({{"a", 0, "1"}, {"b", 0, "2"}})).plan == Compiled(with({{"b", 0, "2"}, {"a", 0, "1"}})).plan);
}

void required_ones_are_refused() {
    const Compiled node(with({{"acme.tuning", 1, "abc"}}));
    CHECK(node.status == AMP_E_UNSUPPORTED && !std::strcmp(node.error.node, "level"));
    CHECK(std::strstr(node.error.message, "level: extension \"acme.tuning\" is required"));
    const Compiled edge(with({}, {{"acme.cable", 1, ""}}));
    CHECK(edge.status == AMP_E_UNSUPPORTED && !std::strcmp(edge.error.node, "level"));
    CHECK(!std::strcmp(edge.error.port, "in"));
    CHECK(std::strstr(edge.error.message, "edge tone -> level.in: extension \"acme.cable\" is required"));
    // defined but not implemented
    CHECK(Compiled(with({{"declared_delay", 1, std::string(8, '\0')}})).status == AMP_E_UNSUPPORTED);
    CHECK(Compiled(with({{"a", 1, ""}, {"b", 0, ""}, {"c", 1, ""}})).status == AMP_E_UNSUPPORTED);
}

void sizes_and_formats_are_bounded() {
    const auto refused = [](const std::vector<Extension>& list, const char* words, bool edge = false) {
        const Compiled c(edge ? with({}, list) : with(list));
        if (!CHECK(c.status == AMP_E_BLOB && std::strstr(c.error.message, words)))
            std::fprintf(stderr, "  %s\n", c.error.message);
    };
    for (const bool edge : {false, true}) {
        refused({{"", 0, "x"}}, "has no id", edge);
        refused({{"a", 2, "x"}}, "flags of extension a are 2", edge);
        refused({{"a", 0, "x"}, {"a", 0, "y"}}, "extension a stands there twice", edge);
        refused({{"a", 0, std::string((1 << 20) + 1, 'x')}}, "has 1048577 bytes, allowed 1048576", edge);
        refused({{"a", 0, "x", 0xfffffff0u}}, "has 4294967280 bytes", edge);
        refused({{"a", 0, "x", 100000}}, "extension bytes is cut off", edge);
        std::vector<Extension> many;
        for (int i = 0; i < 65; ++i) many.push_back({"x" + std::to_string(i)});
        refused(many, "65 extensions, allowed 64", edge);
        many.pop_back();
        CHECK(Compiled(edge ? with({}, many) : with(many)).status == AMP_OK);
    }
    CHECK(Compiled(with({{"a", 0, std::string(1 << 20, 'x')}})).status == AMP_OK);
    refused({{"params_json", 0, "\xff"}}, "extension params_json is damaged");
    refused({{"declared_delay", 0, "1234567"}}, "got 7 bytes, allowed 8");
    refused({{"plugin_digest", 0, "short"}}, "got 5 bytes, allowed 32");
    CHECK(Compiled(with({{"params_json", 0, "{}"},
                         {"declared_delay", 0, std::string(8, '\2')},
                         {"plugin_digest", 0, std::string(32, '\3')}}))
              .status == AMP_OK);
    CHECK(Compiled(with({}, {{"declared_delay", 0, "it is none of a node"}})).status == AMP_OK);
    const Bytes good = blob::descriptors(with({{"acme.tuning", 0, "abc"}}, {{"acme.cable", 0, "de"}}));
    for (size_t n = blob::kHeader; n < good.size(); ++n) {  // truncated anywhere, with a valid checksum
        Bytes b(good.begin(), good.begin() + static_cast<long>(n));
        blob::reseal(b);
        amp_bytes plan{};
        CHECK(amp_plan_compile(b.data(), b.size(), &plan, nullptr) == AMP_E_BLOB);
    }
    Graph g = version_2();
    g.version = 3;
    const Compiled newer(g);
    CHECK(newer.status == AMP_E_BLOB &&
          std::strstr(newer.error.message, "version 3 is not known (this library reads 1 to 2)"));
}

void plans_list_their_gates() {
    Graph g = graphs::ahead();
    g.edges[7].gates = {"bar", "beat"};
    const Compiled c(g);
    CHECK(c.status == AMP_OK && c.has("\"gates\": [\"bar\", \"beat\"],\n"));
    CHECK(c.has("{\"kind\": \"audio\", \"source\": \"sum.out\", \"target\": \"out.in\", "));
    CHECK(c.has("\"gates\": [\"bar\", \"beat\"], \"synchrony_gates\": [0, 1]"));
    CHECK(c.has("\"gates\": [\"beat\"], \"synchrony_gates\": [1]"));
    CHECK(c.has("{\"kind\": \"modulation\", \"source\": \"slow.out\", \"target\": \"sum.gain\", "));
    CHECK(Compiled(graphs::chain()).has("\"gates\": [],\n"));
}

}  // namespace

int main() {
    without_extensions_it_is_the_graph_of_version_1();
    optional_ones_are_kept();
    required_ones_are_refused();
    sizes_and_formats_are_bounded();
    plans_list_their_gates();
    return check::finish("extensions");
}
