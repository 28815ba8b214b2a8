#include "plan/fusible.hpp"

namespace amp {

namespace {

// Why a node's parameter values prevent it from joining a cohort, whose parameters have one number per member and
// batch; NULL: they do not.
const char* moved_values(const Plan& p, uint32_t u) {
    const PlanNode& n = p.nodes[u];
    const amp_node_contract& c = *n.type->contract;
    for (uint32_t k = 0; k < c.n_params; ++k) {
        if (c.params[k].kind == AMP_PARAM_TEXT) return "has a parameter that is a text";
        if (c.params[k].kind == AMP_PARAM_MATRIX) return "has a parameter that is a matrix";
        if (c.params[k].rate == AMP_RATE_FIXED || !n.given(k)) continue;
        const Parameter& q = *n.given(k);
        if (q.kind == Parameter::kCurve) return "has a parameter that follows a curve";
        if (q.tensor.frames > 1) return "has a parameter with a frame axis";
        if (q.tensor.channels > 1) return "has a parameter with a value per channel";
    }
    for (uint32_t k : n.in)
        if (p.edges[k].param >= 0 && c.params[p.edges[k].param].range == AMP_RANGE_CLAMP)
            return "counts the values it clamps in a modulated parameter";
    return nullptr;
}

const char* of_type(const PlanNode& n) {
    const amp_node_contract& c = *n.type->contract;
    if (n.type->passes) return "hands its input on and does nothing";
    for (uint32_t k = 0; k < c.n_outputs; ++k)
        if (c.outputs[k].map == AMP_MAP_BATCHES) return "reads all batches";
    if (!n.type->alone) return nullptr;
    std::vector<double> fixed;
    for (uint32_t k = 0; k < c.n_params; ++k) fixed.push_back(fixed_value(n, k));
    return n.type->alone(fixed.data()) ? "makes its values from its own name and batch" : nullptr;
}

}  // namespace

std::vector<const char*> reasons_alone(const Plan& p) {
    std::vector<const char*> reasons(p.nodes.size());
    for (uint32_t u = 0; u < p.nodes.size(); ++u) {
        reasons[u] = of_type(p.nodes[u]);
        if (!reasons[u]) reasons[u] = moved_values(p, u);
    }
    for (const PlanEdge& e : p.edges)
        if (has_tokens(p, e)) reasons[e.src] = reasons[e.dst] = "has an edge with initial tokens";
    return reasons;
}

std::vector<uint64_t> gate_sets(const Plan& p) {
    std::vector<uint64_t> sets(p.nodes.size());
    for (size_t g = 0; g < p.gates.size(); ++g)
        for (uint32_t u : p.gates[g].consumers) sets[u] = join(sets[u], g);
    return sets;
}

}  // namespace amp
