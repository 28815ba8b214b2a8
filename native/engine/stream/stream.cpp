// Life cycle of a stream: building it, parameters and curves.
#include "engine/stream/stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "engine/build/parameter_values.hpp"

namespace amp {

namespace {

constexpr int64_t kLimit = int64_t{1} << 20;  // default of limit_frames
constexpr size_t kActs = 1024;                // decided actions that are applied to the shards together

}  // namespace

Stream::Stream(Plan plan, const amp_stream_config& c)
    : rt_(std::move(plan)), limit_(c.limit_frames ? c.limit_frames : kLimit) {
    in_range("ring_frames", c.ring_frames, 0, kMostFrames, "configure");
    in_range("limit_frames", limit_, 1, kMostFrames, "configure");
    if (c.flags & AMP_RUN_HEAT || rt_.watches_budget())
        throw Failure(AMP_E_UNSUPPORTED, "configure", "heat: is not computed in streams.",
                      "Leave it out; give a heat budget the policy report.");
    rt_.common_.streams = true;
    rt_.common_.ring_frames = c.ring_frames;
    rt_.configure({sizeof(amp_config), c.batches, c.block_frames, c.flags, c.trace_capacity, c.batch_offset, 1});
    acts_.reserve(kActs);
    path_.reserve(plan_.nodes.size());
    for (const PlanNode& n : plan_.nodes) live_.push_back(n.type->contract->io == AMP_IO_SOURCE);
    changes_.resize(plan_.nodes.size());
    reset();
    usable_ = true;
}

// Rebuilds the shards with `change`. If memory runs out in the middle, the stream is unusable until a rebuild
// succeeds.
template <class F> void Stream::rebuild(F&& change) {
    need_usable("configure");
    usable_ = false;
    change();
    reset();
    usable_ = true;
}

void Stream::need_usable(const char* stage) const {
    if (!usable_)
        throw Failure(AMP_E_NOMEM, stage, "the stream lost its memory when it was built again.", "Create another one.");
}

// Sets up the rings as the shards were just built: nothing has fired.
void Stream::reset() {
    const size_t nodes = plan_.nodes.size();
    rings_.clear(), of_.assign(nodes, {});
    clock_.assign(nodes, 0), reach_.assign(nodes, 0), seen_.assign(nodes, 0);
    const auto& windows = Share{*rt_.shards_.front()}.rings();
    const auto add = [&](uint32_t u, uint32_t port, int32_t edge) {
        const Port& p = *windows[rings_.size()];
        of_[u].push_back(static_cast<uint32_t>(rings_.size()));
        const int64_t capacity = p.history + p.room;
        rings_.push_back({u, port, edge, {}, {}, capacity, std::max(limit_, capacity), p.pos});
    };
    for (uint32_t u = 0; u < nodes; ++u)
        for (uint32_t k = 0; k < plan_.nodes[u].out_channels.size(); ++k) add(u, k, -1);
    for (uint32_t k = 0; k < plan_.edges.size(); ++k) {
        const PlanEdge& e = plan_.edges[k];
        const bool own = has_tokens(plan_, e);
        if (own) add(e.src, e.src_port, static_cast<int32_t>(k));
        rings_[own ? rings_.size() - 1 : of_[e.src][e.src_port]].readers.emplace_back(e.dst, e.delay);
    }
    for (auto& s : rt_.shards_) Share{*s}.prepare();
    larger_.reserve(rt_.shards_.size());
    block_ = rt_.block_frames();
    for (uint32_t id = 0; id < taps_.size(); ++id)
        if (taps_[id].open) attach(id);
}

// Grows the ring of an AMP_TAP_LATEST tap so that its kept frames fit in addition to a block.
void Stream::attach(uint32_t id) {
    const Tap& t = taps_[id];
    Ring& r = rings_[t.ring];
    if (t.policy == AMP_TAP_LATEST) {
        const int64_t most = std::max(r.most_capacity, t.keep + block_);
        grow(t.ring, t.keep + block_, most);
        r.most_capacity = most;
    }
    r.taps.push_back(id);
}

// Whether a frame was fired or pushed.
bool Stream::begun() const {
    return std::any_of(clock_.begin(), clock_.end(), [](int64_t c) { return c > 0; });
}

void Stream::need_fresh(const char* stage) const {
    if (begun())
        throw Failure(AMP_E_INVALID_ARG, stage, "the stream has begun.", "Do this before the first push or pull.");
}

void Stream::set_history(History history) {
    need_fresh("history");
    need_usable("history");
    rt_.set_history(std::move(history));
}

void Stream::bind_input(const std::string& node, const amp_buffer& samples) {
    need_fresh("bind_input");
    rt_.bind_input(node, samples);
    live_[rt_.find(node, "bind_input")] = false;
}

// Before the first frame the shards are rebuilt with the values; later the changes are queued for their frame.
int64_t Stream::set_params(const std::string& node, std::span<Setting> settings, int64_t at_frame) {
    for (const Setting& x : settings) check_setting(node, x, at_frame);
    const uint32_t u = rt_.find_param(node, settings.front().key).first;
    const int64_t frame = at_frame < 0 ? clock_[u] : at_frame;
    if (!begun() && frame == 0) {
        rebuild([&] {
            for (Setting& x : settings) rt_.set_param(node, x.key, std::move(x.value), 0);
        });
        return 0;
    }
    std::vector<Change> changes;
    for (Setting& x : settings) {
        const uint32_t k = rt_.find_param(node, x.key).second;
        changes.push_back({frame, u, k, std::make_shared<const Tensor>(std::move(x.value)), false});
        rt_.announce(changes.back());
    }
    auto& list = changes_[u];
    const auto later =
        std::upper_bound(list.begin(), list.end(), frame, [](int64_t f, const Change& x) { return f < x.time; });
    list.insert(later, std::make_move_iterator(changes.begin()), std::make_move_iterator(changes.end()));
    return frame;
}

void Stream::check_setting(const std::string& node, const Setting& x, int64_t at_frame) const {
    const auto [u, k] = rt_.find_param(node, x.key);
    check_shape(plan_, u, k, x.value, rt_.common_.config.batches, "set_param");
    check_range(plan_, u, k, x.value);
    const int64_t frame = at_frame < 0 ? clock_[u] : at_frame;
    if (!begun() && frame == 0) return;  // nothing is rendered yet: the steps are built for any kind of value
    if (frame < clock_[u])
        throw Failure(AMP_E_INVALID_ARG, "set_param",
                      text("%s.%s: frame %lld has been made (the earliest is %lld).", node.c_str(), x.key.c_str(),
                           static_cast<long long>(frame), static_cast<long long>(clock_[u])),
                      "Give that frame or a later one.", node, x.key);
    for (const auto& s : rt_.shards_) s->check_fits(u, k, x.value);
}

// Refuses points that would change a frame that a node has sampled. A failed call leaves the curve unchanged.
void Stream::extend(const std::string& name, const double* times, const double* values, size_t count) {
    const auto it = rt_.common_.history.find(name);
    if (it == rt_.common_.history.end())
        throw Failure(AMP_E_INVALID_ARG, "history",
                      text("curve %s: the control history has no such curve (allowed %s).", name.c_str(),
                           listed(rt_.common_.history, [](const auto& one) { return one.first; }).c_str()),
                      "Use one of these.", "", name);
    need_usable("history");
    CurveData& c = it->second;
    int64_t sampled = 0;
    for (uint32_t u = 0; u < clock_.size(); ++u)
        if (Share{*rt_.shards_.front()}.follows(u, c)) sampled = std::max(sampled, clock_[u]);
    // time of the newest sampled frame, in s
    const double newest = static_cast<double>(sampled - 1) / plan_.descriptors.sample_rate;
    const bool bends =
        count && c.interpolation != AMP_CURVE_HOLD && c.times.back() < newest && values[0] != c.values.back();
    if (count && sampled > 0 && (times[0] <= newest || bends))
        throw Failure(AMP_E_INVALID_ARG, "history",
                      text("curve %s: a point (%g s, %g) would change what was heard (made up to %g s, the value there "
                           "is %.17g).",
                           name.c_str(), times[0], values[0], newest, c.values.back()),
                      c.interpolation == AMP_CURVE_HOLD ? "Give a later time."
                                                        : "Give a later time, and that value first.",
                      "", name);
    const size_t before = c.times.size();
    try {
        c.times.insert(c.times.end(), times, times + count);
        c.values.insert(c.values.end(), values, values + count);
        check_points(name, c, before);
    } catch (...) {
        c.times.resize(before), c.values.resize(before);
        throw;
    }
}

int64_t Stream::clock(std::string_view node) const {
    const auto u = rt_.plan_.find(node);
    return u ? clock_[*u] : -1;
}

}  // namespace amp
