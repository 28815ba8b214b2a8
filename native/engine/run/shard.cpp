// Execution of a shard: blocks, nodes, taps.
#include <algorithm>
#include <cstring>

#include "core/log.hpp"
#include "engine/run/shard.hpp"

namespace amp {

namespace {

// Reading the clock costs as much as firing a small node, so only some blocks are timed: every 64th, and before that
// the powers of two. The times measured so far are discarded at blocks 1, 8 and 64, because the first blocks run with
// cold memory, caches and branch prediction.
constexpr uint64_t kTimeEvery = 64;
bool timed_block(uint64_t n) { return n % kTimeEvery == 0 || (n < kTimeEvery && (n & (n - 1)) == 0); }
bool counts_anew(uint64_t n) { return n == 1 || n == 8 || n == kTimeEvery; }

}  // namespace

int64_t Shard::frames_of(uint32_t u) const {
    return work_[u].frames + (plan_.nodes[u].component < 0 ? unwatched_frames_ : 0);
}
int64_t Shard::calls_of(uint32_t u) const {
    return work_[u].calls + (plan_.nodes[u].component < 0 ? unwatched_calls_ : 0);
}

// A window keeps its history directly before the block. When the block would pass the end of the memory, the history is
// moved to the start.
void Shard::advance_windows(uint32_t frames) {
    for (Port* p : windows_) {
        if (p->pos + frames <= p->capacity) continue;
        const size_t bytes = static_cast<size_t>(p->history * p->width) * sizeof(double);
        for (int64_t k = 0; k < int64_t{p->channels} * p->groups; ++k)
            std::memmove(p->data + k * p->row, p->data + k * p->row + (p->pos - p->history) * p->width, bytes);
        p->pos = p->history;
    }
    for (const Patch& q : patches_) q.view->data = q.port->data + q.row + (q.port->pos - q.delay) * q.port->width;
    for (uint32_t u : moving_) bind_rows(u);
}

void Shard::run(int64_t clock, int64_t frames, const std::vector<TapCopy>& all, int64_t origin) {
    static const std::vector<TapCopy> none;
    for (const int64_t end = clock + frames; clock < end && fault_.time == INT64_MAX;) {
        const bool delivers = clock >= plan_.latency;  // from here on every node has started and its first token is out
        const int64_t stop = delivers ? end : std::min(end, *std::upper_bound(cuts_.begin(), cuts_.end(), clock));
        const auto n = static_cast<uint32_t>(std::min<int64_t>(stop - clock, block_));
        const Firing f{clock, 0, n};
        const std::vector<TapCopy>& taps = delivers ? all : none;
        advance_windows(n);
        if (common_.config.flags & AMP_RUN_HEAT) advance_heat(n);
        if (counts_anew(blocks_))
            for (Work& w : work_) w.ticks = 0, w.timed_frames = 0;
        const bool sampled = !(common_.config.flags & AMP_RUN_NO_METRICS) && timed_block(blocks_);
        const bool traced = !common_.events.empty();
        ++blocks_;
        if (kDiagnostic || sampled || !delivers || common_.flight || common_.config.flags & AMP_RUN_HEAT ||
            (traced && block_ == 1))
            run_block(f, taps, origin, sampled || traced);
        else if (traced)
            plan_.latency == 0 ? run_flat<false, true>(f, taps, origin) : run_flat<true, true>(f, taps, origin);
        else
            plan_.latency == 0 ? run_flat<false, false>(f, taps, origin) : run_flat<true, false>(f, taps, origin);
        if (common_.config.flags & AMP_RUN_HEAT) transport_heat(f);
        for (Port* p : windows_) p->pos += n;
        clock += n;
    }
    table_->publish();
}

void Shard::run_block(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin, bool timed) {
    if (common_.flight) common_.flight->phase = AMP_PHASE_EXECUTE;
    size_t tap = 0;
    int64_t last = timed ? common_.now() : 0;
    for (uint32_t u = 0; u < work_.size(); ++u) {
        const int32_t c = plan_.nodes[u].component;
        if (c < 0) {
            if (is_leader(u)) fire(u, f);
            if (timed && is_leader(u)) {
                const int64_t t = common_.now();
                share_time(u, f, static_cast<double>(t - last));
                if (!common_.events.empty() && started(u, f)) record(u, f, last, t);
                last = t;
            }
        } else if (plan_.components[static_cast<size_t>(c)].nodes.front() == u) {
            run_component(plan_.components[static_cast<size_t>(c)], f, timed);
        }
        const bool taken = tap < taps.size() && taps[tap].node == u;
        for (; tap < taps.size() && taps[tap].node == u; ++tap) copy_tap(taps[tap], f, origin);
        if (common_.config.flags & AMP_RUN_HEAT) unit_heat(u, f);
        if (timed && (c >= 0 || taken || common_.config.flags & AMP_RUN_HEAT))
            last = common_.now();  // the time of heat and taps is not counted as any node's
    }
}

// Computes a node's own heat while its inputs are still in their slices: after the node, or for all nodes of a
// component after its last.
void Shard::unit_heat(uint32_t u, const Firing& f) {
    const int32_t c = plan_.nodes[u].component;
    if (c < 0)
        add_heat(u, f);
    else if (plan_.components[static_cast<size_t>(c)].nodes.back() == u)
        for (uint32_t w : plan_.components[static_cast<size_t>(c)].nodes) add_heat(w, f);
}

// Fires one node over a window of frames: its parameter and gather steps, its kernel, its token edges; before its first
// token the steps that write initial tokens.
void Shard::fire(uint32_t u, const Firing& f) {
    Work& w = work_[u];
    const bool before_first = is_before_first(u, f);
    if (started(u, f)) {
        const Firing own = logical(*w.main, f);
        if (common_.flight) {
            common_.flight->node = plan_.nodes[u].rank;
            common_.flight->first_frame = own.frame;
            common_.flight->frames = f.frames;
            common_.flight->sequence = common_.flight->sequence + 1;
        }
        AMP_LOG("fire %s frames %lld to %lld", plan_.nodes[u].name.c_str(), static_cast<long long>(own.frame),
                static_cast<long long>(own.frame + f.frames - 1));
        for (uint32_t v = u; v < u + fired_with(u); ++v) test_hook(v, own);
        count(u, f.frames, 1, before_first);
        if (w.is_constant()) {
            if (!w.fired_once) fire_constant(u, f);
            return;
        }
        for (Step* s : w.before)
            if (const uint32_t r = s->fire(*s, own)) note(u, *s, r, f);
        if (const uint32_t r = w.main->fire(*w.main, own)) note(u, *w.main, r, f);
    }
    for (Step* s : before_first ? w.before_first : w.after) s->fire(*s, logical(*s, f));
}

// Frames, calls and measured lag of a firing count for every member of the cohort; its time is divided equally.
void Shard::count(uint32_t u, uint32_t frames, uint32_t calls, bool before_first) {
    for (uint32_t v = u; v < u + fired_with(u); ++v) {
        work_[v].frames += frames;
        work_[v].calls += calls;
        if (before_first) work_[v].measured_lag += frames;
    }
}
void Shard::share_time(uint32_t u, const Firing& f, double ticks) {
    for (uint32_t v = u, n = fired_with(u); v < u + n; ++v) {
        work_[v].ticks += ticks / n;
        work_[v].timed_frames += f.frames;
    }
}
void Shard::record(uint32_t u, const Firing& f, int64_t start, int64_t stop) {
    for (uint32_t v = u; v < u + fired_with(u); ++v) common_.record(v, f, start, stop);
}

// Writes a constant output (one pack per row) once, and again after one of its parameters changed.
void Shard::fire_constant(uint32_t u, const Firing& f) {
    Work& w = work_[u];
    w.fired_once = true;
    if (const uint32_t r = w.main->fire(*w.main, {f.frame, 0, layout(u) ? 1u : uint32_t{kLanes}}))
        note(u, *w.main, r, f);
}

void Shard::copy_tap(const TapCopy& t, const Firing& f, int64_t origin) const {
    View v = view_of(work_[leader(t.node)].out[t.port], plan_.lead(t.node));
    v.data += f.offset * v.step;
    if (!lane_group(t.node)) return copy_out(v, f.frames, t.buffer, f.frame - origin);
    for (uint32_t b = 0; b < env_.batches; ++b)
        for (uint32_t c = 0; c < t.buffer.channels; ++c) {
            const uint32_t lane = first_lane(t.node) + b;
            const double* x = v.data + c * v.channel_stride + lane / kLanes * v.group_stride + lane % kLanes;
            double* y = t.buffer.data + (first_batch_ + b) * t.buffer.batch_stride + c * t.buffer.channel_stride;
            table_->scatter(x, v.step, f.frames, 1, y + (f.frame - origin), 0, is_far(t.buffer));
        }
}

// Copies the batches of this shard to frame `at` of a buffer that has all batches.
void Shard::copy_out(const View& v, uint32_t frames, const amp_buffer& b, int64_t at) const {
    double* const to = b.data + first_batch_ * b.batch_stride + at;
    for (uint32_t c = 0; c < b.channels; ++c)
        for (int32_t g = 0; g < env_.groups; ++g) {
            const uint32_t first = static_cast<uint32_t>(g * env_.width),
                           lanes = std::min(env_.batches - first, static_cast<uint32_t>(env_.width));
            const double* x = v.data + c * v.channel_stride + g * v.group_stride;
            double* y = to + first * b.batch_stride + c * b.channel_stride;
            table_->scatter(x, v.step, frames, lanes, y, b.batch_stride, is_far(b));
        }
}

}  // namespace amp
