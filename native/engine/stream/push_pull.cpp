// Input and output of a stream: pushed samples, taps, counters.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/stream/stream.hpp"

namespace amp {

namespace {

template <size_t N> void write(char (&to)[N], const std::string& s) {
    std::memset(to, 0, N);
    std::memcpy(to, s.data(), std::min(s.size(), N - 1));
}

}  // namespace

// The place of an input node that expects samples; throws AMP_E_INVALID_ARG for other nodes and for ended or bound
// inputs.
uint32_t Stream::input(std::string_view name, const char* stage) const {
    need_usable(stage);
    const uint32_t u = rt_.find(name, stage);
    const std::string& node = plan_.nodes[u].name;
    if (plan_.nodes[u].type->contract->io != AMP_IO_SOURCE)
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: is a %s, which takes no samples.", node.c_str(), plan_.nodes[u].type->contract->id),
                      "Push to an input node.", node);
    if (!live_[u])
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: %s, so nothing can follow.", node.c_str(),
                           rt_.common_.inputs.count(u) ? "plays the samples it was bound to" : "has ended"),
                      "Begin anew to push more.", node);
    return u;
}

// Makes room in the rings of the input first: if that fails, nothing is pushed.
void Stream::push(std::string_view name, const amp_buffer& b) {
    const uint32_t u = input(name, "push"), batches = rt_.common_.config.batches;
    const std::string& node = plan_.nodes[u].name;
    if (failure_) throw *failure_;
    const auto channels = static_cast<uint32_t>(plan_.nodes[u].channels);
    if ((b.batches != 1 && b.batches != batches) || b.channels != channels || b.frames > kMostFrames)
        throw Failure(AMP_E_SHAPE, "push",
                      text("%s: shape (got (%u, %u, %lld), expected (1 or %u, %u, at most %lld)).", node.c_str(),
                           b.batches, b.channels, static_cast<long long>(b.frames), batches, channels,
                           static_cast<long long>(kMostFrames)),
                      "Push samples of that shape.", node);
    check_finite(u, b);
    if (b.frames == 0) return;
    for (uint32_t r : of_[u]) grow(r, b.frames - free(rings_[r]) + rings_[r].capacity, rings_[r].most_capacity);
    for (uint32_t r : of_[u]) make_place(r, b.frames);
    flush();
    for (auto& s : rt_.shards_) Share{*s}.take(u, clock_[u], b);
    clock_[u] += b.frames;
}

// With AMP_RUN_STOP_NONFINITE: throws AMP_E_NONFINITE with the place of the first value that is not finite.
void Stream::check_finite(uint32_t u, const amp_buffer& b) const {
    if (!(rt_.common_.config.flags & AMP_RUN_STOP_NONFINITE)) return;
    for (uint32_t k = 0; k < b.batches; ++k)
        for (uint32_t c = 0; c < b.channels; ++c)
            for (int64_t i = 0; i < b.frames; ++i) {
                const double x = b.data[k * b.batch_stride + c * b.channel_stride + i];
                if (std::isfinite(x)) continue;
                Failure f(AMP_E_NONFINITE, "push",
                          text("%s: %s at batch %u, channel %u, frame %lld.", plan_.nodes[u].name.c_str(),
                               std::isnan(x) ? "NaN" : "Inf", k, c, static_cast<long long>(clock_[u] + i)),
                          "Push finite samples, or stream with nonfinite=\"allow\".", plan_.nodes[u].name);
                f.batch = k, f.channel = c, f.frame = clock_[u] + i;
                throw f;
            }
}

void Stream::end(std::string_view node) { live_[input(node, "end")] = false; }

