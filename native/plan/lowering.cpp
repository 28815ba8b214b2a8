#include "plan/lowering.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace amp {

namespace {

bool is_taken(const Plan& p, const std::string& name) {
    return std::any_of(p.nodes.begin(), p.nodes.end(), [&](const PlanNode& n) { return n.name == name; });
}

}  // namespace

uint32_t insert(Plan& p, uint32_t edge, const NodeType& type, const std::string& name) {
    PlanEdge& last = p.edges[edge];
    const auto place = static_cast<uint32_t>(p.nodes.size());
    PlanNode n;
    n.type = &type;
    n.name = name;
    for (int k = 2; is_taken(p, n.name); ++k) n.name = text("%s.%d", name.c_str(), k);
    if (last.descriptor == kInserted)
        n.origin = p.nodes[last.dst].origin;
    else
        n.origin = last.port >= 0 ? spelled(p.descriptors.edges[last.descriptor])
                                  : spelled(p.descriptors.modulations[last.descriptor]);
    n.parameter.assign(type.contract->n_params, -1);

    PlanEdge first{last.src, place, last.src_port, 0, -1, kInserted, 0, 0, false, NAN};
    first.channel = last.channel;
    if (last.port >= 0) {
        first.kappa = last.kappa;
        if (!std::isnan(last.kappa)) last.kappa = 1.0;  // of the heat that entered the inserted node
    }
    last.src = place, last.src_port = 0, last.channel = -1;
    p.nodes.push_back(std::move(n));
    p.edges.push_back(first);
    return place;
}

}  // namespace amp
