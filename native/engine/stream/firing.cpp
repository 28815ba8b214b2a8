// Which node fires when. Only clocks decide: a node fires as many frames as its sources have tokens and its rings have
// room. The graph is run to one virtual time after another, one block apart, so that nodes which nothing blocks advance
// together.
#include <algorithm>

#include "engine/stream/stream.hpp"

namespace amp {

// Makes tokens of a tap's node up to `token`, or until the pushed samples run out; throws if that makes no new token.
void Stream::produce(const Tap& t, int64_t token) {
    if (failure_) throw *failure_;
    rt_.need_history("pull");
    const uint32_t u = rings_[t.ring].node;
    const PlanNode& n = plan_.nodes[u];
    find_reach();
    const int64_t clock = std::min(token + n.latency, reach_[u]);
    const int64_t before = ready(t);
    if (clock - n.latency <= t.position + before) starve(u, t.position + before + n.latency);
    try {
        run(clock + n.arrival, u);
    } catch (const Failure&) {
        if (ready(t) <= before) throw;  // new frames are delivered first, the failure with the next pull
    }
    if (failure_ && ready(t) <= before) throw *failure_;
}

// Runs the graph to virtual time `until`, block by block, and unblocks node u if it lags.
void Stream::run(int64_t until, uint32_t u) {
    do {
        now_ = std::max(now_, std::min(now_ + block_, until));
        fire_all();
        while (!failure_ && clock_[u] < std::min(std::min(now_, until) - plan_.nodes[u].arrival, reach_[u])) {
            unblock(u);
            fire_all();
        }
    } while (now_ < until && !failure_);
}

// Fires every node as far as possible.
void Stream::fire_all() {
    const auto nodes = static_cast<uint32_t>(clock_.size());
    for (bool busy = true, behind = true; busy && behind;) {
        busy = behind = false;
        for (uint32_t u = 0; u < nodes;) {
            const int32_t c = plan_.nodes[u].component;
            if (c < 0) {
                busy |= step(u);
                behind |= clock_[u] < limit(u);
                ++u;
                continue;
            }
            const auto& members = plan_.components[static_cast<size_t>(c)].nodes;
            const bool together = plan_.components[static_cast<size_t>(c)].sub_block < kTogetherBelow;
            for (bool round = true; round; busy |= round) {
                round = together && step_together(static_cast<uint32_t>(c));
                for (uint32_t v : members) round |= step(v);
            }
            for (uint32_t v : members) behind |= clock_[v] < limit(v);
            u = members.back() + 1;
        }
    }
    flush();
    look_for_faults();
}

// Frames a node can fire now, at most one block. A firing ends where the node's latency ends or a new parameter value
// begins.
int64_t Stream::room(uint32_t u) {
    const int64_t clock = clock_[u], latency = plan_.nodes[u].latency;
    int64_t n = std::min(limit(u) - clock, block_);
    for (uint32_t r : of_[u]) n = std::min(n, free(rings_[r]));
    if (clock < latency) n = std::min(n, latency - clock);
    for (const Change& c : changes_[u])
        if (c.time > clock) return std::min(n, c.time - clock);
    return n;
}

// Installs the queued changes of node u that begin at its clock.
void Stream::install_due(uint32_t u) {
    auto& changes = changes_[u];
    if (!changes.empty() && changes.front().time == clock_[u]) flush();
    while (!changes.empty() && changes.front().time == clock_[u]) {
        rt_.apply(changes.front());
        changes.erase(changes.begin());
    }
}

// Fires a node once if it can; returns whether it did.
bool Stream::step(uint32_t u) {
    int64_t n = room(u);
    if (n <= 0 || (n = std::min(n, fed(u) - clock_[u])) <= 0) return false;
    install_due(u);
    for (uint32_t r : of_[u]) make_place(r, n);
    act({Act::kFire, u, clock_[u], n});
    clock_[u] += n;
    return true;
}

// Runs a short loop frame by frame through one table, as a Runtime does, if its nodes are all at one virtual time;
// returns whether it did.
bool Stream::step_together(uint32_t c) {
    const auto& nodes = plan_.components[c].nodes;
    const int64_t time = clock_[nodes.front()] + plan_.nodes[nodes.front()].arrival;
    int64_t n = block_;
    for (uint32_t u : nodes) {
        if (clock_[u] + plan_.nodes[u].arrival != time) return false;
        n = std::min(n, room(u));
        for (uint32_t k : plan_.nodes[u].in) {
            const PlanEdge& e = plan_.edges[k];
            if (plan_.nodes[e.src].component != static_cast<int32_t>(c))
                n = std::min(n, made(e.src) + static_cast<int64_t>(e.delay) - clock_[u]);
        }
        if (n <= 0) return false;
    }
    for (uint32_t u : nodes) install_due(u);
    for (uint32_t u : nodes)
        for (uint32_t r : of_[u]) make_place(r, n);
    act({Act::kLoop, c, time, n});
    for (uint32_t u : nodes) clock_[u] += n;
    return true;
}

// The clock up to which a node's sources have tokens for it.
int64_t Stream::fed(uint32_t u) const {
    int64_t frames = INT64_MAX;
    for (uint32_t k : plan_.nodes[u].in) {
        const PlanEdge& e = plan_.edges[k];
        frames = std::min(frames, made(e.src) + static_cast<int64_t>(e.delay));
    }
    return frames;
}

// The oldest token of a ring that some reader has still to read: of the readers that block the writer, or of all.
int64_t Stream::oldest(const Ring& r, bool of_all) const {
    int64_t first = head(r);
    for (const auto& [u, delay] : r.readers) first = std::min(first, clock_[u] - delay);
    for (uint32_t id : r.taps) {
        const Tap& t = taps_[id];
        if (t.policy == AMP_TAP_LOSSLESS)
            first = std::min(first, t.position);
        else if (of_all)
            first = std::min(first, std::max(t.position, head(r) - t.keep));
    }
    return first;
}

int64_t Stream::free(const Ring& r) const { return r.capacity - (head(r) - oldest(r, false)); }

// Ensures that `frames` tokens can be written after the newest.
void Stream::make_place(uint32_t i, int64_t frames) {
    Ring& r = rings_[i];
    const int64_t newest = head(r), first = oldest(r, true);
    r.most = std::max(r.most, newest + frames - first);
    if (r.pos + newest + frames <= 2 * r.capacity) return;
    act({Act::kMove, i, first, newest - first});
    r.pos = -first;
}

// Queues an action for the shards.
void Stream::act(const Act& a) {
    if (acts_.size() == acts_.capacity()) flush();
    acts_.push_back(a);
}

// Applies the decided actions to every shard, one after the other.
void Stream::flush() {
    for (auto& s : rt_.shards_) {
        Share share{*s};
        for (const Act& a : acts_) switch (a.kind) {
            case Act::kFire: share.fire(a.index, a.first, static_cast<uint32_t>(a.count)); break;
            case Act::kLoop: share.loop(plan_.components[a.index], a.first, static_cast<uint32_t>(a.count)); break;
            case Act::kMove: share.move(a.index, a.first, a.count); break;
            }
    }
    acts_.clear();
}

// Stores the first fault of the shards: the stream has stopped.
void Stream::look_for_faults() {
    const Fault* fault = rt_.first_fault();
    if (!fault) return;
    failure_ = fault->failure;
    fault_time_ = fault->time;
}

}  // namespace amp