// Uses the number of the first closed tap, or a new one.
uint32_t Stream::open_tap(const char* node, const char* port, uint32_t policy, int64_t keep) {
    if (policy > AMP_TAP_LATEST)
        throw Failure(AMP_E_INVALID_ARG, "open_tap",
                      text("policy: unknown (got %u, allowed 0 for lossless, 1 for latest).", policy),
                      "Use one of these.");
    if (policy == AMP_TAP_LATEST) in_range("keep_frames", keep, 1, limit_, "open_tap");
    need_usable("open_tap");
    const auto [u, k] = rt_.find_output(node, port, "open_tap");
    uint32_t id = 0;
    while (id < taps_.size() && taps_[id].open) ++id;
    if (id == taps_.size()) taps_.emplace_back();
    taps_[id] = {of_[u][k], policy, keep, made(u), 0, 0, false};
    attach(id);
    taps_[id].open = true;
    return id;
}

void Stream::close_tap(uint32_t id) {
    Tap& t = tap(id, "close_tap");
    std::erase(rings_[t.ring].taps, id);
    t.open = false;
}

// The open tap of a number; throws AMP_E_INVALID_ARG with this stage if there is none.
Tap& Stream::tap(uint32_t id, const char* stage) {
    need_usable(stage);
    if (id >= taps_.size() || !taps_[id].open)
        throw Failure(AMP_E_INVALID_ARG, stage, text("tap %u: is not open.", id), "Open it first.");
    return taps_[id];
}

// Frames available to a tap; after the stream has stopped, only those before the fault.
int64_t Stream::ready(const Tap& t) const {
    const uint32_t u = rings_[t.ring].node;
    const int64_t sound = failure_ ? fault_time_ - plan_.nodes[u].arrival - plan_.nodes[u].latency : INT64_MAX;
    return std::max<int64_t>(0, std::min(made(u), sound) - t.position);
}

// Moves a tap forward; the frames it does not read count as skipped.
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
                           channels),
                      "Give one of that shape.");
    if (t.policy == AMP_TAP_LATEST) {
        skip_to(t, made(r.node) - std::min(t.keep, out.frames));
        flags |= AMP_PULL_READY;
    }
    ++t.underruns;  // also counted if produce() throws; taken back when all frames were delivered
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
        throw Failure(AMP_E_INVALID_ARG, "advance", "a latest tap waits for nothing.", "Advance a lossless one.");
    in_range("ahead", ahead, 0, kMostFrames, "advance");
    in_range("most", most, 0, kMostFrames, "advance");
    const int64_t end = t.position + std::min(ahead, ready(t) + most);
    while (t.position + ready(t) < end) produce(t, std::min(end, t.position + ready(t) + block_));
    return ready(t);
}

void Stream::describe_ring(size_t i, amp_stream_ring& out) const {
    if (i >= rings_.size())
        throw Failure(AMP_E_INVALID_ARG, "ring", text("ring %zu: out of range (there are %zu).", i, rings_.size()),
                      "Count from 0.");
    const Ring& r = rings_[i];
    const PlanNode& n = plan_.nodes[r.node];
    out.grown = r.grown;
    write(out.node, n.name);
    write(out.port, n.type->contract->outputs[r.port].key);
    write(out.reader, r.edge < 0 ? "" : plan_.nodes[r.readers.front().first].name);
    out.capacity = r.capacity;
    out.limit = r.most_capacity;
    out.fill = head(r) - oldest(r, true);
    out.most = r.most;
}

void Stream::describe_tap(uint32_t id, amp_stream_tap& out) const {
    const Tap& t = tap(id, "tap");
    const Ring& r = rings_[t.ring];
    const int64_t first = t.policy == AMP_TAP_LATEST ? std::max(t.position, made(r.node) - t.keep) : t.position;
    write(out.node, plan_.nodes[r.node].name);
    write(out.port, plan_.nodes[r.node].type->contract->outputs[r.port].key);
    out.policy = t.policy;
    out.position = first;
    out.ready = ready(t) - (first - t.position);
    out.skipped = t.skipped + (first - t.position);
    out.underruns = t.underruns;
}

}  // namespace amp
