// IPLS, the derived schedule: equal voices run in the lanes of one kernel. Nodes are divided into classes by their type
// and values, then, in several passes, by the classes of their neighbours, until nodes of one class play the same part
// in their voices (colour refinement; B. Weisfeiler, A. Leman, "The reduction of a graph to canonical form", 1968).
// Connected nodes of classes with enough members form voices; up to eight voices of one shape form lane groups. The
// order is sources first, by depth-first search from the sinks, so that the chain of one lane group runs from end to
// end while its slices are in L1.
#include <algorithm>
#include <numeric>
#include <tuple>

#include "plan/fusible.hpp"
#include "plan/schedule.hpp"

namespace amp {

namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr int kRounds = 2;  // passes of refinement, each forward and backward
constexpr int kSplits = 3;  // most times that voices joined by a shared node are separated

// unit (nodes that fire as one) -> its cohorts, in order
using Units = std::vector<std::vector<std::vector<uint32_t>>>;

// Connected nodes that may be fused with those of equal voices.
struct Voice {
    uint64_t shape = 0;           // equal for voices of equal nodes and edges
    uint32_t first = kNone;       // place of its first node
    uint32_t begin = 0, end = 0;  // range in `sorted`
    bool repeats = false;         // it has several nodes of one class
    // rank of the first reader outside all voices, and the edge's place among that reader's edges
    std::pair<uint32_t, uint32_t> read_at{kNone, kNone};
};

// Finds the lane groups of a plan.
struct Finder {
    const Plan& p;
    std::vector<uint64_t> part;    // class of each node
    std::vector<bool> open;        // may still join a lane group
    std::vector<uint32_t> root;    // union-find over open nodes; finally the first node of the voice
    std::vector<uint32_t> sorted;  // open nodes, by voice and class
    std::vector<Voice> voices;

    explicit Finder(const Plan& plan) : p(plan), part(plan.nodes.size()), open(plan.nodes.size()) {
        const auto alone = reasons_alone(p);
        const auto gates = gate_sets(p);
        for (uint32_t u = 0; u < p.nodes.size(); ++u) {
            traits(p, u, gates[u], [&](const Trait& t) { part[u] = join(part[u], t.bits); });
            open[u] = !alone[u];
        }
    }

    std::vector<bool> common() const {  // per node: its class has at least kLeastMembers members
        std::vector<uint64_t> all = part;
        std::sort(all.begin(), all.end());
        std::vector<bool> enough(part.size());
        for (uint32_t u = 0; u < part.size(); ++u) {
            const auto [low, high] = std::equal_range(all.begin(), all.end(), part[u]);
            enough[u] = high - low >= int64_t{kLeastMembers};
        }
        return enough;
    }

    // Refines the classes and closes nodes whose class has too few members.
    void refine() {
        for (int k = 0; k < kRounds; ++k) forward(), backward();
        const auto enough = common();
        for (uint32_t u = 0; u < part.size(); ++u) open[u] = open[u] && enough[u];
    }

    // Refines classes by the classes of sources; edges that close cycles use the class from before this pass.
    void forward() {
        const std::vector<uint64_t> before = part;
        for (uint32_t u = 0; u < part.size(); ++u)
            for (uint32_t k : p.nodes[u].in) {
                const PlanEdge& e = p.edges[k];
                part[u] = join(part[u], e.feedback ? before[e.src] : part[e.src]);
            }
    }

    // Refines classes by the classes of readers. A reader that is alone in its class (the mix of all voices) is not
    // counted, because it would give each of its sources a different class.
    void backward() {
        const auto counts = common();
        std::vector<uint64_t> readers(part.size());
        const auto count_readers = [&](uint32_t u, bool feedback) {
            for (uint32_t i = 0; counts[u] && i < p.nodes[u].in.size(); ++i) {
                const PlanEdge& e = p.edges[p.nodes[u].in[i]];
                if (e.feedback == feedback) readers[e.src] += join(part[u], i);
            }
        };
        for (uint32_t u = 0; u < part.size(); ++u) count_readers(u, true);
        for (auto u = static_cast<uint32_t>(part.size()); u-- > 0;) {
            part[u] = join(part[u], readers[u]);
            count_readers(u, false);
        }
    }

    uint32_t find(uint32_t u) {
        while (root[u] != u) u = root[u] = root[root[u]];
        return u;
    }

