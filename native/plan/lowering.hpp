// Inserts nodes that the plan needs and the user did not write, before alignment and ordering.
#pragma once
#include <string>

#include "plan/plan.hpp"

namespace amp {

// Inserts a node into an edge or modulation: its signal then passes through the first input and output of `type`, whose
// parameters have their defaults. Returns its place in Plan::nodes, after all other nodes.
//
// The node has no descriptor. `name` becomes its name (with a number if a node has that name already), and its origin
// is the edge. The edge is split in two: the last part keeps the user's destination port, slot, delay, initial tokens
// and gates; the first part takes the picked channel and the share of heat.
uint32_t insert(Plan& plan, uint32_t edge, const NodeType& type, const std::string& name);

}  // namespace amp
