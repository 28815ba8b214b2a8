// Which units of a shard (nodes, lane groups, feedback components) may run at the same time.
#pragma once
#include <cstdint>
#include <vector>

namespace amp {

class Shard;

// How a shard's nodes are divided among threads: a prologue that runs first, parts that read nothing of each other and
// may run at the same time, and an epilogue that runs after all parts. The group numbers have this order: 0, 1 ..
// count, count + 1.
struct Parts {
    std::vector<uint32_t> of;  // group of each node; empty: the shard is not divided
    uint32_t count = 0;        // number of parts
    // rows per frame that run in parallel: all rows less those of prologue, epilogue and the largest part
    uint64_t saved_rows = 0;

    static constexpr uint32_t kPrologue = 0;
    uint32_t epilogue() const { return count + 1; }
    uint32_t groups() const { return of.empty() ? 1 : count + 2; }
    uint32_t operator()(uint32_t node) const { return of.empty() ? kPrologue : of[node]; }
};

}  // namespace amp
