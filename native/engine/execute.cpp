// execute: blocks, nodes, feedback components, taps.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/floating_point.hpp"
#include "engine/values.hpp"
#include "plan/parameters.hpp"

namespace amp {

namespace {

constexpr uint64_t kTimeEvery = 16;   // one block in so many is timed: a clock read costs as much as a small node

}  // namespace

uint32_t Runtime::next_block(int64_t left) const {
    int64_t n = std::min<int64_t>(left, block_);
    if (!changes_.empty()) n = std::min(n, changes_.front().frame - position_);
    return static_cast<uint32_t>(n);
}

void Runtime::apply_due_changes() {
    Values values{*this};
    while (!changes_.empty() && changes_.front().frame <= position_) {
        const Change& c = changes_.front();
        values.install(c.node, c.param, c.value);
        changes_.erase(changes_.begin());
    }
}

// Windows keep their history in front of the block: when the end is near, the history moves to the start.
void Runtime::advance_windows(uint32_t frames) {
    for (Port* p : windows_) {
        if (p->pos + frames <= p->capacity) continue;
        const size_t bytes = static_cast<size_t>(p->history * env_.width) * sizeof(double);
        for (int64_t k = 0; k < int64_t{p->channels} * p->groups; ++k)
            std::memmove(p->data + k * p->row, p->data + k * p->row + (p->pos - p->history) * env_.width, bytes);
        p->pos = p->history;
    }
    for (const Patch& q : patches_) q.view->data = q.port->data + (q.port->pos - q.delay) * env_.width;
}

std::vector<Runtime::TapCopy> Runtime::resolve_taps(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n) const {
    std::vector<TapCopy> list;
    const auto add = [&](uint32_t u, uint32_t port, const amp_buffer& b) {
        const int32_t channels = plan_.nodes[u].out_channels[port];
        if (!b.data || b.frames < frames || b.batches != env_.batches || b.channels != static_cast<uint32_t>(channels))
            throw Failure(AMP_E_SHAPE, "execute", text("%s: buffer shape (got (%u, %u, %lld), expected (%u, %d, at least %lld)).", plan_.nodes[u].descriptor->name.c_str(), b.batches, b.channels,
                                                       static_cast<long long>(b.frames), env_.batches, channels, static_cast<long long>(frames)), plan_.nodes[u].descriptor->name);
        list.push_back({u, port, b});
    };
    if (out) {
        if (plan_.output < 0) throw Failure(AMP_E_INVALID_ARG, "execute", "the graph has no output node. Add one, or read taps.");
        add(static_cast<uint32_t>(plan_.output), 0, *out);
    }
    for (uint32_t i = 0; i < n; ++i) {
        const std::string node = taps[i].node ? taps[i].node : "";
        const uint32_t u = find(node, "execute");
        const amp_node_contract& c = *plan_.nodes[u].type->contract;
        uint32_t k = 0;
        while (taps[i].port && k < c.n_outputs && std::strcmp(taps[i].port, c.outputs[k].key) != 0) ++k;
        if (k >= c.n_outputs) throw Failure(AMP_E_INVALID_ARG, "execute", text("%s: has no output \"%s\" to tap.", node.c_str(), taps[i].port ? taps[i].port : ""), node);
        add(u, k, taps[i].buffer);
    }
    std::stable_sort(list.begin(), list.end(), [](const TapCopy& a, const TapCopy& b) { return a.node < b.node; });
    return list;
}

amp_status Runtime::execute(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps) {
    if (!configured_ || failed_)
        throw Failure(AMP_E_INVALID_ARG, "execute", failed_ ? "the render stopped with an error before. Configure again first." : "the runtime is not configured. Call configure first.");
    if (!plan_.curves.empty() && history_.empty())
        throw Failure(AMP_E_INVALID_ARG, "execute", text("the graph follows control curves (first \"%s\") and has no control history. Give the render one that has them.", plan_.curves.front().c_str()));
    if (frames < 0) throw Failure(AMP_E_INVALID_ARG, "execute", text("frames: out of range (got %lld, allowed 0 and more).", static_cast<long long>(frames)));
    const auto list = resolve_taps(frames, out, taps, n_taps);
    const FloatingPoint rounding;
    const int64_t start = position_;
    for (int64_t done = 0; done < frames;) {
        if (cancelled_.exchange(false, std::memory_order_relaxed)) throw Failure(AMP_E_PENDING, "execute", "the render was cancelled.");
        apply_due_changes();
        const uint32_t n = next_block(frames - done);
        advance_windows(n);
        const bool timed = !(config_.flags & AMP_RUN_NO_METRICS) && blocks_ % kTimeEvery == 0;
        fault_ = Fault{};
        run_block({position_, 0, n}, list, position_ - start, timed || !events_.empty());
        if (config_.flags & AMP_RUN_HEAT && fault_.frame == INT64_MAX) close_heat({position_, 0, n});
        if (fault_.frame != INT64_MAX) {
            failed_ = true;
            throw fault_.failure;
        }
        for (Port* p : windows_) p->pos += n;
        position_ += n;
        done += n;
        ++blocks_;
    }
    if (flight_) flight_->phase = AMP_PHASE_IDLE;
    return AMP_OK;
}

void Runtime::run_block(const Firing& f, const std::vector<TapCopy>& taps, int64_t delivered, bool timed) {
    if (flight_) flight_->phase = AMP_PHASE_EXECUTE;
    size_t tap = 0;
    for (uint32_t u = 0; u < work_.size(); ++u) {
        const int32_t c = plan_.nodes[u].component;
        if (c < 0) {
            const double t0 = timed ? now() : 0.0;
            fire(u, f);
            if (timed) {
                const double t1 = now();
                work_[u].seconds += t1 - t0;
                work_[u].timed_frames += f.frames;
                if (!events_.empty()) record(u, f, t0, t1);
            }
        } else if (plan_.components[static_cast<size_t>(c)].nodes.front() == u) {
            run_component(plan_.components[static_cast<size_t>(c)], f, timed);
        }
        if (config_.flags & AMP_RUN_HEAT) unit_heat(u, f);
        for (; tap < taps.size() && taps[tap].node == u; ++tap) copy_tap(taps[tap], f, delivered);
    }
}

// Own heat while the node's inputs still stand in their slices: after the node, or after the last of its component.
void Runtime::unit_heat(uint32_t u, const Firing& f) {
    const int32_t c = plan_.nodes[u].component;
    if (c < 0) add_heat(u, f);
    else if (plan_.components[static_cast<size_t>(c)].nodes.back() == u)
        for (uint32_t w : plan_.components[static_cast<size_t>(c)].nodes) add_heat(w, f);
}

// One node over a window: its parameters and gathers, itself, its token edges.
void Runtime::fire(uint32_t u, const Firing& f) {
    Work& w = work_[u];
    if (flight_) {
        flight_->node = u;
        flight_->first_frame = f.frame;
        flight_->frames = f.frames;
        flight_->sequence = flight_->sequence + 1;
    }
    test_hook(u, f);
    w.frames += f.frames;
    ++w.calls;
    if (!w.out.empty() && w.out[0].held) {
        if (w.fired_once) return;
        w.fired_once = true;
        if (const uint32_t r = w.main->fire(*w.main, {f.frame, 0, layout_ ? 1u : uint32_t{kLanes}})) note(u, *w.main, r, f);
        return;
    }
    for (Step* s : w.before)
        if (const uint32_t r = s->fire(*s, f)) note(u, *s, r, f);
    if (const uint32_t r = w.main->fire(*w.main, f)) note(u, *w.main, r, f);
    for (Step* s : w.after) s->fire(*s, f);
}

void Runtime::run_component(const Component& c, const Firing& f, bool timed) {
    const double t0 = timed ? now() : 0.0;
    if (c.sub_block < kFrameTableBelow) run_frames(c, f);
    else run_firings(c, f);
    if (!timed) return;
    const double share = (now() - t0) / static_cast<double>(c.nodes.size());   // the nodes of a loop are timed together
    for (uint32_t u : c.nodes) {
        work_[u].seconds += share;
        work_[u].timed_frames += f.frames;
    }
}

// The per-frame table: one indirect call per step and frame.
void Runtime::run_frames(const Component& c, const Firing& f) {
    frame_table_.clear();
    for (uint32_t u : c.nodes) {
        Work& w = work_[u];
        for (size_t k = 0; k < w.before.size(); ++k) {
            Step* s = w.before[k];
            if (!w.outside[k]) frame_table_.push_back(s);
            else if (const uint32_t r = s->fire(*s, f)) note(u, *s, r, f);
        }
        frame_table_.push_back(w.main);
        frame_table_.insert(frame_table_.end(), w.after.begin(), w.after.end());
        w.frames += f.frames;
        w.calls += f.frames;
    }
    const bool traced = !events_.empty();
    for (uint32_t i = 0; i < f.frames; ++i) {
        const Firing g{f.frame + i, i, 1};
        for (Step* s : frame_table_) {
            if (flight_) {
                flight_->node = s->node;
                flight_->first_frame = g.frame;
                flight_->frames = 1;
            }
            if (s == work_[s->node].main) test_hook(s->node, g);
            const double t0 = traced ? now() : 0.0;
            if (const uint32_t r = s->tick(*s, g)) note(s->node, *s, r, g);
            if (traced && s == work_[s->node].main) record(s->node, g, t0, now());
        }
    }
}

// Data-driven: every node fires as far as its inputs reach, round after round, until the block is full.
void Runtime::run_firings(const Component& c, const Firing& f) {
    auto& done = component_done_;
    for (uint32_t u : c.nodes) done[u] = 0;
    for (bool busy = true; busy;) {
        busy = false;
        for (uint32_t u : c.nodes) {
            uint64_t reach = f.frames;
            for (uint32_t k : plan_.nodes[u].in) {
                const PlanEdge& e = plan_.edges[k];
                if (plan_.nodes[e.src].component == plan_.nodes[u].component) reach = std::min(reach, done[e.src] + e.delay);
            }
            if (reach <= done[u]) continue;
            const auto n = static_cast<uint32_t>(reach - done[u]);
            const Firing g{f.frame + static_cast<int64_t>(done[u]), static_cast<uint32_t>(done[u]), n};
            const double t0 = events_.empty() ? 0.0 : now();
            fire(u, g);
            if (!events_.empty()) record(u, g, t0, now());
            done[u] = reach;
            busy = true;
        }
    }
}

void Runtime::copy_tap(const TapCopy& t, const Firing& f, int64_t delivered) const {
    const View v = view_of(work_[t.node].out[t.port], env_.width);
    const auto width = static_cast<uint32_t>(env_.width);
    for (uint32_t c = 0; c < t.buffer.channels; ++c)
        for (uint32_t b = 0; b < env_.batches; ++b) {
            const double* x = v.data + c * v.channel_stride + b / width * v.group_stride + b % width;
            double* y = t.buffer.data + b * t.buffer.batch_stride + c * t.buffer.channel_stride + delivered;
            if (v.step == 1) std::memcpy(y, x, f.frames * sizeof(double));
            else
                for (uint32_t i = 0; i < f.frames; ++i) y[i] = x[i * v.step];
        }
}

}  // namespace amp
