#include "plan/descriptors.hpp"

#include <algorithm>
#include <tuple>

namespace amp {

namespace {

void put_tensor(Writer& w, const Tensor& t) {
    w.put(t.batches), w.put(t.channels), w.put(t.frames), w.put(fnv1a(t.data.data(), t.data.size() * sizeof(double)));
}

uint64_t digest_of(const NodeDescriptor& n) {
    Writer w;
    w.str(n.name), w.str(n.type), w.put(n.revision), w.put(n.oversample);
    w.put(n.heat_j_per_frame), w.put(n.capacity_j_per_k), w.put(n.conductance_w_per_k);
    w.put(static_cast<uint32_t>(n.parameters.size()));
    for (const auto& p : n.parameters) w.str(p.key), w.put(p.kind), put_tensor(w, p.tensor), w.str(p.text);
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

NodeDescriptor read_node(Reader& r) {
    NodeDescriptor n;
    n.name = r.str("node name");
    n.type = r.str("node type");
    n.revision = r.get<uint32_t>("node revision");
    n.oversample = r.get<uint32_t>("oversample ratio");
    n.heat_j_per_frame = r.get<double>("thermo heat");
    n.capacity_j_per_k = r.get<double>("thermo capacity");
    n.conductance_w_per_k = r.get<double>("thermo conductance");
    const uint32_t count = r.count("number of parameters", 5);
    for (uint32_t i = 0; i < count; ++i) n.parameters.push_back(read_parameter(r));
    std::sort(n.parameters.begin(), n.parameters.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    n.digest = digest_of(n);
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
    }
    for (const auto& m : d.modulations) {
        w.str(m.src), w.str(m.src_port), w.str(m.dst), w.str(m.param), w.put(m.multiply), w.put(m.scale),
            w.put(m.offset);
        w.put(m.channel), w.put(m.slot), w.put(m.delay);
    }
    return fnv1a(w.payload().data(), w.payload().size());
}

}  // namespace

Descriptors read_descriptors(const void* blob, size_t size) {
    Reader r(blob, size, "AMPD", "load");
    Descriptors d;
    d.sample_rate = r.get<double>("sample rate");
    d.graph = r.str("graph name");
    d.heat_budget_w = r.get<double>("heat budget");
    d.heat_policy = r.get<uint8_t>("heat policy");
    d.output = r.str("output node");
    const uint32_t nodes = r.count("number of nodes", 40);
    for (uint32_t i = 0; i < nodes; ++i) d.nodes.push_back(read_node(r));
    const uint32_t edges = r.count("number of edges", 33);
    for (uint32_t i = 0; i < edges; ++i) d.edges.push_back(read_edge(r));
    const uint32_t modulations = r.count("number of modulations", 41);
    for (uint32_t i = 0; i < modulations; ++i) d.modulations.push_back(read_modulation(r));
    r.end();
    std::stable_sort(d.nodes.begin(), d.nodes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::stable_sort(d.edges.begin(), d.edges.end(), [](const auto& a, const auto& b) {
        return std::tie(a.dst, a.dst_port, a.slot, a.src, a.src_port) <
               std::tie(b.dst, b.dst_port, b.slot, b.src, b.src_port);
    });
    std::stable_sort(d.modulations.begin(), d.modulations.end(), [](const auto& a, const auto& b) {
        return std::tie(a.dst, a.param, a.slot, a.src, a.src_port) <
               std::tie(b.dst, b.param, b.slot, b.src, b.src_port);
    });
    d.digest = digest_of(d);
    return d;
}

}  // namespace amp
