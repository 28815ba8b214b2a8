// Digests of a contract. A plan contains one per node type; when it is loaded they are compared with the library's
// contracts. The version of the plan blob says which of the two kinds it contains.
#pragma once
#include <cstdint>

#include "amp/node.h"

namespace amp {

inline constexpr uint32_t kDigestVersion = 2;  // the kind in new plans

// Version 2 covers what changes sound or validity: type, revision, declared latency; of ports key, order, channels,
// gather or scatter, map, whether they must be connected and the value they read if not; of parameters key, order,
// kind, rate, range, default, choices; io, and which parameters have a role. It does not cover texts, units, group,
// slider scales, cases, heat formula, adjoint kind, largest oversampling ratio, laws (the plan does not use them), and
// reserved parameters (`a.b`). A latency that depends on parameters is not a field: the digest of a plan's node
// contains the resulting frames.
uint64_t digest_version_2(const amp_node_contract& contract);

// Version 1, for plans made by earlier libraries, also covers oversampling, adjoint kind, laws, heat formula and units.
// A contract whose fields of version 2 are unchanged since then keeps its digest of then, whatever else changed.
uint64_t digest_version_1(const amp_node_contract& contract);

}  // namespace amp
