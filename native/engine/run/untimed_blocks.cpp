// Blocks that are not timed: the steps of all nodes outside feedback components form one list, which a block runs from
// start to end.
#include <algorithm>

#include "engine/run/shard.hpp"

namespace amp {

namespace {

// steps run as one series: from the first number on it is faster; up to the second their data fits in L1
constexpr uint32_t kFewestInSeries = 4, kMostInSeries = 128;

}  // namespace

void Shard::list_ops() {
    first_op_.reserve(work_.size() + 1);
    ops_.reserve(2 * work_.size());
    for (uint32_t u = 0; u < work_.size(); ++u) {
        const Work& w = work_[u];
        first_op_.push_back(static_cast<uint32_t>(ops_.size()));
        if (plan_.nodes[u].component >= 0 || !is_leader(u)) continue;
        const auto add = [&](Step* s) {
            if (s->kind != StepKind::node || !s->of_node.idle) ops_.push_back({s->fire, s, 1});
        };
        if (w.is_constant()) {
            constants_.push_back(u);
        } else {
            for (Step* s : w.before) add(s);
            add(w.main);
            for (Step* s : w.after) add(s);
        }
        if (!common_.events.empty()) spans_.push_back({static_cast<uint32_t>(ops_.size()), u, fired_with(u)});
    }
    first_op_.push_back(static_cast<uint32_t>(ops_.size()));
    for (size_t i = ops_.size(); i-- > 1;)
        if (continues(*ops_[i - 1].step, *ops_[i].step)) ops_[i - 1].series = ops_[i].series + 1;
    spans_.push_back({0, UINT32_MAX, 0});
    if (block_ > 1) return;
    for (const Op& op : ops_) tick_ops_.push_back({op.step->tick, op.step});
    hand_on(tick_ops_);
}

// Whether `to` applies the same node type, with constant parameters, to what `from` has just written, so that both can
// run as a series.
bool Shard::continues(const Step& from, const Step& to) const {
    if (from.kind != StepKind::node || to.kind != StepKind::node || from.varying || to.varying) return false;
    const NodeType& type = *plan_.nodes[to.place].type;
    if (plan_.nodes[from.place].type != &type || layout(from.place) != layout(to.place)) return false;
    if (!type.ops[layout(to.place)].series) return false;
    const View &a = from.out[0], &b = to.in[0], &c = to.out[0];
    return from.in[0].step == 1 && b.step == 1 && a.data == b.data && b.data == c.data &&
           a.channel_stride == b.channel_stride && a.group_stride == b.group_stride && from.channels == to.channels &&
           to.channels * to.env->groups <= kMostRowsInSeries;
}

template <bool kLate> inline void Shard::run_op(const Op& op, const Firing& f) {
    Step& s = *op.step;
    uint32_t r;
    if constexpr (kLate)
        r = op.fire(s, logical(s, f));
    else
        r = op.fire(s, f);  // used in place: loading a copy would wait for stores of the block before
    if (r) note(s.place, s, r, f);
}

// Runs `n` steps in series. From the first frame with a value that is not finite on, the steps run one by one, so that
// the fault is found at its node.
template <bool kLate> void Shard::run_series(const Op* ops, uint32_t n, const Firing& f) {
    const uint32_t u = ops->step->place, done = plan_.nodes[u].type->ops[layout(u)].series(ops, n, f);
    if (done == f.frames) return;
    const Firing rest{f.frame + done, f.offset + done, f.frames - done};
    for (uint32_t k = 0; k < n; ++k) run_op<kLate>(ops[k], rest);
}

// Tracing: runs the steps of each span and records their times. The clock is read once between two nodes, and not at
// all for nodes without steps.
template <bool kLate> const Span* Shard::run_spans(const Span* span, uint32_t first, uint32_t stop, const Firing& f) {
    int64_t start = common_.now();
    for (uint32_t i = first_op_[first]; span->first < stop; ++span) {
        const bool works = i < span->end;
        for (; i < span->end; ++i) run_op<kLate>(ops_[i], f);
        const int64_t t = works ? common_.now() : start;
        for (uint32_t k = 0; k < span->count; ++k) common_.record(span->first + k, f, start, t);
        start = t;
    }
    return span;
}

// Runs ops [first, end) without reading the clock.
template <bool kLate> void Shard::run_ops(uint32_t first, uint32_t end, const Firing& f) {
    while (first != end) {
        const uint32_t n = std::min({ops_[first].series, end - first, kMostInSeries});
        if (n < kFewestInSeries)
            run_op<kLate>(ops_[first++], f);
        else
            run_series<kLate>(&ops_[first], n, f), first += n;
    }
}
template void Shard::run_ops<true>(uint32_t, uint32_t, const Firing&);

// Runs ops [first, end), up to the next tap (NULL: none). If the last op writes the tapped output in lanes, its block
// is computed in pieces, and each piece is copied to the tap while it is in the cache. Returns whether the tap has been
// written.
template <bool kLate>
bool Shard::run_to_tap(uint32_t first, uint32_t end, const Firing& f, const TapCopy* tap, int64_t origin) {
    constexpr uint32_t kPiece = 64;  // frames; a larger piece fills the store buffer, and the next loads wait for it
    const bool goes_out = tap && first != end && writes_out(*ops_[end - 1].step, *tap);
    run_ops<kLate>(first, end - goes_out, f);
    for (uint32_t i = 0; goes_out && i < f.frames; i += kPiece) {
        const Firing piece{f.frame + i, f.offset + i, std::min(kPiece, f.frames - i)};
        run_op<kLate>(ops_[end - 1], piece);
        copy_tap(*tap, piece, origin);
    }
    return goes_out;
}

// Whether the step writes, in lanes, the output that the tap reads. (Where batches are lanes there are no lane groups.)
bool Shard::writes_out(const Step& s, const TapCopy& tap) const {
    if (env_.width != kLanes || plan_.lead(tap.node) != 0) return false;
    const Port& p = work_[tap.node].out[tap.port];
    return !p.is_constant() && s.kind == StepKind::node && s.out[0].data == view_of(p).data;
}

// Runs a block, from one component or tap to the next.
template <bool kLate, bool kTraced>
void Shard::run_flat(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin) {
    unwatched_frames_ += f.frames;
    ++unwatched_calls_;
    for (uint32_t u : constants_)
        if (!work_[u].fired_once) fire_constant(u, f);
    if (goes_apart(f)) return run_apart(f, taps, origin);
    const auto end = static_cast<uint32_t>(work_.size());
    auto component = plan_.components.begin();
    auto tap = taps.begin();
    [[maybe_unused]] const Span* span = spans_.data();
    Carried now = tick_ops_.empty() ? Carried{} : first_carried(*tick_ops_.front().step);
    for (uint32_t u = 0; u < end;) {
        uint32_t stop = end;
        if (component != plan_.components.end()) stop = std::min(stop, component->nodes.front());
        if (tap != taps.end()) stop = std::min(stop, tap->node + 1);
        if constexpr (kTraced)
            span = run_spans<kLate>(span, u, stop, f);
        else if (block_ == 1)
            now = tick_once(tick_ops_.data() + first_op_[u], tick_ops_.data() + first_op_[stop], f, now);
        else
            tap += run_to_tap<kLate>(first_op_[u], first_op_[stop], f,
                                     tap != taps.end() && tap->node < stop ? &*tap : nullptr, origin);
        u = stop;
        const auto copy_taps = [&] {  // copied before a later step reuses the slice
            for (; tap != taps.end() && tap->node < u; ++tap) copy_tap(*tap, f, origin);
        };
        copy_taps();
        if (component == plan_.components.end() || u != component->nodes.front()) continue;
        run_component(*component, f, false);
        u = component->nodes.back() + 1;
        ++component;
        copy_taps();
    }
}

// Runs the list for one frame: in blocks of one frame ticks cost less than firings.
Carried Shard::tick_once(const Tick* first, const Tick* end, const Firing& f, Carried now) {
    for (; first != end; ++first) {
        now = first->run(*first->step, 0, f.frame, now);
        const Carried zeros = now - now;
        // noted before a later step reuses the slice
        if (__builtin_expect(zeros[0] + zeros[1] != 0.0, 0)) note_tick(*first->step, f);
    }
    return now;
}

template void Shard::run_flat<false, false>(const Firing&, const std::vector<TapCopy>&, int64_t);
template void Shard::run_flat<false, true>(const Firing&, const std::vector<TapCopy>&, int64_t);
template void Shard::run_flat<true, false>(const Firing&, const std::vector<TapCopy>&, int64_t);
template void Shard::run_flat<true, true>(const Firing&, const std::vector<TapCopy>&, int64_t);

}  // namespace amp
