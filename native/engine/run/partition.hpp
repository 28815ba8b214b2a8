// Which units of a shard (nodes, lane groups, feedback components) may run side by side.
#pragma once
#include <cstdint>
#include <vector>

namespace amp {

class Shard;

// A prologue that runs first, parts that read nothing of each other, and an epilogue that runs when they are done,
// numbered in this order.
struct Parts {
    std::vector<uint32_t> of;  // per node; empty: all is one part
    uint32_t count = 0;        // of parts
    uint64_t saved_rows = 0;   // rows of the block that need no time of their own, as the parts run at once

    static constexpr uint32_t kPrologue = 0;
    uint32_t epilogue() const { return count + 1; }
    uint32_t groups() const { return of.empty() ? 1 : count + 2; }
    uint32_t operator()(uint32_t node) const { return of.empty() ? kPrologue : of[node]; }
};

}  // namespace amp