    // Joins open nodes that an edge connects; sorts them by voice and class.
    void find_voices() {
        for (const Component& c : p.components)  // a loop is open as a whole or not at all
            if (!std::all_of(c.nodes.begin(), c.nodes.end(), [&](uint32_t u) { return open[u]; }))
                for (uint32_t u : c.nodes) open[u] = false;
        root.resize(p.nodes.size());
        std::iota(root.begin(), root.end(), 0u);
        for (const PlanEdge& e : p.edges) {
            if (!open[e.src] || !open[e.dst]) continue;
            const uint32_t a = find(e.src), b = find(e.dst);
            root[std::max(a, b)] = std::min(a, b);  // the root is the first node of the voice
        }
        sorted.clear(), voices.clear();
        for (uint32_t u = 0; u < root.size(); ++u)
            if (open[u]) root[u] = find(u), sorted.push_back(u);
        std::sort(sorted.begin(), sorted.end(), [&](uint32_t a, uint32_t b) {
            return std::tie(root[a], part[a], a) < std::tie(root[b], part[b], b);
        });
        for (uint32_t i = 0; i < sorted.size(); ++i) {
            if (voices.empty() || voices.back().first != root[sorted[i]])
                voices.push_back({0, root[sorted[i]], i, i, false, {kNone, kNone}});
            add(voices.back(), sorted[i]);
        }
    }

    // Adds node u, with its class and its edges inside the voice, to the shape of a voice.
    void add(Voice& v, uint32_t u) const {
        v.repeats = v.repeats || (v.end > v.begin && part[sorted[v.end - 1]] == part[u]);
        ++v.end;
        v.shape += join(1, part[u]);
        for (uint32_t i = 0; i < p.nodes[u].in.size(); ++i)
            if (const uint32_t src = p.edges[p.nodes[u].in[i]].src; open[src])
                v.shape += join(join(part[u], i), part[src]);
    }

    // Voices that are joined by a shared node are found as one voice with several nodes of a class. Closes the shared
    // nodes (those of rarer classes), so that the next pass separates the voices. Returns whether it closed any.
    bool take_apart() {
        bool apart = false;
        for (const Voice& v : voices) {
            if (!v.repeats) continue;
            std::vector<uint32_t> runs;  // starts, in `sorted`, of the runs of one class, and the end
            for (uint32_t i = v.begin; i < v.end; ++i)
                if (i == v.begin || part[sorted[i]] != part[sorted[i - 1]]) runs.push_back(i);
            runs.push_back(v.end);
            uint32_t most = 0;
            for (size_t k = 0; k + 1 < runs.size(); ++k) most = std::max(most, runs[k + 1] - runs[k]);
            for (size_t k = 0; k + 1 < runs.size(); ++k)
                for (uint32_t i = runs[k]; i < runs[k + 1] && runs[k + 1] - runs[k] < most; ++i)
                    open[sorted[i]] = false, apart = true;
        }
        return apart;
    }

    // Orders voices as other nodes read them, so that a mix reads its slots from consecutive lanes.
    void rank_by_readers() {
        std::vector<uint32_t> voice(p.nodes.size(), kNone);  // voice by its first node
        for (uint32_t v = 0; v < voices.size(); ++v) voice[voices[v].first] = v;
        for (uint32_t u = 0; u < p.nodes.size(); ++u)
            for (uint32_t i = 0; i < p.nodes[u].in.size() && !open[u]; ++i) {
                const uint32_t src = p.edges[p.nodes[u].in[i]].src;
                if (!open[src] || voice[root[src]] == kNone) continue;
                auto& at = voices[voice[root[src]]].read_at;
                at = std::min(at, std::pair{p.nodes[u].rank, i});
            }
    }

    // One cohort per class for up to kCohortLanes voices of one shape, members in the order of the voices.
    std::vector<std::vector<uint32_t>> lane_groups() {
        std::erase_if(voices, [](const Voice& v) { return v.repeats; });
        rank_by_readers();
        std::sort(voices.begin(), voices.end(), [](const Voice& a, const Voice& b) {
            return std::tie(a.shape, a.read_at, a.first) < std::tie(b.shape, b.read_at, b.first);
        });
        std::vector<std::vector<uint32_t>> list;
        for (size_t i = 0, next = 0; i < voices.size(); i = next) {
            for (next = i; next < voices.size() && next < i + kCohortLanes && voices[next].shape == voices[i].shape;)
                ++next;
            if (next - i < kLeastMembers) continue;
            for (uint32_t k = 0; k < voices[i].end - voices[i].begin; ++k) {
                list.emplace_back();
                for (size_t v = i; v < next; ++v) list.back().push_back(sorted[voices[v].begin + k]);
            }
        }
        return list;
    }

