#include "plan/descriptors.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace amp {

namespace {

void put_tensor(Writer& w, const Tensor& t) {
    w.put(t.batches), w.put(t.channels), w.put(t.frames), w.put(fnv1a(t.data.data(), t.data.size() * sizeof(double)));
}

uint64_t digest_of(const NodeDescriptor& n, Writer& w) {
    w.clear();
    w.str(n.name), w.str(n.type), w.put(n.revision), w.put(n.oversample);
    w.put(n.heat_j_per_frame), w.put(n.capacity_j_per_k), w.put(n.conductance_w_per_k);
    w.put(static_cast<uint32_t>(n.parameters.size()));
    for (const auto& p : n.parameters) w.str(p.key), w.put(p.kind), put_tensor(w, p.tensor), w.str(p.text);
    put_extensions(w, n.extensions);
    return fnv1a(w.payload().data(), w.payload().size());
}

Parameter read_parameter(Reader& r) {
    Parameter p;
    p.key = r.str("parameter key");
    const auto kind = r.get<uint8_t>("parameter kind");
    if (kind > Parameter::kInteger) r.fail(text("parameter %s has unknown kind %u", p.key.c_str(), kind));
    p.kind = static_cast<Parameter::Kind>(kind);
    switch (p.kind) {
    case Parameter::kNumber: p.tensor.data = {r.get<double>("parameter value")}; break;
    case Parameter::kInteger: p.tensor.data = {static_cast<double>(r.get<int64_t>("parameter value"))}; break;
    case Parameter::kTensor: p.tensor = r.tensor("parameter tensor"); break;
    default: p.text = r.str("parameter text"); break;
    }
    return p;
}

NodeDescriptor read_node(Reader& r, Writer& scratch) {
    NodeDescriptor n;
    n.name = r.str("node name");
    n.type = r.str("node type");
    n.revision = r.get<uint32_t>("node revision");
    n.oversample = r.get<uint32_t>("oversample ratio");
    n.heat_j_per_frame = r.get<double>("thermo heat");
    n.capacity_j_per_k = r.get<double>("thermo capacity");
    n.conductance_w_per_k = r.get<double>("thermo conductance");
    const uint32_t count = r.count("number of parameters", 5);
    n.parameters.reserve(count);
    for (uint32_t i = 0; i < count; ++i) n.parameters.push_back(read_parameter(r));
    std::sort(n.parameters.begin(), n.parameters.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    if (r.version() >= 2) n.extensions = read_extensions(r, true);
    n.digest = digest_of(n, scratch);
    return n;
}

EdgeDescriptor read_edge(Reader& r) {
    EdgeDescriptor e;
    e.src = r.str("edge source");
    e.src_port = r.str("edge source port");
    e.dst = r.str("edge destination");
    e.dst_port = r.str("edge destination port");
    e.slot = r.get<int32_t>("edge slot");
    e.delay = r.get<uint64_t>("edge delay");
    const auto parts = r.get<uint8_t>("edge parts");
    if (parts > 3) r.fail(text("edge parts are %u, allowed the bits 1 (tokens) and 2 (channel)", parts));
    e.has_tokens = parts & 1;
    if (e.has_tokens) e.tokens = r.tensor("initial tokens");
    if (parts & 2) {
        e.channel = r.get<int32_t>("edge channel");
        if (e.channel < 0) r.fail(text("edge channel is %d, allowed 0 and more", e.channel));
    }
    const uint32_t gates = r.count("number of gates", 2);
    for (uint32_t i = 0; i < gates; ++i) e.gates.push_back(r.str("gate"));
    std::sort(e.gates.begin(), e.gates.end());
    e.kappa = r.get<double>("kappa");
    if (r.version() >= 2) e.extensions = read_extensions(r, false);
    return e;
}

ModulationDescriptor read_modulation(Reader& r) {
    ModulationDescriptor m;
    m.src = r.str("modulation source");
    m.src_port = r.str("modulation source port");
    m.dst = r.str("modulation destination");
    m.param = r.str("modulated parameter");
    const auto mode = r.get<uint8_t>("modulation mode");
    if (mode > 1) r.fail(text("modulation mode is %u, allowed 0 (multiply) or 1 (add)", mode));
    m.multiply = mode == 0;
    m.scale = r.get<double>("modulation scale");
    m.offset = r.get<double>("modulation offset");
    m.channel = r.get<int32_t>("modulation channel");
    m.slot = r.get<int32_t>("modulation slot");
    m.delay = r.get<uint64_t>("modulation delay");
    return m;
}

uint64_t digest_of(const Descriptors& d) {
    Writer w;
    w.put(d.sample_rate), w.str(d.graph), w.str(d.output), w.put(d.heat_budget_w), w.put(d.heat_policy);
    for (const auto& n : d.nodes) w.put(n.digest);
    for (const auto& e : d.edges) {
        w.str(e.src), w.str(e.src_port), w.str(e.dst), w.str(e.dst_port), w.put(e.slot), w.put(e.delay),
            put_tensor(w, e.tokens), w.put(e.kappa);
        if (e.channel >= 0) w.put(e.channel);
        for (const auto& g : e.gates) w.str(g);
        put_extensions(w, e.extensions);
    }
    for (const auto& m : d.modulations) {
        w.str(m.src), w.str(m.src_port), w.str(m.dst), w.str(m.param), w.put(m.multiply), w.put(m.scale),
            w.put(m.offset);
        w.put(m.channel), w.put(m.slot), w.put(m.delay);
    }
    return fnv1a(w.payload().data(), w.payload().size());
}

// Stable sort of a list by its keys. The short keys are sorted first, then each record is moved once.
template <class T, class Key, class Before>
void sort_by(std::vector<T>& list, std::vector<Key>& keys, const Before& before) {
    std::stable_sort(keys.begin(), keys.end(), before);
    std::vector<T> sorted;
    sorted.reserve(list.size());
    for (const Key& k : keys) sorted.push_back(std::move(list[k.place]));
    list = std::move(sorted);
}

// Sorts nodes by name. The first bytes of a name, as a number, decide most comparisons.
void sort_nodes(std::vector<NodeDescriptor>& nodes) {
    struct Key {
        uint64_t first, second;
        uint32_t place;
    };
    const auto number = [](const std::string& name, size_t from) {
        uint64_t bytes = 0;
        for (size_t k = from; k < from + 8; ++k)
            bytes = bytes << 8 | (k < name.size() ? static_cast<unsigned char>(name[k]) : 0u);
        return bytes;
    };
    std::vector<Key> keys;
    keys.reserve(nodes.size());
    for (uint32_t i = 0; i < nodes.size(); ++i) keys.push_back({number(nodes[i].name, 0), number(nodes[i].name, 8), i});
    sort_by(nodes, keys, [&](const Key& a, const Key& b) {
        if (a.first != b.first) return a.first < b.first;
        if (a.second != b.second) return a.second < b.second;
        return nodes[a.place].name < nodes[b.place].name;
    });
}

// Finds the end nodes of edges or modulations (nodes are sorted by name) and sorts them by destination, then by `rest`.
template <class Link, class Rest>
void sort_links(std::vector<Link>& links, const std::unordered_map<std::string_view, uint32_t>& place,
                const Rest& rest) {
    struct Key {
        uint32_t to, place;
    };
    const auto find = [&](const std::string& name) {
        const auto it = place.find(name);
        return it == place.end() ? kNoNode : it->second;
    };
    std::vector<Key> keys;
    keys.reserve(links.size());
    for (uint32_t i = 0; i < links.size(); ++i) {
        links[i].from = find(links[i].src);
        links[i].to = find(links[i].dst);
        keys.push_back({links[i].to, i});
    }
    sort_by(links, keys, [&](const Key& a, const Key& b) {
        if (a.to != b.to && a.to != kNoNode && b.to != kNoNode) return a.to < b.to;
        return rest(links[a.place]) < rest(links[b.place]);
    });
}

}  // namespace

std::string spelled(const EdgeDescriptor& d) {
    return text("edge %s -> %s.%s", d.src.c_str(), d.dst.c_str(), d.dst_port.c_str());
}
std::string spelled(const ModulationDescriptor& d) {
    return text("modulation %s -> %s.%s", d.src.c_str(), d.dst.c_str(), d.param.c_str());
}

Descriptors read_descriptors(const void* blob, size_t size) {
    Reader r(blob, size, "AMPD", "load", kDescriptorVersion);
    Descriptors d;
    d.version = r.version();
    d.sample_rate = r.get<double>("sample rate");
    d.graph = r.str("graph name");
    d.heat_budget_w = r.get<double>("heat budget");
    d.heat_policy = r.get<uint8_t>("heat policy");
    d.output = r.str("output node");
    const uint32_t nodes = r.count("number of nodes", 40);
    Writer scratch;
    d.nodes.reserve(nodes);
    for (uint32_t i = 0; i < nodes; ++i) d.nodes.push_back(read_node(r, scratch));
    const uint32_t edges = r.count("number of edges", 33);
    d.edges.reserve(edges);
    for (uint32_t i = 0; i < edges; ++i) d.edges.push_back(read_edge(r));
    const uint32_t modulations = r.count("number of modulations", 41);
    d.modulations.reserve(modulations);
    for (uint32_t i = 0; i < modulations; ++i) d.modulations.push_back(read_modulation(r));
    r.end();
    sort_nodes(d.nodes);
    std::unordered_map<std::string_view, uint32_t> place(nodes);  // the first of nodes with the same name
    for (uint32_t i = 0; i < nodes; ++i) place.emplace(d.nodes[i].name, i);
    sort_links(d.edges, place, [](const auto& e) { return std::tie(e.dst, e.dst_port, e.slot, e.src, e.src_port); });
    sort_links(d.modulations, place, [](const auto& m) { return std::tie(m.dst, m.param, m.slot, m.src, m.src_port); });
    d.digest = digest_of(d);
    return d;
}

}  // namespace amp
