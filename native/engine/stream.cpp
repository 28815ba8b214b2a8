// The life of a stream: what comes in, what goes out.
#include "engine/stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/values.hpp"

namespace amp {

namespace {

constexpr int64_t kLimit = int64_t{1} << 20, kMostFrames = int64_t{1} << 30;
constexpr size_t kActs = 1024;

int64_t in_range(const char* what, int64_t value, int64_t low, int64_t high, const char* stage) {
    if (value < low || value > high)
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: out of range (got %lld, allowed %lld to %lld).", what, static_cast<long long>(value),
                           static_cast<long long>(low), static_cast<long long>(high)));
    return value;
}

template <size_t N> void write(char (&to)[N], const std::string& s) {
    std::memset(to, 0, N);
    std::memcpy(to, s.data(), std::min(s.size(), N - 1));
}

}  // namespace

Stream::Stream(Plan plan, const amp_stream_config& c)
    : rt_(std::move(plan)), limit_(c.limit_frames ? c.limit_frames : kLimit) {
    in_range("ring_frames", c.ring_frames, 0, kMostFrames, "configure");
    in_range("limit_frames", limit_, 1, kMostFrames, "configure");
    if (c.flags & AMP_RUN_HEAT || rt_.watches_budget())
        throw Failure(AMP_E_UNSUPPORTED, "configure",
                      "heat is not computed in streams. Drop AMP_RUN_HEAT; give a heat budget the policy report.");
    rt_.common_.streams = true;
    rt_.common_.ring_frames = c.ring_frames;
    rt_.configure({sizeof(amp_config), c.batches, c.block_frames, c.flags, c.trace_capacity, c.batch_offset});
    acts_.reserve(kActs);
    path_.reserve(plan_.nodes.size());
    for (const PlanNode& n : plan_.nodes) live_.push_back(takes_samples(*n.type->contract));
    changes_.resize(plan_.nodes.size());
    reset();
    usable_ = true;
}

// What builds the shards anew; if memory runs out in the middle nothing can be done with them.
template <class F> void Stream::rebuild(F&& change) {
    need_usable("configure");
    usable_ = false;
    change();
    reset();
    usable_ = true;
}

void Stream::need_usable(const char* stage) const {
    if (!usable_)
        throw Failure(AMP_E_NOMEM, stage, "the stream lost its memory when it was built again. Create another one.");
}

// The rings as the shards have just been built with: nothing was fired.
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
    block_ = rt_.block_frames();
    for (uint32_t id = 0; id < taps_.size(); ++id)
        if (taps_[id].open) attach(id);
}

// A tap that waits for the latest frames needs room for them beside a block.
void Stream::attach(uint32_t id) {
    const Tap& t = taps_[id];
    rings_[t.ring].taps.push_back(id);
    if (t.policy == AMP_TAP_LATEST) {
        Ring& r = rings_[t.ring];
        r.most_capacity = std::max(r.most_capacity, t.keep + block_);
        grow(t.ring, t.keep + block_);
    }
}

bool Stream::begun() const {
    return std::any_of(clock_.begin(), clock_.end(), [](int64_t c) { return c > 0; });
}

void Stream::need_fresh(const char* stage) const {
    if (begun())
        throw Failure(AMP_E_INVALID_ARG, stage, "the stream has begun. Do this before the first push or pull.");
}

void Stream::set_history(History history) {
    need_fresh("history");
    rt_.check_history(history);
    rebuild([&] { rt_.set_history(std::move(history)); });
}

void Stream::bind_input(const std::string& node, const amp_buffer& samples) {
    need_fresh("bind_input");
    rt_.bind_input(node, samples);
    live_[rt_.find(node, "bind_input")] = false;
}

int64_t Stream::set_param(const std::string& node, const std::string& key, Tensor value, int64_t at_frame) {
    const auto [u, k] = rt_.find_param(node, key);
    const int64_t frame = at_frame < 0 ? clock_[u] : at_frame;
    check_shape(plan_, u, k, value, rt_.common_.config.batches, "set_param");
    check_range(plan_, u, k, value);
    if (!begun() && frame == 0) {  // any kind of value fits
        rebuild([&] { rt_.set_param(node, key, std::move(value), 0); });
        return 0;
    }
    if (frame < clock_[u])
        throw Failure(AMP_E_INVALID_ARG, "set_param",
                      text("%s.%s: frame %lld has been made (the earliest is %lld).", node.c_str(), key.c_str(),
                           static_cast<long long>(frame), static_cast<long long>(clock_[u])),
                      node, key);
    for (const auto& s : rt_.shards_) s->check_fits(u, k, value);
    auto& list = changes_[u];
    const auto later =
        std::upper_bound(list.begin(), list.end(), frame, [](int64_t f, const Change& x) { return f < x.time; });
    list.insert(later, {frame, u, k, std::move(value), false});
    return frame;
}

