// Which node waits for which. If a chain of waits ends in itself, or at a reader that does not advance, a full ring in
// it would block a pull for ever (an artificial deadlock). That ring grows, even if other nodes can still fire. G.
// Kahn, "The semantics of a simple language for parallel programming", 1974; T. M. Parks, "Bounded scheduling of
// process networks", 1995; M. Geilen, T. Basten, "Requirements on the execution of Kahn process networks", 2003.
#include <algorithm>
#include <set>

#include "engine/stream/stream.hpp"

namespace amp {

namespace {

constexpr int64_t kEver = INT64_MAX / 4;  // a clock without limit
constexpr uint32_t kNoRing = UINT32_MAX;

std::string listed(const std::set<std::string>& names) {
    std::string s;
    for (const std::string& n : names) s += (s.empty() ? "" : ", ") + n;
    return s;
}

}  // namespace

// The clock a node could reach by its own sources, if each of them fired up to its reach.
int64_t Stream::own_reach(uint32_t u) const {
    int64_t frames = live_[u] ? clock_[u] : kEver;
    for (uint32_t k : plan_.nodes[u].in) {
        const PlanEdge& e = plan_.edges[k];
        if (reach_[e.src] < kEver)
            frames = std::min(frames, std::max<int64_t>(0, reach_[e.src] - plan_.nodes[e.src].latency) +
                                          static_cast<int64_t>(e.delay));
    }
    return frames;
}

// Computes reach_: the clock that the samples pushed so far allow each node to reach. Consumers behind one gate all
// stop at the least of their reaches.
void Stream::find_reach() {
    std::fill(reach_.begin(), reach_.end(), kEver);
    bool moved = std::find(live_.begin(), live_.end(), true) != live_.end();
    const auto lower = [&](uint32_t u, int64_t frames) {
        if (frames >= reach_[u]) return;
        reach_[u] = frames;
        moved = true;
    };
    while (moved) {
        moved = false;
        for (uint32_t u = 0; u < reach_.size(); ++u) lower(u, own_reach(u));
        for (const Gate& g : plan_.gates) {
            int64_t least = kEver;
            for (uint32_t u : g.consumers) least = std::min(least, reach_[u]);
            for (uint32_t u : g.consumers) lower(u, least);
        }
    }
}

// Why a node at its reach cannot continue: the inputs it waits for, and the gates that limit it.
Stream::Cause Stream::cause(uint32_t start) const {
    Cause c;
    std::vector<uint32_t> todo{start};
    std::vector<bool> seen(reach_.size());
    seen[start] = true;
    const auto visit = [&](uint32_t v) {
        if (!seen[v]) seen[v] = true, todo.push_back(v);
    };
    while (!todo.empty()) {
        const uint32_t u = todo.back();
        todo.pop_back();
        const bool own = own_reach(u) == reach_[u];
        if (live_[u]) {
            c.inputs.insert(text("\"%s\" (pushed up to frame %lld)", plan_.nodes[u].name.c_str(),
                                 static_cast<long long>(clock_[u])));
            if (c.first.empty()) c.first = plan_.nodes[u].name;
            continue;
        }
        c.nodes.insert(plan_.nodes[u].name);
        for (uint32_t k : plan_.nodes[u].in) {
            const PlanEdge& e = plan_.edges[k];
            const int64_t made = std::max<int64_t>(0, reach_[e.src] - plan_.nodes[e.src].latency);
            if (own && reach_[e.src] < kEver && made + static_cast<int64_t>(e.delay) == reach_[u]) visit(e.src);
        }
        for (const Gate& g : plan_.gates) {
            if (own || std::find(g.consumers.begin(), g.consumers.end(), u) == g.consumers.end()) continue;
            for (uint32_t v : g.consumers) {
                if (own_reach(v) == reach_[u]) c.gates.insert('"' + g.name + '"');
                visit(v);
            }
        }
    }
    return c;
}

// Throws AMP_E_PENDING: node u cannot reach `clock` before more samples are pushed. Names inputs, gates and nodes.
void Stream::starve(uint32_t u, int64_t clock) const {
    const Cause c = cause(u);
    Failure f(AMP_E_PENDING, "pull",
              text("%s: frame %lld waits for input %s%s%s%s.%s%s%s", plan_.nodes[u].name.c_str(),
                   static_cast<long long>(clock - plan_.nodes[u].latency), listed(c.inputs).c_str(),
                   c.gates.empty() ? "" : " (held by gate ", listed(c.gates).c_str(), c.gates.empty() ? "" : ")",
                   c.nodes.empty() ? "" : " Stalled: ", listed(c.nodes).c_str(), c.nodes.empty() ? "" : "."),
              "Push samples to it, or end it.", c.first);
    f.frame = clock - plan_.nodes[u].latency;
    throw f;
}

// Called for a node that should fire and cannot: follows the chain of waits to the ring that has to grow, and grows it.
void Stream::unblock(uint32_t u) {
    std::fill(seen_.begin(), seen_.end(), 0);
    path_.clear();
    for (;;) {
        if (seen_[u]) {  // a cycle of waits: its smallest full ring grows
            uint32_t ring = kNoRing;
            for (size_t i = seen_[u] - 1; i < path_.size(); ++i) {
                if (path_[i].ring == kNoRing) continue;
                if (ring == kNoRing || rings_[path_[i].ring].capacity < rings_[ring].capacity) ring = path_[i].ring;
            }
            if (ring == kNoRing) {
                std::string nodes;
                for (size_t i = seen_[u] - 1; i < path_.size(); ++i)
                    nodes += (nodes.empty() ? "" : ", ") + plan_.nodes[path_[i].node].name;
                throw Failure(AMP_E_CYCLE, "pull", "deadlock: " + nodes + " wait for each other's first token.",
                              "Give an edge between them initial tokens.");
            }
            return grow(ring, rings_[ring].capacity + 1, rings_[ring].most_capacity);
        }
        path_.push_back({u, kNoRing});
        seen_[u] = static_cast<uint32_t>(path_.size());
        if (const auto source = starving(u)) {
            u = *source;
            continue;
        }
        const uint32_t ring = path_.back().ring = full_ring(u);
        const auto reader = slowest(rings_[ring]);
        if (!reader || clock_[*reader] >= limit(*reader))
            return grow(ring, rings_[ring].capacity + 1, rings_[ring].most_capacity);
        u = *reader;
    }
}

// A source that has no token for the node's next frame; none if all have one.
std::optional<uint32_t> Stream::starving(uint32_t u) const {
    for (uint32_t k : plan_.nodes[u].in) {
        const PlanEdge& e = plan_.edges[k];
        if (made(e.src) + static_cast<int64_t>(e.delay) <= clock_[u]) return e.src;
    }
    return std::nullopt;
}

// The ring of node u with the least room.
uint32_t Stream::full_ring(uint32_t u) const {
    return *std::min_element(of_[u].begin(), of_[u].end(),
                             [&](uint32_t a, uint32_t b) { return free(rings_[a]) < free(rings_[b]); });
}

// The node that has read least from a ring and so keeps it full; none if that reader is a lossless tap.
std::optional<uint32_t> Stream::slowest(const Ring& r) const {
    const int64_t first = oldest(r, false);
    for (uint32_t id : r.taps)
        if (taps_[id].policy == AMP_TAP_LOSSLESS && taps_[id].position == first) return std::nullopt;
    for (const auto& [u, delay] : r.readers)
        if (clock_[u] - delay == first) return u;
    return std::nullopt;
}

// Doubles a ring's capacity until `tokens` fit, up to `most`, and keeps all its tokens. Memory for all shards is
// allocated first; if that fails, no shard's ring grows.
void Stream::grow(uint32_t i, int64_t tokens, int64_t most) {
    Ring& r = rings_[i];
    if (tokens <= r.capacity) return;
    if (tokens > most) refuse(r, tokens);
    flush();
    int64_t capacity = r.capacity;
    uint32_t times = 0;
    for (; capacity < tokens; ++times) capacity = std::min(2 * capacity, most);
    const uint64_t used = rt_.common_.arena.used();
    larger_.clear();
    try {
        for (auto& s : rt_.shards_) larger_.push_back(Share{*s}.reserve(i, 2 * capacity));
    } catch (...) {
        rt_.common_.arena.rewind(used);
        throw;
    }
    const int64_t first = oldest(r, true), count = head(r) - first;
    for (size_t k = 0; k < larger_.size(); ++k) Share{*rt_.shards_[k]}.grow(i, first, count, 2 * capacity, larger_[k]);
    r.capacity = capacity;
    r.grown += times;
    r.pos = -first;
}

// Throws AMP_E_FULL with the name of the ring, and of the reader at the end of the chain of full rings that does not
// read.
void Stream::refuse(const Ring& r, int64_t tokens) const {
    const auto read = [&](const Ring& x) {
        return text(" has read up to frame %lld", static_cast<long long>(oldest(x, false)));
    };
    std::string who;
    std::vector<bool> seen(clock_.size());
    for (const Ring* full = &r; full;) {
        const auto reader = slowest(*full);
        if (!who.empty()) who += ", as " + name(*full) + " is full: ";
        who += (reader ? plan_.nodes[*reader].name : "its tap") + read(*full);
        if (!reader || seen[*reader]) break;
        seen[*reader] = true;
        if (const Cause c = cause(*reader); clock_[*reader] >= reach_[*reader] && !c.inputs.empty())
            who += " and waits for input " + listed(c.inputs);
        const auto& own = of_[*reader];
        const auto next = std::find_if(own.begin(), own.end(), [&](uint32_t i) { return free(rings_[i]) <= 0; });
        full = next == own.end() ? nullptr : &rings_[*next];
    }
    const PlanNode& n = plan_.nodes[r.node];
    throw Failure(AMP_E_FULL, "stream",
                  text("%s: the ring is full (needs %lld frames, allowed %lld): %s.", name(r).c_str(),
                       static_cast<long long>(tokens), static_cast<long long>(r.most_capacity), who.c_str()),
                  "Pull there, make the tap latest, push what is missing, or raise limit_frames.", n.name,
                  n.type->contract->outputs[r.port].key);
}

// "node.port" of a ring, for messages.
std::string Stream::name(const Ring& r) const {
    const PlanNode& n = plan_.nodes[r.node];
    return n.name + '.' + n.type->contract->outputs[r.port].key;
}

}  // namespace amp
