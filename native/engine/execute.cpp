// execute: taps, due parameter changes, time slices, faults, the heat budget.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/runtime.hpp"

namespace amp {

namespace {

constexpr int64_t kSlice = 4096;  // frames per slice, or one block if that is longer

}  // namespace

void Runtime::add_tap(uint32_t u, uint32_t port, const amp_buffer& b, int64_t frames) {
    const int32_t channels = plan_.nodes[u].out_channels[port];
    if (b.frames < frames || b.batches != common_.config.batches || b.channels != static_cast<uint32_t>(channels))
        throw Failure(AMP_E_SHAPE, "execute",
                      text("%s: buffer shape (got (%u, %u, %lld), expected (%u, %d, at least %lld)).",
                           plan_.nodes[u].name.c_str(), b.batches, b.channels, static_cast<long long>(b.frames),
                           common_.config.batches, channels, static_cast<long long>(frames)),
                      "Give one of that shape.", plan_.nodes[u].name);
    taps_.push_back({u, port, b});
}

void Runtime::resolve_taps(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n) {
    if (const size_t most = taps_.capacity() - (out != nullptr); n > most)
        throw Failure(AMP_E_INVALID_ARG, "execute",
                      text("taps: too many (got %u, allowed %zu in this graph).", n, most), "Tap each output once.");
    taps_.clear();
    const auto add = [&](const char* node, const char* port, const amp_buffer& buffer) {
        const auto [u, k] = find_output(node, port, "execute");
        add_tap(u, k, buffer, frames);
    };
    if (out) add(nullptr, nullptr, *out);
    for (uint32_t i = 0; i < n; ++i) add(taps[i].node ? taps[i].node : "", taps[i].port, taps[i].buffer);
    std::sort(taps_.begin(), taps_.end(), [](const TapCopy& a, const TapCopy& b) { return a.node < b.node; });
}

void Runtime::apply_due_changes() {
    while (!changes_.empty() && changes_.front().time <= clock_) {
        Change due = std::move(changes_.front());
        changes_.erase(changes_.begin());
        apply(due);
        moved_.at({due.node, due.param}) = std::move(due);
    }
}

// The earliest fault of all shards; among those at one time the first node in the plan's own order, then the first
// batch.
const Fault* Runtime::first_fault() const {
    const Fault* first = nullptr;
    for (const auto& s : shards_) {
        const Fault& f = s->fault();
        if (f.time == INT64_MAX) continue;
        if (!first || f.time < first->time || (f.time == first->time && f.node < first->node)) first = &f;
    }
    return first;
}

// The failure of the first window, from number `window` on and closed by all shards, in which the graph exceeds its
// heat budget.
std::optional<Failure> Runtime::over_budget(uint64_t window) const {
    const Descriptors& d = plan_.descriptors;
    if (!watches_budget() || plan_.nodes.empty()) return std::nullopt;
    uint64_t closed = UINT64_MAX;
    for (const auto& s : shards_) closed = std::min(closed, s->heat_records().windows());
    for (; window < closed; ++window) {
        double joules = 0.0, most = -1.0;
        uint32_t hottest = 0;
        for (uint32_t u : ranked_) {
            double own = 0.0;
            for (const auto& s : shards_) own += s->heat_records().at(window, HeatValue::own, u);
            joules += own;
            if (!(own <= most || std::isnan(most))) most = own, hottest = u;  // NaN counts as the hottest
        }
        const double watts = joules * d.sample_rate / AMP_HEAT_WINDOW;
        if (watts <= d.heat_budget_w) continue;  // NaN exceeds every budget
        const std::string& name = plan_.nodes[hottest].name;
        const auto frame = static_cast<int64_t>((window + 1) * AMP_HEAT_WINDOW - 1);
        Failure f(AMP_E_THERMAL, "execute",
                  text("%s: the graph is over its heat budget (got %g W, allowed %g W) at frame %lld, and this node "
                       "gives most.",
                       name.c_str(), watts, d.heat_budget_w, static_cast<long long>(frame)),
                  "Lower its level or raise the budget.", name);
        f.frame = frame;
        return f;
    }
    return std::nullopt;
}

// Makes room for the heat records of `frames` more frames, in address space that configure reserved. If they do not all
// fit it throws before any frame is run.
void Runtime::reserve_heat(int64_t frames) {
    const uint64_t used = common_.arena.used();
    const uint32_t pages = shards_.front()->heat_records().pages();
    try {
        for (auto& s : shards_)
            s->heat_records().reserve(common_.arena, static_cast<uint64_t>(frames / AMP_HEAT_WINDOW) + 1);
    } catch (const Failure&) {
        for (auto& s : shards_) s->heat_records().drop_from(pages);
        common_.arena.rewind(used);
        throw Failure(AMP_E_NOMEM, "execute",
                      text("heat: the records of %lld more frames do not fit into the memory that configure reserved "
                           "(%zu nodes, %lld frames recorded).",
                           static_cast<long long>(frames), nodes(), static_cast<long long>(position_)),
                      "Render in shorter calls, configure again to start over, or leave heat out.");
    }
}

// Throws the first fault or exceeded heat budget of the slice that was just run. A slice with a fault is not delivered.
void Runtime::stop_if_wrong(int64_t frames) {
    const Fault* fault = first_fault();
    const auto hot = over_budget(static_cast<uint64_t>(position_ / AMP_HEAT_WINDOW));
    failed_ = fault || hot;
    if (fault && (!hot || fault->time <= hot->frame + plan_.latency)) throw fault->failure;
    if (!fault) {
        clock_ += frames;
        position_ = std::max<int64_t>(0, clock_ - plan_.latency);
    }
    if (hot) throw *hot;
}

// Frames that a shard runs before the next shard's turn. If the output is written past the caches and is not aligned,
// the first slice ends at the start of a cache line, so that later blocks write whole lines. For other outputs the cut
// does not depend on the address.
int64_t Runtime::next_slice(int64_t delivered) const {
    const int64_t whole = std::max<int64_t>(1, kSlice / block_frames()) * block_frames();
    if (taps_.empty() || !is_far(taps_.front().buffer)) return whole;
    if (delivered < 0) return std::min(whole, -delivered);
    const int64_t part = values_to_line(taps_.front().buffer.data + delivered);
    return part ? part : whole;
}

// Runs all shards for one slice, in parallel where there are threads. Shards share only what `Common` records; a single
// shard divides its own nodes among the threads.
void Runtime::run_shards(int64_t frames, int64_t origin) {
    const auto run = [&](uint32_t k) { shards_[k]->run(clock_, frames, taps_, origin); };
    const auto n = static_cast<uint32_t>(shards_.size());
    common_.pool = n == 1 && goes_apart() ? pool_.get() : nullptr;
    if (n > 1 && goes_apart())
        pool_->run(run);
    else
        for (uint32_t k = 0; k < n; ++k) run(k);
}

void Runtime::execute(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps) {
    need_configured("execute");
    if (failed_)
        throw Failure(AMP_E_INVALID_ARG, "execute", "the render stopped with an error before.",
                      "Configure again first.");
    need_history("execute");
    if (frames < 0)
        throw Failure(AMP_E_INVALID_ARG, "execute",
                      text("frames: out of range (got %lld, allowed 0 and more).", static_cast<long long>(frames)),
                      "Give how many to render.");
    resolve_taps(frames, out, taps, n_taps);
    if (common_.config.flags & AMP_RUN_HEAT) reserve_heat(frames);
    const int64_t origin = position_ + plan_.latency, end = frames == 0 ? clock_ : origin + frames;
    while (clock_ < end) {
        if (cancelled_.exchange(false, std::memory_order_relaxed))
            throw Failure(AMP_E_PENDING, "execute", "the render was cancelled.", "Execute again to go on.");
        apply_due_changes();
        int64_t n = std::min(end - clock_, next_slice(clock_ - origin));
        if (!changes_.empty()) n = std::min(n, changes_.front().time - clock_);
        run_shards(n, origin);
        stop_if_wrong(n);
    }
    if (common_.flight) common_.flight->phase = AMP_PHASE_IDLE;
}

}  // namespace amp
