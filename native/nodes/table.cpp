// The node types of one ISA level, ordered by id.
#include "kernel/step.hpp"

namespace amp::AMP_KNS {

#define AMP_NODE(id) extern const NodeType node_##id;
#include "nodes/nodes.inc"
#undef AMP_NODE

extern const NodeType* const node_types[];
extern const uint32_t node_type_count;

#define AMP_NODE(id) &node_##id,
const NodeType* const node_types[] = {
#include "nodes/nodes.inc"
};
#undef AMP_NODE
const uint32_t node_type_count = sizeof node_types / sizeof *node_types;

}  // namespace amp::AMP_KNS