void Stream::extend(const std::string& name, const double* times, const double* values, size_t count) {
    const auto it = rt_.common_.history.find(name);
    if (it == rt_.common_.history.end())
        throw Failure(AMP_E_INVALID_ARG, "history",
                      text("curve %s: the control history has no such curve.", name.c_str()));
    need_usable("history");
    CurveData& c = it->second;
    int64_t sampled = 0;
    for (uint32_t u = 0; u < clock_.size(); ++u)
        if (Share{*rt_.shards_.front()}.follows(u, c)) sampled = std::max(sampled, clock_[u]);
    const double newest = static_cast<double>(sampled - 1) / plan_.descriptors.sample_rate;  // its time
    const bool bends =
        count && c.interpolation != AMP_CURVE_HOLD && c.times.back() < newest && values[0] != c.values.back();
    if (count && sampled > 0 && (times[0] <= newest || bends))
        throw Failure(AMP_E_INVALID_ARG, "history",
                      text("curve %s: a point (%g s, %g) would change what was heard (made up to %g s, the value there "
                           "is %.17g). Give a later time%s.",
                           name.c_str(), times[0], values[0], newest, c.values.back(),
                           c.interpolation == AMP_CURVE_HOLD ? "" : ", and that value first"),
                      "", name);
    const size_t before = c.times.size();
    c.times.insert(c.times.end(), times, times + count);
    c.values.insert(c.values.end(), values, values + count);
    try {
        check_points(name, c, before);
    } catch (...) {
        c.times.resize(before), c.values.resize(before);
        throw;
    }
}

uint32_t Stream::input(const std::string& node, const char* stage) const {
    need_usable(stage);
    const uint32_t u = rt_.find(node, stage);
    if (!takes_samples(*plan_.nodes[u].type->contract))
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: is a %s, which takes no samples. Push to an input node.", node.c_str(),
                           plan_.nodes[u].type->contract->id),
                      node);
    if (!live_[u])
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: %s, so nothing can follow.", node.c_str(),
                           rt_.common_.inputs.count(u) ? "plays the samples it was bound to" : "has ended"),
                      node);
    return u;
}

void Stream::push(const std::string& node, const amp_buffer& b) {
    const uint32_t u = input(node, "push"), batches = rt_.common_.config.batches;
    if (failure_) throw *failure_;
    const auto channels = static_cast<uint32_t>(plan_.nodes[u].channels);
    if ((b.batches != 1 && b.batches != batches) || b.channels != channels || b.frames > kMostFrames)
        throw Failure(AMP_E_SHAPE, "push",
                      text("%s: shape (got (%u, %u, %lld), expected (1 or %u, %u, at most %lld)).", node.c_str(),
                           b.batches, b.channels, static_cast<long long>(b.frames), batches, channels,
                           static_cast<long long>(kMostFrames)),
                      node);
    check_finite(u, b);
    if (b.frames == 0) return;
    for (uint32_t r : of_[u]) grow(r, b.frames - free(rings_[r]) + rings_[r].capacity);
    for (uint32_t r : of_[u]) make_place(r, b.frames);
    flush();
    for (auto& s : rt_.shards_) Share{*s}.take(u, clock_[u], b);
    clock_[u] += b.frames;
}

void Stream::check_finite(uint32_t u, const amp_buffer& b) const {
    if (!(rt_.common_.config.flags & AMP_RUN_STOP_NONFINITE)) return;
    for (uint32_t k = 0; k < b.batches; ++k)
        for (uint32_t c = 0; c < b.channels; ++c)
            for (int64_t i = 0; i < b.frames; ++i) {
                const double x = b.data[k * b.batch_stride + c * b.channel_stride + i];
                if (std::isfinite(x)) continue;
                Failure f(AMP_E_NONFINITE, "push",
                          text("%s: %s at batch %u, channel %u, frame %lld. Push finite samples, or stream with "
                               "nonfinite=\"allow\".",
                               plan_.nodes[u].descriptor->name.c_str(), std::isnan(x) ? "NaN" : "Inf", k, c,
                               static_cast<long long>(clock_[u] + i)),
                          plan_.nodes[u].descriptor->name);
                f.batch = k, f.channel = c, f.frame = clock_[u] + i;
                throw f;
            }
}

void Stream::end(const std::string& node) { live_[input(node, "end")] = false; }

uint32_t Stream::open_tap(const char* node, const char* port, uint32_t policy, int64_t keep) {
    if (policy > AMP_TAP_LATEST)
        throw Failure(AMP_E_INVALID_ARG, "open_tap", text("policy: out of range (got %u, allowed 0 or 1).", policy));
    if (policy == AMP_TAP_LATEST) in_range("keep_frames", keep, 1, limit_, "open_tap");
    need_usable("open_tap");
    const auto [u, k] = rt_.find_output(node, port, "open_tap");
    uint32_t id = 0;
    while (id < taps_.size() && taps_[id].open) ++id;
    if (id == taps_.size()) taps_.emplace_back();
    auto& others = rings_[of_[u][k]].taps;
    others.reserve(others.size() + 1);
    taps_[id] = {of_[u][k], policy, keep, made(u), 0, 0, true};
    attach(id);
    return id;
}

