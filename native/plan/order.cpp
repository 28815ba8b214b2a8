// Feedback components, firing order and sub-blocks, from the lags of the edges; shortest cycles by Dijkstra's
// algorithm.
#include <algorithm>
#include <functional>
#include <queue>

#include "plan/components.hpp"

namespace amp {

namespace {

// Throws AMP_E_CYCLE with a cycle of edges without lag. `start` is a node that could not be ordered; each such node has
// a predecessor that could not be ordered either.
[[noreturn]] void refuse(const Plan& p, const Lists& into, const std::vector<bool>& done, uint32_t start) {
    std::vector<uint32_t> path;  // edges, each followed by the edge into its source
    std::vector<uint32_t> seen(p.nodes.size(), kNone);
    for (uint32_t u = start; seen[u] == kNone;) {
        seen[u] = static_cast<uint32_t>(path.size());
        path.push_back(*std::find_if(into[u].begin(), into[u].end(),
                                     [&](uint32_t k) { return p.edges[k].lag == 0 && !done[p.edges[k].src]; }));
        u = p.edges[path.back()].src;
        if (seen[u] != kNone) path.erase(path.begin(), path.begin() + seen[u]);
    }
    refuse_feedback(p, {path.rbegin(), path.rend()});
}

// The least sum of lags, in frames, over all cycles through `start`, if it is below `best`; otherwise `best`.
uint64_t shortest_cycle(const Plan& p, const Lists& out, const std::vector<uint32_t>& component, uint32_t start,
                        uint64_t best, std::vector<uint64_t>& far) {
    using Item = std::pair<uint64_t, uint32_t>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
    std::vector<uint32_t> touched;
    queue.emplace(0, start);
    while (!queue.empty()) {
        const auto [d, u] = queue.top();
        queue.pop();
        if (d >= best) break;
        if (u != start && d > far[u]) continue;
        for (uint32_t k : out[u]) {
            const PlanEdge& e = p.edges[k];
            if (component[e.dst] != component[start]) continue;
            const uint64_t w = d + e.lag;
            if (e.dst == start)
                best = std::min(best, w);
            else if (w < far[e.dst]) {
                far[e.dst] = w;
                touched.push_back(e.dst);
                queue.emplace(w, e.dst);
            }
        }
    }
    for (uint32_t u : touched) far[u] = UINT64_MAX;
    return best;
}

// Firing order, by one pass of Kahn's algorithm over two levels: components in topological order, and the nodes of each
// by the edges without lag. Ties are broken by name: nodes come here in name order, inserted nodes after them.
std::vector<uint32_t> firing_order(const Plan& p, const Lists& out, const Lists& into,
                                   const std::vector<uint32_t>& component, uint32_t count) {
    std::vector<uint32_t> waiting(count, 0), first(count, kNone), inner(p.nodes.size(), 0), order;
    const Lists members(count, p.nodes.size(), [&](uint32_t u) { return component[u]; });
    for (uint32_t c = 0; c < count; ++c) first[c] = members[c].front();
    order.reserve(p.nodes.size());
    for (const PlanEdge& e : p.edges) {
        if (component[e.src] != component[e.dst])
            ++waiting[component[e.dst]];
        else if (e.lag == 0)
            ++inner[e.dst];
    }
    using Heap = std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>>;
    Heap ready, inside;  // `ready` has components, by the first name in each
    std::vector<bool> done(p.nodes.size(), false);
    for (uint32_t c = 0; c < count; ++c)
        if (waiting[c] == 0) ready.push(first[c]);
    while (!ready.empty()) {
        const uint32_t c = component[ready.top()];
        ready.pop();
        for (uint32_t u : members[c])
            if (inner[u] == 0) inside.push(u);
        size_t ordered = 0;
        for (; !inside.empty(); ++ordered) {
            const uint32_t u = inside.top();
            inside.pop();
            order.push_back(u);
            done[u] = true;
            for (uint32_t k : out[u]) {
                const PlanEdge& e = p.edges[k];
                if (component[e.dst] == c && e.lag == 0 && --inner[e.dst] == 0) inside.push(e.dst);
            }
        }
        if (ordered < members[c].size())
            refuse(p, into, done,
                   *std::find_if(members[c].begin(), members[c].end(), [&](uint32_t u) { return !done[u]; }));
        for (uint32_t u : members[c])
            for (uint32_t k : out[u])
                if (component[p.edges[k].dst] != c && --waiting[component[p.edges[k].dst]] == 0)
                    ready.push(first[component[p.edges[k].dst]]);
    }
    return order;
}

}  // namespace

std::optional<uint32_t> Plan::find(std::string_view name) const {
    const auto& all = descriptors.nodes;
    const auto it = std::lower_bound(all.begin(), all.end(), name, [](const auto& n, auto s) { return n.name < s; });
    if (it != all.end() && it->name == name) return place[static_cast<size_t>(it - all.begin())];
    for (size_t i = all.size(); i < place.size(); ++i)  // nodes that the plan inserted
        if (nodes[place[i]].name == name) return place[i];
    return std::nullopt;
}

void order_nodes(Plan& p) {
    const Lists out = leaving(p.nodes.size(), p.edges), into = entering(p.nodes.size(), p.edges);
    const auto [component, post, count] = components(p.edges, out);
    const auto order = firing_order(p, out, into, component, count);

    std::vector<uint32_t> size(count, 0), number(count, kNone);
    std::vector<uint64_t> far(p.nodes.size(), UINT64_MAX);
    for (uint32_t u : component) ++size[u];
    // a node connected to itself is a component
    for (const PlanEdge& e : p.edges)
        if (e.src == e.dst) size[component[e.src]] = std::max(size[component[e.src]], 2u);
    std::vector<uint32_t>& place = p.place;
    place.resize(p.nodes.size());
    for (uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    // every cycle has an edge that leads back in the order: the search starts at the nodes these edges enter
    std::vector<bool> closes(p.nodes.size());
    for (const PlanEdge& e : p.edges)
        if (place[e.src] >= place[e.dst]) closes[e.dst] = true;
    std::vector<PlanNode> sorted;
    sorted.reserve(order.size());
    for (uint32_t i = 0; i < order.size(); ++i) {
        const uint32_t u = order[i], c = component[u];
        sorted.push_back(std::move(p.nodes[u]));
        if (size[c] < 2) continue;
        if (number[c] == kNone) {
            number[c] = static_cast<uint32_t>(p.components.size());
            p.components.push_back({{}, UINT64_MAX});
        }
        Component& k = p.components[number[c]];
        k.nodes.push_back(i);
        sorted.back().component = static_cast<int32_t>(number[c]);
        if (closes[u] && k.sub_block > 1) k.sub_block = shortest_cycle(p, out, component, u, k.sub_block, far);
    }
    p.nodes = std::move(sorted);
    for (PlanEdge& e : p.edges) {
        e.src = place[e.src];
        e.dst = place[e.dst];
        e.feedback = e.src >= e.dst;
    }
    for (Gate& g : p.gates) {
        for (uint32_t& u : g.consumers) u = place[u];
        std::sort(g.consumers.begin(), g.consumers.end());
    }
}

}  // namespace amp
