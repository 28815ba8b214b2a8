// Feedback components. Short loops run frame by frame through a table of ticks; longer ones run node by node, each node
// for as many frames as its inputs have tokens.
#include <algorithm>
#include <array>
#include <utility>

#include "core/log.hpp"
#include "engine/run/shard.hpp"

namespace amp {

// Reserves the largest table of ticks, so that running a component allocates nothing.
void Shard::reserve_ticks() {
    size_t most = 0;
    for (const Component& c : plan_.components) {
        size_t n = 0;
        for (uint32_t u : c.nodes)
            n += work_[u].before.size() + 1 + std::max(work_[u].after.size(), work_[u].before_first.size());
        most = std::max(most, n);
    }
    ticks_.resize(parts_.groups());
    for (auto& ticks : ticks_) ticks.reserve(most);
    component_done_.assign(plan_.components.empty() ? 0 : work_.size(), 0);
}

// Runs a component frame by frame or node by node, depending on its sub-block.
void Shard::run_component(const Component& c, const Firing& f, bool timed) {
    const int64_t t0 = timed ? common_.now() : 0;
    if (c.sub_block < kTogetherBelow)
        run_frames(c, f);
    else
        run_firings(c, f);
    if (!timed) return;
    // nodes of a loop share its time equally: they are timed together
    const double share = static_cast<double>(common_.now() - t0) / static_cast<double>(c.nodes.size());
    for (uint32_t u : c.nodes) {
        work_[u].ticks += share;
        work_[u].timed_frames += f.frames;
    }
}

// Lists the steps of a component that run frame by frame. Steps that read nothing from the component fire here for the
// whole block.
void Shard::list_ticks(std::vector<Tick>& ticks, const Component& c, const Firing& f) {
    ticks.clear();
    const auto add = [&](Step* s) { ticks.push_back({s->tick, s}); };
    for (uint32_t u : c.nodes) {
        if (!is_leader(u)) continue;
        Work& w = work_[u];
        if (!started(u, f)) {
            fire(u, f);
            continue;
        }
        for (size_t k = 0; k < w.before.size(); ++k) {
            Step* s = w.before[k];
            if (!w.outside[k])
                add(s);
            else if (const uint32_t r = s->fire(*s, logical(*s, f)))
                note(u, *s, r, f);
        }
        add(w.main);
        const bool before_first = is_before_first(u, f);
        for (Step* s : before_first ? w.before_first : w.after) add(s);
        count(u, f.frames, f.frames, before_first);
    }
    hand_on(ticks);
}

// Where a step reads what the step before it wrote in the same frame, the value is passed between their ticks in a
// register; and where a flush step follows, the tick that closes the loop flushes denormals itself.
void Shard::hand_on(std::vector<Tick>& ticks) const {
    if (ticks.empty()) return;
    for (size_t k = 0; k < ticks.size(); ++k) {
        Step& s = *ticks[k].step;
        if (!carrying(s)) continue;
        const Step* next = k + 1 < ticks.size() ? ticks[k + 1].step : nullptr;
        s.of_node.flushes = next && next->kind == StepKind::flush && next->out[0].data == s.out[0].data;
        if (!s.of_node.flushes) continue;
        ticks.erase(ticks.begin() + static_cast<std::ptrdiff_t>(k) + 1);
    }
    const Step* last = ticks.back().step;
    for (Tick& t : ticks) {
        const View& from = last->out[0];
        const bool wraps = &t == &ticks.front();
        last = t.step;
        const auto* ways = carrying(*t.step);
        if (!ways) continue;
        const bool reads = ways[1][0] && from.step == 1 && carried_in(*t.step).step == 1 &&
                           carried_in(*t.step).data + wraps == from.data;
        t.run = ways[reads][t.step->of_node.flushes];
    }
}

namespace {

constexpr size_t kSites = 8;  // call instructions of the unrolled loop

// Runs the table for `frames` frames: one indirect call per step and frame. The loop is unrolled eight times plus the
// remainder, so that each call is a separate instruction with its own branch-target prediction.
template <bool kEights, size_t kRest>
void run_table(const Tick* first, const Tick* rest, uint32_t frames, int64_t time, Carried now) {
    for (int64_t i = 0; i < frames; ++i) {
        if constexpr (kEights)
            for (const Tick* t = first; t != rest; t += kSites)
#pragma GCC unroll 8
                for (size_t k = 0; k < kSites; ++k) now = t[k].run(*t[k].step, i, time + i, now);
#pragma GCC unroll 8
        for (size_t k = 0; k < kRest; ++k) now = rest[k].run(*rest[k].step, i, time + i, now);
    }
}

template <bool kEights, size_t... kRest> constexpr auto run_tables(std::index_sequence<kRest...>) {
    return std::array{run_table<kEights, kRest>...};
}
constexpr std::array kRunTable{run_tables<false>(std::make_index_sequence<kSites>()),
                               run_tables<true>(std::make_index_sequence<kSites>())};

}  // namespace

void Shard::run_frames(const Component& c, const Firing& f) {
    AMP_LOG("fire the loop of %s frame by frame, virtual times %lld to %lld", plan_.nodes[c.nodes.front()].name.c_str(),
            static_cast<long long>(f.frame), static_cast<long long>(f.frame + f.frames - 1));
    std::vector<Tick>& ticks = ticks_[parts_(c.nodes.front())];
    list_ticks(ticks, c, f);
    if (ticks.empty()) return;
    const Tick *first = ticks.data(), *end = first + ticks.size();
    Carried now = first_carried(*first->step);
    if (kDiagnostic || common_.flight || !common_.events.empty()) {
        for (uint32_t i = 0; i < f.frames; ++i)
            for (const Tick* t = first; t != end; ++t) now = watched_tick(*t, i, f.frame + i, now);
    } else if (f.frames == 1) {
        tick_once(first, end, f, now);
        return;
    } else {
        const size_t rest = ticks.size() % kSites;
        kRunTable[ticks.size() >= kSites][rest](first, end - rest, f.frames, f.frame, now);
    }
    for (const Tick& t : ticks)  // the steps' outputs keep their values until the block ends
        if (t.step->verdict || !wrote_finite(*t.step, f)) note_tick(*t.step, f);
}

// Whether everything a watched step wrote is finite. Watched are steps that make new values: nodes, parameters, curves
// and ports.
bool Shard::wrote_finite(const Step& s, const Firing& f) const {
    if (!is_watched(s.kind)) return true;
    const bool main = s.kind == StepKind::node;
    const uint32_t outputs = main ? plan_.nodes[s.place].type->contract->n_outputs : 1;
    for (uint32_t k = 0; k < outputs; ++k) {
        const int32_t channels = main ? plan_.nodes[s.place].out_channels[k] : s.channels;
        if (!table_->finite(s.out[k], channels, s.env->groups, f)) return false;
    }
    return true;
}

// Notes the fault of a step's ticks and resets the step's verdict.
void Shard::note_tick(Step& s, const Firing& f) {
    if (is_watched(s.kind)) note(s.place, s, s.verdict | kNonfinite, f);
    s.verdict = kFired;
}

// Runs one tick with flight record, test hook and trace.
Carried Shard::watched_tick(const Tick& t, uint32_t i, int64_t time, Carried before) {
    Step& s = *t.step;
    const Firing own{time - s.arrival, i, 1};
    if (common_.flight) {
        common_.flight->node = plan_.nodes[s.place].rank;
        common_.flight->first_frame = own.frame;
        common_.flight->frames = 1;
    }
    const bool main = s.kind == StepKind::node, traced = main && !common_.events.empty();
    if (main) test_hook(s.place, own);
    const int64_t t0 = traced ? common_.now() : 0;
    before = t.run(s, i, time, before);
    if (traced) record(s.place, {time, i, 1}, t0, common_.now());
    return before;
}

// Data-driven execution: every node fires for as many frames as its inputs have tokens, in rounds, until the block is
// complete.
void Shard::run_firings(const Component& c, const Firing& f) {
    auto& done = component_done_;
    for (uint32_t u : c.nodes) {  // a node that has not started has nothing its readers could wait for
        done[u] = started(u, f) ? 0 : f.frames;
        if (done[u] && is_leader(u)) fire(u, f);
    }
    for (bool busy = true; busy;) {
        busy = false;
        for (uint32_t u : c.nodes) {
            if (!is_leader(u)) continue;
            uint64_t reach = f.frames;
            for (uint32_t v = u; v < u + fired_with(u); ++v)
                for (uint32_t k : plan_.nodes[v].in) {
                    const PlanEdge& e = plan_.edges[k];
                    if (plan_.nodes[e.src].component == plan_.nodes[u].component)
                        reach = std::min(reach, done[leader(e.src)] + e.lag);
                }
            if (reach <= done[u]) continue;
            const auto n = static_cast<uint32_t>(reach - done[u]);
            const Firing g{f.frame + static_cast<int64_t>(done[u]), static_cast<uint32_t>(done[u]), n};
            const int64_t t0 = common_.events.empty() ? 0 : common_.now();
            fire(u, g);
            if (!common_.events.empty()) record(u, g, t0, common_.now());
            done[u] = reach;
            busy = true;
        }
    }
}

}  // namespace amp
