// Encodes the plan as a blob (a loaded blob is compared byte by byte with a recompiled one) and as JSON text.
#include <algorithm>
#include <cmath>

#include "plan/plan.hpp"

namespace amp {

std::string quoted(const std::string& s) {
    std::string q = "\"";
    for (const char ch : s) {
        const auto u = static_cast<unsigned char>(ch);
        if (ch == '"' || ch == '\\')
            q += '\\', q += ch;
        else if (u < 0x20)
            q += text("\\u%04x", u);
        else
            q += ch;
    }
    return q + '"';
}

namespace {

uint64_t digest_of(const Plan& p, const PlanNode& n, uint32_t version, Writer& w) {
    const amp_node_contract& c = *n.type->contract;
    w.clear();
    w.str(c.id), w.put(c.revision), w.put(contract_digest(c, version)), w.put(n.latency), w.put(n.arrival),
        w.put(n.oversample);
    w.put(n.channels), w.put(n.component), w.put(n.history);
    if (n.descriptor)
        w.put(n.descriptor->digest);
    else
        w.str(n.name), w.str(n.origin);
    for (int32_t k : n.out_channels) w.put(k);
    for (uint32_t k : n.in) {
        const PlanEdge& e = p.edges[k];
        w.put(e.src), w.put(e.src_port), w.put(e.port), w.put(e.param), w.put(e.delay), w.put(e.lag), w.put(e.feedback),
            w.put(e.kappa);
        if (e.port >= 0) {
            const auto& d = said_of(p, e);
            for (const auto& g : d.gates) w.str(g);
            w.put(fnv1a(d.tokens.data.data(), d.tokens.data.size() * sizeof(double)));
            put_extensions(w, d.extensions);
            if (e.channel >= 0) w.put(e.channel);
        } else {
            const auto& m = p.descriptors.modulations[e.descriptor];
            w.put(m.multiply), w.put(m.scale), w.put(m.offset), w.put(m.channel);
        }
    }
    return fnv1a(w.payload().data(), w.payload().size());
}

// The digests of contracts and nodes in a plan blob of one version.
struct Digests {
    uint64_t contracts;
    std::vector<uint64_t> nodes;
};

Digests digests_of(const Plan& p, uint32_t version) {
    Writer w;
    Digests d{p.nodes.empty() ? 0 : kFnvBasis, {}};
    d.nodes.reserve(p.nodes.size());
    for (const PlanNode& n : p.nodes) {
        const uint64_t c = contract_digest(*n.type->contract, version);
        d.contracts = fnv1a(&c, sizeof c, d.contracts);
        d.nodes.push_back(digest_of(p, n, version, w));
    }
    return d;
}

// The digests that digest() stored in the plan.
Digests kept(const Plan& p) {
    Digests d{p.contract_digest, {}};
    d.nodes.reserve(p.nodes.size());
    for (const PlanNode& n : p.nodes) d.nodes.push_back(n.digest);
    return d;
}

std::vector<uint8_t> encode(const Plan& p, const Digests& d, uint32_t version) {
    Writer w;
    w.put(p.descriptors.digest), w.put(d.contracts);
    w.put(static_cast<uint32_t>(p.nodes.size()));
    for (size_t i = 0; i < p.nodes.size(); ++i) w.str(p.nodes[i].name), w.put(d.nodes[i]);
    w.put(static_cast<uint32_t>(p.components.size()));
    for (const Component& c : p.components) w.put(c.sub_block), w.put(static_cast<uint32_t>(c.nodes.size()));
    return w.seal("AMPP", version);
}

constexpr size_t kShownTokens = 4;
constexpr const char *kGathers[] = {"sum", "mean", "concat", "matrix", "first"},
                     *kScatters[] = {"broadcast", "split", "matrix"}, *kMaps[] = {"none", "batches", "frames"};

// Per node: the gates that it is a consumer of, quoted.
std::vector<std::string> gates_of(const Plan& p) {
    std::vector<std::string> list(p.nodes.size());
    for (const Gate& g : p.gates)
        for (uint32_t u : g.consumers) list[u] += (list[u].empty() ? "" : ", ") + quoted(g.name);
    return list;
}

std::string node_json(const Plan& p, uint32_t u, const std::string& gates) {
    const PlanNode& n = p.nodes[u];
    const amp_node_contract& c = *n.type->contract;
    std::string s = text("{\"name\": %s, \"type\": \"%s\", \"revision\": %u, \"digest\": \"%s\", \"component\": %d, "
                         "\"latency_frames\": %lld, \"arrival_frames\": %lld, \"advance_frames\": %lld, "
                         "\"channels\": %d, \"oversample_ratio\": %u, \"inputs\": [",
                         quoted(n.name).c_str(), c.id, c.revision, hex(contract_digest(c)).c_str(), n.component,
                         static_cast<long long>(n.latency), static_cast<long long>(n.arrival),
                         static_cast<long long>(p.lead(u)), n.channels, n.oversample);
    for (uint32_t k = 0; k < c.n_inputs; ++k)
        s += text("%s{\"port\": \"%s\", \"gather\": \"%s\", \"channels\": %d}", k ? ", " : "", c.inputs[k].key,
                  kGathers[c.inputs[k].gather], n.in_channels[k]);
    s += "], \"outputs\": [";
    for (uint32_t k = 0; k < c.n_outputs; ++k)
        s += text("%s{\"port\": \"%s\", \"scatter\": \"%s\", \"map\": \"%s\", \"channels\": %d}", k ? ", " : "",
                  c.outputs[k].key, kScatters[c.outputs[k].gather], kMaps[c.outputs[k].map], n.out_channels[k]);
    s += "], \"gates\": [" + gates + "]";
    return s + (n.descriptor ? extensions_json(n.descriptor->extensions) : ", \"origin\": " + quoted(n.origin)) + "}";
}

// The first values, for readers of the JSON; the values of one batch and channel are contiguous.
std::string first_values(const Tensor& t) {
    std::string s = "[";
    for (size_t i = 0; i < t.data.size() && i < kShownTokens; ++i) s += text("%s%.17g", i ? ", " : "", t.data[i]);
    return s + "]";
}

// The places of gates in the plan's list of gates.
std::string gate_places(const Plan& p, const std::vector<std::string>& gates) {
    std::string s = "[";
    for (const std::string& name : gates) {
        const auto at = std::lower_bound(p.gates.begin(), p.gates.end(), name,
                                         [](const Gate& g, const std::string& n) { return g.name < n; });
        s += text("%s%td", s.size() > 1 ? ", " : "", at - p.gates.begin());
    }
    return s + "]";
}

std::string edge_json(const Plan& p, const PlanEdge& e) {
    const auto& src = p.nodes[e.src];
    const auto& dst = p.nodes[e.dst];
    const auto& dc = *dst.type->contract;
    const bool audio = e.port >= 0;
    const int32_t slot = audio ? said_of(p, e).slot : p.descriptors.modulations[e.descriptor].slot;
    const std::string to = audio ? dc.inputs[e.port].key : dc.params[e.param].key;
    const std::string from = src.type->contract->outputs[e.src_port].key;
    std::string s =
        text("{\"kind\": \"%s\", \"source\": %s, \"target\": %s, \"src\": %s, \"src_port\": \"%s\", \"dst\": %s, "
             "\"dst_port\": \"%s\", \"slot\": %d, \"delay_frames\": %llu, \"lag_frames\": %llu, "
             "\"feedback\": %s, \"capacity_frames\": %llu, \"gates\": [",
             audio ? "audio" : "modulation", quoted(src.name + "." + from).c_str(), quoted(dst.name + "." + to).c_str(),
             quoted(src.name).c_str(), from.c_str(), quoted(dst.name).c_str(), to.c_str(), slot,
             static_cast<unsigned long long>(e.delay), static_cast<unsigned long long>(e.lag),
             e.feedback ? "true" : "false", static_cast<unsigned long long>(e.lag));
    if (audio)
        for (size_t k = 0; k < said_of(p, e).gates.size(); ++k) s += (k ? ", " : "") + quoted(said_of(p, e).gates[k]);
    s += "], \"synchrony_gates\": " + (audio ? gate_places(p, said_of(p, e).gates) : "[]");
    if (audio) {
        s += text(", \"kappa\": %.17g, \"channel\": %d, \"carries\": %d, \"into\": %d", e.kappa, e.channel,
                  carried(p, e), e.into);
        const auto& d = said_of(p, e);
        s += d.has_tokens ? text(", \"tokens\": {\"batches\": %u, \"channels\": %u, \"frames\": %llu, \"values\": %s}",
                                 d.tokens.batches, d.tokens.channels, static_cast<unsigned long long>(d.tokens.frames),
                                 first_values(d.tokens).c_str())
                          : ", \"tokens\": null";
        s += extensions_json(d.extensions);
    } else {
        const auto& m = p.descriptors.modulations[e.descriptor];
        s += text(", \"mode\": \"%s\", \"scale\": %.17g, \"offset\": %.17g, \"channel\": %d",
                  m.multiply ? "multiply" : "add", m.scale, m.offset, m.channel);
    }
    return s + "}";
}

}  // namespace

void digest(Plan& p) {
    const Digests d = digests_of(p, kDigestVersion);
    p.contract_digest = d.contracts;
    for (size_t i = 0; i < p.nodes.size(); ++i) p.nodes[i].digest = d.nodes[i];
    const auto bytes = encode(p, d, kDigestVersion);
    p.digest = fnv1a(bytes.data(), bytes.size());
}

uint64_t plan_digest_version_1(const Descriptors& descriptors) {
    const Plan p = compile(descriptors);
    const auto bytes = encode(p, digests_of(p, 1), 1);
    return fnv1a(bytes.data(), bytes.size());
}

std::vector<uint8_t> encode(const Plan& p) { return encode(p, kept(p), kDigestVersion); }

void expect_same(const Plan& p, const void* blob, size_t size) {
    Reader r(blob, size, "AMPP", "load", kDigestVersion);
    const Digests own = r.version() == kDigestVersion ? kept(p) : digests_of(p, r.version());
    const auto drift = [&](const std::string& node, const std::string& what, uint64_t got, uint64_t want) {
        throw Failure(
            AMP_E_DRIFT, "load",
            text(
                "%s%splan and descriptors do not belong together: %s (plan has %s, descriptors and contracts give %s).",
                node.c_str(), node.empty() ? "" : ": ", what.c_str(), hex(got).c_str(), hex(want).c_str()),
            "Compile the plan again.", node);
    };
    const auto descriptors = r.get<uint64_t>("descriptor digest"), contracts = r.get<uint64_t>("contract digest");
    const uint32_t n = r.count("number of nodes", 10);
    for (uint32_t i = 0; i < n; ++i) {
        const std::string name = r.str("node name");
        const auto got = r.get<uint64_t>("node digest");
        if (i >= p.nodes.size()) drift(name, "this node is not in the descriptors", got, 0);
        const uint64_t want = own.nodes[i];
        if (name != p.nodes[i].name) drift(name, text("place %u belongs to %s", i, p.nodes[i].name.c_str()), got, want);
        if (got != want) drift(name, "the node differs", got, want);
    }
    if (n < p.nodes.size()) drift(p.nodes[n].name, "this node is missing from the plan", 0, 0);
    const uint32_t components = r.count("number of components", 12);
    if (components != p.components.size())
        drift("", "the number of feedback components differs", components, p.components.size());
    for (const Component& c : p.components) {
        const auto sub = r.get<uint64_t>("sub-block");
        const auto size_of = r.get<uint32_t>("component size");
        if (sub != c.sub_block || size_of != c.nodes.size())
            drift(p.nodes[c.nodes.front()].name, "its feedback component differs", sub, c.sub_block);
    }
    r.end();
    const std::string first = p.nodes.empty() ? "" : p.nodes.front().name;
    if (contracts != own.contracts) drift(first, "the contracts changed", contracts, own.contracts);
    if (descriptors != p.descriptors.digest) drift(first, "the descriptors changed", descriptors, p.descriptors.digest);
}

std::string describe(const Plan& p) {
    std::string s = text("{\"digest\": \"%s\", \"descriptor_version\": %u, \"descriptor_digest\": \"%s\", "
                         "\"contract_digest\": \"%s\", \"sample_rate\": %.17g, "
                         "\"graph\": %s, \"latency_frames\": %lld, "
                         "\"output\": %s,\n \"curves\": [",
                         hex(p.digest).c_str(), p.descriptors.version, hex(p.descriptors.digest).c_str(),
                         hex(p.contract_digest).c_str(), p.descriptors.sample_rate, quoted(p.descriptors.graph).c_str(),
                         static_cast<long long>(p.latency), quoted(p.descriptors.output).c_str());
    for (size_t i = 0; i < p.curves.size(); ++i) s += (i ? ", " : "") + quoted(p.curves[i]);
    s += "],\n \"gates\": [";
    for (size_t i = 0; i < p.gates.size(); ++i) s += (i ? ", " : "") + quoted(p.gates[i].name);
    s += "],\n \"nodes\": [";
    const auto gates = gates_of(p);
    for (uint32_t i = 0; i < p.nodes.size(); ++i) s += (i ? ",\n  " : "\n  ") + node_json(p, i, gates[i]);
    s += "],\n \"components\": [";
    for (size_t i = 0; i < p.components.size(); ++i) {
        const Component& c = p.components[i];
        s += text("%s{\"sub_block\": %llu, \"driver\": \"%s\", \"nodes\": [", i ? ",\n  " : "\n  ",
                  static_cast<unsigned long long>(c.sub_block), c.sub_block < kTogetherBelow ? "frame" : "block");
        for (size_t k = 0; k < c.nodes.size(); ++k) s += (k ? ", " : "") + quoted(p.nodes[c.nodes[k]].name);
        s += "]}";
    }
    s += "],\n \"edges\": [";
    for (size_t i = 0; i < p.edges.size(); ++i) s += (i ? ",\n  " : "\n  ") + edge_json(p, p.edges[i]);
    s += "],\n \"dead_edges\": [";
    for (size_t i = 0; i < p.dead.size(); ++i) {
        const EdgeDescriptor& d = p.descriptors.edges[p.dead[i]];
        s += text("%s{\"src\": %s, \"src_port\": %s, \"dst\": %s, \"dst_port\": %s, \"slot\": %d}",
                  i ? ",\n  " : "\n  ", quoted(d.src).c_str(), quoted(d.src_port).c_str(), quoted(d.dst).c_str(),
                  quoted(d.dst_port).c_str(), d.slot);
    }
    return s + "]}\n";
}

}  // namespace amp
