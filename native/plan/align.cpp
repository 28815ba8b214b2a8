// Virtual time: the start of each node, chosen so that the inputs of a node, and all consumers of a gate, are aligned.
//   A(v) = max(0, max over edges (u, v) of A(u) + L(u) - d); A(v) = A(w) for consumers v, w of one gate
//   D(e) = d + A(v) - A(u) - L(u), the frames that edge e holds
// Longest paths over the edges; each gate adds a hub node, joined with its consumers by arcs of length 0 both ways. R.
// Bellman, "On a routing problem", 1958, one component after another; a cycle among the arcs that last raised a start
// has positive length (R. E. Tarjan, "Data Structures and Network Algorithms", 1983, chapter 7).
#include <map>
#include <set>

#include "plan/components.hpp"

namespace amp {

namespace {

struct Arc {
    uint32_t src, dst;
    int64_t length;
    uint32_t edge;  // place in the plan's edges; kNone: between a consumer and the hub of its gate
};

const std::string& name_of(const Plan& p, uint32_t u) { return p.nodes[u].name; }

struct Account {
    std::string text;
    int64_t missing;  // frames of delay that the cycle lacks
};

// Sums up the edges of a cycle, with a text such as ": 0 frames of edge delay, needs 65 (look declares 64)".
Account account(const Plan& p, const std::vector<uint32_t>& edges, int64_t more) {
    uint64_t has = 0;
    int64_t needs = more;
    std::set<uint32_t> sources;
    std::string declared;
    for (uint32_t k : edges) {
        has += p.edges[k].delay;
        const PlanNode& n = p.nodes[p.edges[k].src];
        needs += n.latency;
        if (n.latency == 0 || !sources.insert(p.edges[k].src).second) continue;
        declared += text("%s%s declares %lld", declared.empty() ? " (" : ", ", n.shown().c_str(),
                         static_cast<long long>(n.latency));
    }
    return {text(": %llu frames of edge delay, needs %lld%s%s", static_cast<unsigned long long>(has),
                 static_cast<long long>(needs), declared.c_str(), declared.empty() ? "" : ")"),
            needs - static_cast<int64_t>(has)};
}

struct Aligner {
    Plan& p;
    std::vector<Arc> arcs{};
    std::vector<int64_t> start{};       // virtual time at which each node, then each gate, starts
    std::vector<uint32_t> raised_by{};  // per node and gate: the arc that last raised its start

    uint32_t hub(uint32_t gate) const { return static_cast<uint32_t>(p.nodes.size()) + gate; }

    void list_arcs() {
        std::map<std::string, std::set<uint32_t>> gates;
        for (uint32_t k = 0; k < p.edges.size(); ++k) {
            const PlanEdge& e = p.edges[k];
            arcs.push_back({e.src, e.dst, p.nodes[e.src].latency - static_cast<int64_t>(e.delay), k});
            if (e.port < 0) continue;
            for (const std::string& g : said_of(p, e).gates) gates[g].insert(e.dst);
        }
        for (const auto& [gate, consumers] : gates) {
            const uint32_t h = hub(static_cast<uint32_t>(p.gates.size()));
            for (uint32_t u : consumers) arcs.push_back({u, h, 0, kNone}), arcs.push_back({h, u, 0, kNone});
            p.gates.push_back({gate, {consumers.begin(), consumers.end()}});
        }
    }

    void solve() {
        const size_t n = p.nodes.size() + p.gates.size();
        const Lists into = entering(n, arcs);
        const Components c = components(arcs, leaving(n, arcs));
        const std::vector<uint32_t> sources_first(c.post.rbegin(), c.post.rend());
        const Lists places(c.count, n, [&](uint32_t i) { return c.of[sources_first[i]]; });
        std::vector<uint32_t> members;
        start.assign(n, 0);
        raised_by.assign(n, kNone);
        std::vector<uint32_t> walk(n, kNone);
        for (uint32_t k = c.count; k-- > 0;) {
            members.clear();
            for (uint32_t i : places[k]) members.push_back(sources_first[i]);
            while (sweep(members, into))
                if (members.size() > 1 || members.front() == arcs[raised_by[members.front()]].src)
                    look_for_cycle(c.of, members, walk);
        }
    }

