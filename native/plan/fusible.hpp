// What nodes must have in common to form a cohort.
#pragma once
#include <bit>

#include "plan/parameters.hpp"
#include "plan/plan.hpp"

namespace amp {

struct Trait {
    const char *rule, *what;  // the rule, and how sentences name the value
    uint64_t bits;
    bool real = false;  // `bits` are those of a double
};

std::vector<const char*> reasons_alone(const Plan& plan);  // per node: why it cannot join a cohort; NULL: it can
std::vector<uint64_t> gate_sets(const Plan& plan);  // per node: a number that is equal for nodes with the same gates

inline uint64_t join(uint64_t hash, uint64_t x) {  // combines hashes: the finaliser of splitmix64
    x += hash * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

template <class Take> void edge_traits(const Plan& p, const PlanEdge& e, Take take) {
    const auto whole = [&](const char* what, int64_t x) { take(Trait{"type", what, static_cast<uint64_t>(x)}); };
    const auto real = [&](const char* what, double x) { take(Trait{"type", what, std::bit_cast<uint64_t>(x), true}); };
    whole("the port of an edge", e.port);
    whole("the parameter of a modulation", e.param);
    whole("the output an edge comes from", e.src_port);
    whole("the channels of an edge", p.nodes[e.src].out_channels[e.src_port]);
    take(Trait{"delay", "the delay of an edge", e.delay});
    take(Trait{"delay", "the frames an edge holds", e.lag});
    if (e.port >= 0) {
        whole("the channel of an edge", e.channel);
        whole("the place where an edge stacks", e.into);
        return;
    }
    const ModulationDescriptor& m = p.descriptors.modulations[e.descriptor];
    whole("the mode of a modulation", m.multiply);
    real("the scale of a modulation", m.scale);
    real("the offset of a modulation", m.offset);
    whole("the channel of a modulation", m.channel);
}

// Calls `take` with everything that members of a cohort must share, one Trait at a time. `gates` is gate_sets()[u].
template <class Take> void traits(const Plan& p, uint32_t u, uint64_t gates, Take take) {
    const PlanNode& n = p.nodes[u];
    const amp_node_contract& c = *n.type->contract;
    const auto whole = [&](const char* what, int64_t x) { take(Trait{"type", what, static_cast<uint64_t>(x)}); };
    take(Trait{"type", "type", fnv1a(c.id, std::strlen(c.id))});
    whole("oversample_ratio", n.oversample);
    whole("channels", n.channels);
    for (uint32_t k = 0; k < c.n_inputs; ++k) whole("the channels of an input", n.in_channels[k]);
    for (uint32_t k = 0; k < c.n_outputs; ++k) whole("the channels of an output", n.out_channels[k]);
    for (uint32_t k = 0; k < c.n_params; ++k)
        if (c.params[k].rate == AMP_RATE_FIXED)
            take(Trait{"type", c.params[k].key, std::bit_cast<uint64_t>(fixed_value(n, k)), true});
    whole("the number of edges into it", static_cast<int64_t>(n.in.size()));
    for (uint32_t k : n.in) edge_traits(p, p.edges[k], take);
    take(Trait{"delay", "latency", static_cast<uint64_t>(n.latency)});
    take(Trait{"delay", "the time of its first frame", static_cast<uint64_t>(n.arrival)});
    take(Trait{"gate", "gates", gates});
    take(Trait{"loop", "standing in a loop", n.loop >= 0});
    if (n.loop >= 0) take(Trait{"loop", "the sub-block of its loop", p.components[size_t(n.component)].sub_block});
}

}  // namespace amp
