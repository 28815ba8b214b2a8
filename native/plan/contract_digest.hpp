// Digests of a contract. Plans hold one per node type, and are compared with the contracts of the library that reads
// them; which of the two kinds a plan holds is the version of its blob.
#pragma once
#include <cstdint>

#include "amp/node.h"

namespace amp {

inline constexpr uint32_t kDigestVersion = 2;  // what new plans hold

// Version 2: what changes sound or validity. Type, revision, declared latency; of ports key, order, channels, gather or
// scatter, map, whether they must be connected and what they read then; of parameters key, order, kind, rate, range,
// default, choices; io, and which parameters have a role. Not: texts, units, group, scales of
// sliders, cases, heat formula, adjoint kind, largest oversampling ratio, laws (the plan relies on none), reserved
// parameters (`a.b`). A latency that follows from parameters is no field: the digest of a plan's node holds the frames
// it came to.
uint64_t digest_version_2(const amp_node_contract& contract);

// Version 1, for plans made before: also oversampling, adjoint kind, laws, heat formula and units. A contract that says
// what it said then (by version 2) has the digest it had then, whatever else changed since.
uint64_t digest_version_1(const amp_node_contract& contract);

}  // namespace amp