    // One pass over a component, sources first. Returns whether some start was raised.
    bool sweep(const std::vector<uint32_t>& members, const Lists& into) {
        bool raised = false;
        for (uint32_t v : members)
            for (uint32_t k : into[v]) {
                const int64_t at = start[arcs[k].src] + arcs[k].length;
                if (at <= start[v]) continue;
                start[v] = at;
                raised_by[v] = k;
                raised = true;
            }
        return raised;
    }

    void look_for_cycle(const std::vector<uint32_t>& of, const std::vector<uint32_t>& members,
                        std::vector<uint32_t>& walk) const {
        for (uint32_t v : members) walk[v] = kNone;
        for (uint32_t v : members) {
            std::vector<uint32_t> path;
            uint32_t u = v;
            while (walk[u] == kNone && raised_by[u] != kNone && of[arcs[raised_by[u]].src] == of[v]) {
                walk[u] = v;
                path.push_back(raised_by[u]);
                u = arcs[raised_by[u]].src;
            }
            if (path.empty() || walk[u] != v) continue;
            const auto first = std::find_if(path.begin(), path.end(), [&](uint32_t k) { return arcs[k].dst == u; });
            refuse({path.rbegin(), std::make_reverse_iterator(first)});
        }
    }

    [[noreturn]] void refuse(std::vector<uint32_t> cycle) const {
        std::vector<uint32_t> edges;
        for (uint32_t k : cycle)
            if (arcs[k].edge != kNone) edges.push_back(arcs[k].edge);
        if (edges.size() == cycle.size()) refuse_feedback(p, edges);
        const auto hub_first = [&](uint32_t a, uint32_t b) { return arcs[a].src < arcs[b].src; };
        std::rotate(cycle.begin(), std::max_element(cycle.begin(), cycle.end(), hub_first), cycle.end());
        // so that the text begins at a node and ends at the gate
        std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
        std::string path = name_of(p, arcs[cycle.front()].src), gates;
        for (uint32_t k : cycle) {
            if (arcs[k].dst < p.nodes.size()) {
                path += (arcs[k].edge != kNone ? " -> " : " together with ") + name_of(p, arcs[k].dst);
            } else {
                gates += (gates.empty() ? "\"" : ", \"") + p.gates[arcs[k].dst - p.nodes.size()].name + '"';
            }
        }
        throw Failure("plan",
                      {AMP_E_CYCLE, name_of(p, arcs[cycle.front()].src), "",
                       "gate " + gates + ": " + path + account(p, edges, 0).text + '.',
                       "Add delay_frames on one of its edges, or take one of its nodes out of the gate.", "", 0});
    }
};

}  // namespace

void refuse_feedback(const Plan& p, std::vector<uint32_t> cycle) {
    const auto closes_less = [&p](uint32_t a,
                                  uint32_t b) {  // largest delay last; among equals, the first name begins
        const PlanEdge &x = p.edges[a], &y = p.edges[b];
        return x.delay != y.delay ? x.delay < y.delay : x.dst > y.dst;
    };
    std::rotate(cycle.begin(), std::max_element(cycle.begin(), cycle.end(), closes_less), cycle.end());
    std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
    const std::string& first = name_of(p, p.edges[cycle.front()].src);
    std::string path = "feedback " + first;
    for (uint32_t k : cycle) path += " -> " + name_of(p, p.edges[k].dst);
    const Account a = account(p, cycle, 1);
    throw Failure("plan", {AMP_E_CYCLE, first, "", path + a.text + '.', "Add delay_frames on one of its edges.",
                           name_of(p, p.edges[cycle.back()].src), a.missing});
}

void align(Plan& p) {
    Aligner a{p};
    a.list_arcs();
    a.solve();
    for (uint32_t u = 0; u < p.nodes.size(); ++u) {
        PlanNode& n = p.nodes[u];
        n.arrival = a.start[u];
        p.latency = std::max(p.latency, n.arrival + n.latency);
    }
    for (PlanEdge& e : p.edges)
        e.lag = static_cast<uint64_t>(static_cast<int64_t>(e.delay) + p.nodes[e.dst].arrival - p.nodes[e.src].arrival -
                                      p.nodes[e.src].latency);
}

}  // namespace amp