void Stream::close_tap(uint32_t id) {
    Tap& t = tap(id, "close_tap");
    std::erase(rings_[t.ring].taps, id);
    t.open = false;
}

Tap& Stream::tap(uint32_t id, const char* stage) {
    need_usable(stage);
    if (id >= taps_.size() || !taps_[id].open)
        throw Failure(AMP_E_INVALID_ARG, stage, text("tap %u: is not open.", id));
    return taps_[id];
}

int64_t Stream::clock(std::string_view node) const {
    const auto it = rt_.common_.places.find(node);
    return it == rt_.common_.places.end() ? -1 : clock_[it->second];
}

// Frames that wait for a tap; once the stream has stopped, only those older than the fault.
int64_t Stream::ready(const Tap& t) const {
    const uint32_t u = rings_[t.ring].node;
    const int64_t sound = failure_ ? fault_time_ - plan_.nodes[u].arrival - plan_.nodes[u].latency : INT64_MAX;
    return std::max<int64_t>(0, std::min(made(u), sound) - t.position);
}

void Stream::skip_to(Tap& t, int64_t position) {
    if (position <= t.position) return;
    t.skipped += position - t.position;
    t.position = position;
}

void Stream::pull(uint32_t id, const amp_buffer& out, uint32_t flags, int64_t& got) {
    got = 0;
    Tap& t = tap(id, "pull");
    const Ring& r = rings_[t.ring];
    const auto channels = static_cast<uint32_t>(plan_.nodes[r.node].out_channels[r.port]);
    if (out.batches != rt_.common_.config.batches || out.channels != channels)
        throw Failure(AMP_E_SHAPE, "pull",
                      text("%s: buffer shape (got (%u, %u, %lld), expected (%u, %u, any)).", name(r).c_str(),
                           out.batches, out.channels, static_cast<long long>(out.frames), rt_.common_.config.batches,
                           channels));
    if (t.policy == AMP_TAP_LATEST) {
        skip_to(t, made(r.node) - std::min(t.keep, out.frames));
        flags |= AMP_PULL_READY;
    }
    ++t.underruns;
    while (got < out.frames) {
        if (ready(t) == 0 && !(flags & AMP_PULL_READY)) produce(t, t.position + std::min(block_, out.frames - got));
        const int64_t n = std::min({ready(t), out.frames - got, kMostFrames});
        if (n == 0) return;
        for (auto& s : rt_.shards_) Share{*s}.give(t.ring, t.position, static_cast<uint32_t>(n), out, got);
        t.position += n;
        got += n;
    }
    --t.underruns;
}

int64_t Stream::advance(uint32_t id, int64_t ahead, int64_t most) {
    const Tap& t = tap(id, "advance");
    if (t.policy != AMP_TAP_LOSSLESS)
        throw Failure(AMP_E_INVALID_ARG, "advance", "a latest tap waits for nothing. Advance a lossless one.");
    in_range("ahead", ahead, 0, kMostFrames, "advance");
    in_range("most", most, 0, kMostFrames, "advance");
    const int64_t end = t.position + std::min(ahead, ready(t) + most);
    while (t.position + ready(t) < end) produce(t, std::min(end, t.position + ready(t) + block_));
    return ready(t);
}

void Stream::describe_ring(size_t i, amp_stream_ring& out) const {
    if (i >= rings_.size())
        throw Failure(AMP_E_INVALID_ARG, "ring", text("ring %zu: out of range (there are %zu).", i, rings_.size()));
    const Ring& r = rings_[i];
    const PlanNode& n = plan_.nodes[r.node];
    out.grown = r.grown;
    write(out.node, n.descriptor->name);
    write(out.port, n.type->contract->outputs[r.port].key);
    write(out.reader, r.edge < 0 ? "" : plan_.nodes[r.readers.front().first].descriptor->name);
    out.capacity = r.capacity;
    out.limit = r.most_capacity;
    out.fill = head(r) - oldest(r, true);
    out.most = r.most;
}

void Stream::describe_tap(uint32_t id, amp_stream_tap& out) const {
    const Tap& t = tap(id, "tap");
    const Ring& r = rings_[t.ring];
    const int64_t first = t.policy == AMP_TAP_LATEST ? std::max(t.position, made(r.node) - t.keep) : t.position;
    write(out.node, plan_.nodes[r.node].descriptor->name);
    write(out.port, plan_.nodes[r.node].type->contract->outputs[r.port].key);
    out.policy = t.policy;
    out.position = first;
    out.ready = ready(t) - (first - t.position);
    out.skipped = t.skipped + (first - t.position);
    out.underruns = t.underruns;
}

}  // namespace amp
