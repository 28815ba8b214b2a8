// Nodes that the plan puts between those of the user, before they are aligned and ordered.
#pragma once
#include <string>

#include "plan/plan.hpp"

namespace amp {

// Puts a node into an edge or modulation, so that its signal goes through the first input and output of `type`, whose
// parameters have their defaults. Returns its place in Plan::nodes, behind all others.
//
// The node has no descriptor: `name` is its own (made unique by a number if a node has it), its origin is the edge.
// What the user said of the edge stays with its last part, which ends where it ended: port, slot, delay, tokens, gates;
// the new first part takes the channel that was picked, and the share of heat.
uint32_t insert(Plan& plan, uint32_t edge, const NodeType& type, const std::string& name);

}  // namespace amp
