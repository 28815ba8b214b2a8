// Look-ups and digests of the contract tables.
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "kernel/registry.hpp"
#include "plan/plan.hpp"

namespace amp {

const NodeType* find_type(const std::string& id) { return registry().find(id); }

namespace {

uint64_t compute_digest(const amp_node_contract& c) {
    Writer w;
    const auto s = [&](const char* t) { w.str(t ? t : ""); };
    s(c.id), w.put(c.revision), w.put(c.latency_frames), w.put(c.oversample_max), w.put(c.adjoint), w.put(c.laws),
        s(c.heat), w.put(c.has_channels);
    const auto port = [&](const amp_port_contract& p) {
        s(p.key), w.put(p.channels), w.put(p.gather), w.put(p.optional), w.put(p.neutral);
        if (p.map) w.put(p.map);
    };
    for (uint32_t i = 0; i < c.n_inputs; ++i) port(c.inputs[i]);
    for (uint32_t i = 0; i < c.n_outputs; ++i) port(c.outputs[i]);
    for (uint32_t i = 0; i < c.n_params; ++i) {
        const auto& p = c.params[i];
        s(p.key), s(p.unit), w.put(p.kind), w.put(p.rate), w.put(p.range), w.put(p.low), w.put(p.high),
            w.put(p.high_is_fs), w.put(p.value);
        for (uint32_t k = 0; k < p.n_choices; ++k) s(p.choices[k]);
    }
    return fnv1a(w.payload().data(), w.payload().size());
}

}  // namespace

uint64_t contract_digest(const amp_node_contract& contract) {
    static const auto built_in = [] {
        std::unordered_map<const amp_node_contract*, uint64_t> all;
        for (uint32_t i = 0; i < kernels()->n_types; ++i)
            all.emplace(kernels()->types[i]->contract, compute_digest(*kernels()->types[i]->contract));
        return all;
    }();
    const auto it = built_in.find(&contract);
    return it != built_in.end() ? it->second : compute_digest(contract);
}

}  // namespace amp