    std::vector<std::vector<uint32_t>> run() {
        refine();
        find_voices();
        for (int k = 0; k < kSplits && take_apart(); ++k) find_voices();
        return lane_groups();
    }
};

// Lists the units (single nodes, lane groups, and whole loops, in cohorts or not) by their first nodes; `unit` receives
// the unit of each node.
Units make_units(const Plan& p, const std::vector<std::vector<uint32_t>>& lane_groups, std::vector<uint32_t>& unit) {
    std::vector<uint32_t> ranked(p.nodes.size()), group_of(p.nodes.size(), kNone);
    for (uint32_t u = 0; u < p.nodes.size(); ++u) ranked[p.nodes[u].rank] = u;
    for (uint32_t t = 0; t < lane_groups.size(); ++t)
        for (uint32_t u : lane_groups[t]) group_of[u] = t;
    std::vector<std::vector<uint32_t>> loops(p.nodes.size());
    for (uint32_t u : ranked)
        if (p.nodes[u].loop >= 0) loops[static_cast<size_t>(p.nodes[u].loop)].push_back(u);
    Units units;
    unit.assign(p.nodes.size(), kNone);
    for (uint32_t u : ranked) {
        if (unit[u] != kNone) continue;
        const uint32_t leader = group_of[u] == kNone ? u : lane_groups[group_of[u]].front();
        const bool loop = p.nodes[leader].loop >= 0;
        units.emplace_back();
        for (uint32_t w : loop ? loops[static_cast<size_t>(p.nodes[leader].loop)] : std::vector<uint32_t>{leader}) {
            units.back().push_back(group_of[w] == kNone ? std::vector<uint32_t>{w} : lane_groups[group_of[w]]);
            for (uint32_t m : units.back().back()) unit[m] = static_cast<uint32_t>(units.size()) - 1;
        }
    }
    return units;
}

// Per unit: the units that it reads.
std::vector<std::vector<uint32_t>> sources_of(const Plan& p, const Units& units, const std::vector<uint32_t>& unit) {
    std::vector<std::vector<uint32_t>> sources(units.size());
    for (uint32_t k = 0; k < units.size(); ++k)
        for (const auto& cohort : units[k])
            for (uint32_t u : cohort)
                for (uint32_t e : p.nodes[u].in)
                    if (const uint32_t from = unit[p.edges[e].src]; from != k) sources[k].push_back(from);
    return sources;
}

// Orders units sources first, by depth-first search from the sinks. The result is shorter than the input if there is a
// cycle.
std::vector<uint32_t> depth_first(const std::vector<std::vector<uint32_t>>& sources) {
    enum : uint8_t { kNew, kOpen, kDone };
    const auto n = static_cast<uint32_t>(sources.size());
    std::vector<bool> read(n);
    for (const auto& list : sources)
        for (uint32_t k : list) read[k] = true;
    std::vector<uint8_t> state(n, kNew);
    std::vector<uint32_t> next(n), path, order;
    for (uint32_t sink = 0; sink < n; ++sink) {
        if (!read[sink]) path.push_back(sink);
        while (!path.empty()) {
            const uint32_t k = path.back();
            state[k] = kOpen;
            if (next[k] == sources[k].size()) {
                state[k] = kDone;
                order.push_back(k);
                path.pop_back();
            } else if (const uint32_t from = sources[k][next[k]++]; state[from] == kOpen) {
                return {};
            } else if (state[from] == kNew) {
                path.push_back(from);
            }
        }
    }
    return order;
}

// Divides ordered units into stages: a unit that reads one of the current stage begins the next.
Schedule in_stages(Units units, const std::vector<std::vector<uint32_t>>& sources, const std::vector<uint32_t>& order) {
    Schedule s;
    std::vector<size_t> stage(units.size(), 0);  // counted from 1; 0: none yet
    for (uint32_t k : order) {
        const bool reads = std::any_of(sources[k].begin(), sources[k].end(),
                                       [&](uint32_t from) { return stage[from] == s.stages.size(); });
        if (reads || s.stages.empty()) s.stages.emplace_back();
        stage[k] = s.stages.size();
        for (auto& cohort : units[k]) s.stages.back().push_back(std::move(cohort));
    }
    return s;
}

}  // namespace

Schedule plain(const Plan& p) {
    std::vector<uint32_t> unit;
    Units units = make_units(p, {}, unit);
    std::vector<uint32_t> order(units.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto sources = sources_of(p, units, unit);
    return in_stages(std::move(units), sources, order);
}

Schedule derive(const Plan& p) {
    const auto lane_groups = Finder(p).run();
    if (lane_groups.empty()) return plain(p);
    std::vector<uint32_t> unit;
    Units units = make_units(p, lane_groups, unit);
    const auto sources = sources_of(p, units, unit);
    const auto order = depth_first(sources);
    if (order.size() < units.size()) return plain(p);  // the units would form a cycle
    return in_stages(std::move(units), sources, order);
}

}  // namespace amp
