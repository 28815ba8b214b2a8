// Strongly connected components of any graph with arcs {src, dst}. R. E. Tarjan, "Depth-first search and linear graph
// algorithms", 1972 (here without recursion).
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace amp {

inline constexpr uint32_t kNone = 0xffffffffu;

// The indices of the arcs that leave each node, and of those that enter it.
template <class Arc> Lists leaving(size_t nodes, const std::vector<Arc>& arcs) {
    return {nodes, arcs.size(), [&](uint32_t i) { return arcs[i].src; }};
}
template <class Arc> Lists entering(size_t nodes, const std::vector<Arc>& arcs) {
    return {nodes, arcs.size(), [&](uint32_t i) { return arcs[i].dst; }};
}

struct Components {
    std::vector<uint32_t> of;    // per node: its component; an arc never leads to a higher number
    std::vector<uint32_t> post;  // nodes in the order in which the search finished them
    uint32_t count = 0;
};

template <class Arc> Components components(const std::vector<Arc>& arcs, const Lists& out) {
    const auto n = static_cast<uint32_t>(out.size());
    std::vector<uint32_t> index(n, kNone), low(n), next(n, 0), stack, path;
    Components c;
    c.of.assign(n, kNone);
    uint32_t clock = 0;
    for (uint32_t root = 0; root < n; ++root) {
        if (index[root] != kNone) continue;
        path.push_back(root);
        while (!path.empty()) {
            const uint32_t u = path.back();
            if (index[u] == kNone) {
                index[u] = low[u] = clock++;
                stack.push_back(u);
            }
            if (next[u] < out[u].size()) {
                const uint32_t w = arcs[out[u][next[u]++]].dst;
                if (index[w] == kNone)
                    path.push_back(w);
                else if (c.of[w] == kNone)
                    low[u] = std::min(low[u], index[w]);
                continue;
            }
            path.pop_back();
            c.post.push_back(u);
            if (!path.empty()) low[path.back()] = std::min(low[path.back()], low[u]);
            if (low[u] != index[u]) continue;
            for (uint32_t w = kNone; w != u;) {
                w = stack.back();
                stack.pop_back();
                c.of[w] = c.count;
            }
            ++c.count;
        }
    }
    return c;
}

// Throws AMP_E_CYCLE for a cycle with too little edge delay. `cycle` lists its edges in order; the message names its
// nodes.
[[noreturn]] void refuse_feedback(const Plan& plan, std::vector<uint32_t> cycle);

}  // namespace amp
