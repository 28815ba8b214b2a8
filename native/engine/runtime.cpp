// Life cycle of a runtime: create, configure, parameter values and inputs, and queries.
#include "engine/runtime.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "engine/build/parameter_values.hpp"

namespace amp {

namespace {

constexpr uint32_t kDefaultTrace = 65536;
constexpr size_t kFewestTaps = 64;  // taps of one call for which there is always room, even in a small graph
constexpr uint32_t kMostBatches = 1u << 20, kMostBlockFrames = 1u << 20;

// Replaces the key of every entry of a map; `room` is scratch with enough capacity.
template <class Map, class Change> void rekey(Map& map, std::vector<typename Map::node_type>& room, Change change) {
    while (!map.empty()) room.push_back(map.extract(map.begin()));
    for (auto& entry : room) change(entry.key()), map.insert(std::move(entry));
}

}  // namespace

Runtime::Runtime(Plan plan) {
    common_.plan = std::move(plan);
    common_.table = kernels();
    last_error.struct_size = sizeof last_error;
    clear_error(&last_error);
    ranked_.resize(plan_.nodes.size());
    std::iota(ranked_.begin(), ranked_.end(), 0u);
}

// Replaces the schedule; values and inputs stay with their nodes. Allocates nothing after the plan is reordered.
void Runtime::set_schedule(const Schedule& schedule) {
    std::vector<uint32_t> rank;
    for (const PlanNode& n : plan_.nodes) rank.push_back(n.rank);
    std::vector<Overrides::node_type> values;
    std::vector<Inputs::node_type> inputs;
    values.reserve(common_.overrides.size()), inputs.reserve(common_.inputs.size());
    follow(common_.plan, schedule);
    configured_ = false;
    shards_.clear();
    for (uint32_t u = 0; u < plan_.nodes.size(); ++u) ranked_[plan_.nodes[u].rank] = u;
    rekey(common_.overrides, values, [&](auto& key) { key.first = ranked_[rank[key.first]]; });
    rekey(common_.inputs, inputs, [&](auto& key) { key = ranked_[rank[key]]; });
}

void Runtime::configure(const amp_config& c) {
    if (c.batches < 1 || c.batches > kMostBatches)
        throw Failure(AMP_E_INVALID_ARG, "configure",
                      text("batches: out of range (got %u, allowed 1 to %u).", c.batches, kMostBatches),
                      "Render in several goes.");
    if (c.block_frames > kMostBlockFrames)
        throw Failure(AMP_E_INVALID_ARG, "configure",
                      text("block_frames: out of range (got %u, allowed 0 to %u).", c.block_frames, kMostBlockFrames),
                      "Use 0 for a size that is chosen for you.");
    if (c.threads > AMP_MOST_THREADS)
        throw Failure(AMP_E_INVALID_ARG, "configure",
                      text("threads: out of range (got %u, allowed 0 to %u).", c.threads, AMP_MOST_THREADS),
                      "Use 0 for as many as there are.");
    for (const auto& [u, b] : common_.inputs)
        if (b.batches != 1 && b.batches != c.batches)
            throw Failure(AMP_E_SHAPE, "configure",
                          text("%s: the bound samples have %u batches, the configuration has %u.",
                               plan_.nodes[u].name.c_str(), b.batches, c.batches),
                          "Bind one batch of samples first, or configure for as many.", plan_.nodes[u].name);
    configured_ = false;
    common_.config = c;
    if (watches_budget()) common_.config.flags |= AMP_RUN_HEAT;  // a heat budget needs heat
    common_.events.assign(c.flags & AMP_RUN_TRACE ? (c.trace_capacity ? c.trace_capacity : kDefaultTrace) : 0, {});
    common_.next_event = common_.events.data();
    common_.laps = 0;
    common_.clock.start();
    if (cleared_) common_.overrides.clear();
    cleared_ = false;
    build_shards();
    lease_threads();
    size_t ports = 1;
    for (const PlanNode& n : plan_.nodes) ports += n.out_channels.size();
    taps_.reserve(std::max(ports, kFewestTaps));
    clock_ = position_ = 0;
    changes_.clear();
    moved_.clear();
    failed_ = false;
    cancelled_.store(false, std::memory_order_relaxed);
    configured_ = true;
}

// Builds the shards. Few batches run in one shard; many run eight lanes per shard, so that a shard's slices stay in L1.
// A node that reads all batches needs them in one shard.
void Runtime::build_shards() {
    shards_.clear();
    common_.arena = Arena::reserve();
    const uint32_t batches = common_.config.batches,
                   size = plan_.together || batches < kLaneLayoutFrom ? batches : uint32_t{kLanes};
    common_.parts = batches <= size && !(common_.config.flags & AMP_RUN_HEAT) ? most_threads() : 1;
    for (uint32_t b = 0; b < batches; b += size)
        shards_.push_back(std::make_unique<Shard>(common_, b, std::min(size, batches - b)));
}

// Threads the configuration allows; one while tracing, because the trace has the order of one thread.
uint32_t Runtime::most_threads() const {
    const amp_config& c = common_.config;
    if (kDiagnostic || c.flags & AMP_RUN_TRACE) return 1;
    return c.threads ? c.threads : std::min(usable_threads(), AMP_MOST_THREADS);
}

// Leases no more threads than there are shards or parts to run at the same time.
void Runtime::lease_threads() {
    const auto shards = static_cast<uint32_t>(shards_.size());
    const uint32_t pieces = shards > 1 ? shards : shards_.front()->parts(),
                   workers = std::min(most_threads(), pieces) - 1;
    if (pool_ && pool_->workers() == workers && pool_->pieces() == pieces && pool_->works_here()) return;
    pool_.reset();
    if (workers) pool_ = std::make_unique<Pool>(workers, pieces);
}

void Runtime::set_param(const std::string& node, const std::string& key, Tensor value, int64_t at_frame) {
    const auto [u, k] = find_param(node, key);
    need_configured("set_param");
    check_shape(plan_, u, k, value, common_.config.batches, "set_param");
    check_range(plan_, u, k, value);
    const int64_t earliest = earliest_change(), frame = at_frame < 0 ? earliest : at_frame;
    if (frame < earliest)
        throw Failure(AMP_E_INVALID_ARG, "set_param",
                      text("%s.%s: frame %lld has been %s (the earliest is %lld).", node.c_str(), key.c_str(),
                           static_cast<long long>(frame),
                           frame < position_ ? "delivered" : "rendered ahead, by the graph's latency",
                           static_cast<long long>(earliest)),
                      "Give that frame or a later one.", node, key);
    if (clock_ == 0 && frame == 0) {  // nothing is rendered yet: the steps are built for any kind of value
        common_.overrides[{u, k}] = std::move(value);
        rebuild();
        return;
    }
    for (const auto& s : shards_) s->check_fits(u, k, value);
    put_off({frame + plan_.nodes[u].arrival, u, k, std::make_shared<const Tensor>(std::move(value)), false});
    if (clock_ > 0) apply_due_changes();
}

// Queues a change, after those already queued for the same time.
void Runtime::put_off(Change change) {
    announce(change);
    moved_.try_emplace({change.node, change.param});
    const auto later = std::upper_bound(changes_.begin(), changes_.end(), change.time,
                                        [](int64_t t, const Change& x) { return t < x.time; });
    changes_.insert(later, std::move(change));
}

std::shared_ptr<const Tensor> Runtime::value_given(uint32_t u, uint32_t k) const {
    Tensor scratch;
    const Tensor* given = given_value(plan_, u, k, scratch).tensor;
    if (given == &scratch) return std::make_shared<const Tensor>(std::move(scratch));
    return {std::shared_ptr<const Tensor>(), given};  // the plan owns this value and outlives all changes
}

void Runtime::announce(const Change& c) {
    if (!c.value) return;
    for (const auto& s : shards_) s->announce(c.node, c.param, *c.value);
}

void Runtime::apply(const Change& c) {
    if (!c.given)
        for (const auto& s : shards_) s->check_fits(c.node, c.param, *c.value);
    if (c.value) {
        for (const auto& s : shards_) s->install(c.node, c.param, c.value);
        return;
    }
    Tensor none;
    for (const auto& s : shards_) s->follow_curve(c.node, c.param, *given_value(plan_, c.node, c.param, none).curve);
}

// Builds the shards again at frame 0, with the queued changes. Removes the first that does not fit, and throws.
void Runtime::rebuild() {
    auto waiting = std::move(changes_);
    auto moved = std::move(moved_);
    configure(amp_config(common_.config));
    changes_ = std::move(waiting);
    moved_ = std::move(moved);
    for (auto it = changes_.begin(); it != changes_.end(); ++it) try {
            if (!it->given)
                for (const auto& s : shards_) s->check_fits(it->node, it->param, *it->value);
            announce(*it);
        } catch (const Failure&) {
            changes_.erase(it);
            throw;
        }
}

void Runtime::clear_params() {
    changes_.clear();
    if (!configured_ || clock_ == 0) {
        moved_.clear();
        common_.overrides.clear();
        if (configured_) rebuild();
        return;
    }
    cleared_ = true;
    for (const auto& [place, tensor] : common_.overrides) moved_.try_emplace(place);
    for (const auto& [place, change] : moved_)
        put_off({earliest_change() + plan_.nodes[place.first].arrival, place.first, place.second,
                 value_given(place.first, place.second), true});
    apply_due_changes();
}

void Runtime::bind_input(const std::string& node, const amp_buffer& b) {
    const uint32_t u = find(node, "bind_input");
    const PlanNode& n = plan_.nodes[u];
    if (n.type->contract->io != AMP_IO_SOURCE)
        throw Failure("bind_input",
                      Violation{AMP_E_INVALID_ARG, node, "",
                                text("%s: is a %s, which takes no samples.", node.c_str(), n.type->contract->id),
                                "Bind an input node.", "", 0});
    need_configured("bind_input");
    if (!b.data || b.frames < 1)
        throw Failure(
            AMP_E_INVALID_ARG, "bind_input",
            text("%s: no samples (got %lld frames, needs at least 1).", node.c_str(), static_cast<long long>(b.frames)),
            "Bind samples.", node);
    if ((b.batches != 1 && b.batches != common_.config.batches) || b.channels != static_cast<uint32_t>(n.channels))
        throw Failure(AMP_E_SHAPE, "bind_input",
                      text("%s: shape (got (%u, %u, %lld), expected (1 or %u, %d, any)).", node.c_str(), b.batches,
                           b.channels, static_cast<long long>(b.frames), common_.config.batches, n.channels),
                      "Give samples of that shape.", node);
    common_.inputs[u] = b;
    for (auto& s : shards_) s->attach_input(u, b);
}

void Runtime::check_history(const History& history) const {
    static constexpr char kCure[] = "The curves must be exactly those the graph names.";
    Violations v("history");
    std::string missing, extra;
    for (const auto& name : plan_.curves) {
        if (history.count(name)) continue;
        missing += (missing.empty() ? "" : ", ") + name;
        v.add(text("control history: missing %s.", name.c_str()), kCure, "", name);
    }
    for (const auto& [name, curve] : history) {
        if (std::binary_search(plan_.curves.begin(), plan_.curves.end(), name)) continue;
        extra += (extra.empty() ? "" : ", ") + name;
        v.add(text("control history: not in the graph: %s.", name.c_str()), kCure, "", name);
    }
    v.raise(text("control history: %s%s%s%s%s. %s", missing.empty() ? "" : "missing ", missing.c_str(),
                 !missing.empty() && !extra.empty() ? "; " : "",
                 extra.empty() ? "" : "not in the graph: ", extra.c_str(), kCure));
}

void Runtime::set_history(History history) {
    check_history(history);
    if (configured_ && clock_ > 0)
        throw Failure(AMP_E_INVALID_ARG, "history", "the history can only be set before the first execute.",
                      "Configure again first.");
    common_.history = std::move(history);
    if (!configured_) return;
    if (std::all_of(shards_.begin(), shards_.end(), [](const auto& s) { return s->is_fresh(); }))
        for (auto& s : shards_) s->follow_history();
    else
        rebuild();  // the call before was stopped within a block: its state is discarded
}

int32_t Runtime::port_channels(const char* node, const char* port) const {
    const auto u = plan_.find(node);
    if (!u) return -1;
    const amp_node_contract& c = *plan_.nodes[*u].type->contract;
    for (uint32_t k = 0; k < c.n_outputs; ++k)
        if (!port || std::strcmp(port, c.outputs[k].key) == 0) return plan_.nodes[*u].out_channels[k];
    return -1;
}

void Runtime::metrics(std::string_view node, amp_node_metrics& out) const {
    const uint32_t u = find(node, "metrics");
    need_configured("metrics");
    metrics_of(u, common_.clock.scale(), out);
}

void Runtime::all_metrics(void* out, size_t distance) const {
    need_configured("metrics");
    const double scale = common_.clock.scale();
    for (uint32_t u = 0; u < nodes(); ++u)
        metrics_of(ranked_[u], scale, *reinterpret_cast<amp_node_metrics*>(static_cast<char*>(out) + u * distance));
}

void Runtime::metrics_of(uint32_t u, double scale, amp_node_metrics& out) const {
    const Shard& first = *shards_.front();
    out.frames = first.frames_of(u);
    out.calls = first.calls_of(u);
    out.measured_delay_frames = first.work()[u].measured_lag;
    out.seconds = out.heat_j = 0.0;
    out.clamped_values = 0;
    for (const auto& s : shards_) {
        const Work& w = s->work()[u];
        if (w.timed_frames)
            out.seconds +=
                scale * w.ticks * (static_cast<double>(s->frames_of(u)) / static_cast<double>(w.timed_frames));
        for (const Step* step : w.before)
            if (step->kind == StepKind::parameter) out.clamped_values += step->of_parameter.clamped;
        if (s->has_heat()) out.heat_j += s->accumulated_heat(u);
    }
}

void Runtime::trace(amp_trace_event* out, size_t capacity, size_t* count, uint64_t* dropped) const {
    const auto& ring = common_.events;
    const uint64_t all = common_.laps * ring.size() + static_cast<uint64_t>(common_.next_event - ring.data());
    const uint64_t held = std::min<uint64_t>(all, ring.size()), first = all - held;
    const uint64_t n = std::min<uint64_t>(held, out ? capacity : 0);
    const double scale = common_.clock.scale();
    for (uint64_t i = 0; i < n; ++i) {
        const Event& e = ring[(first + i) % ring.size()];
        const PlanNode& n = plan_.nodes[e.node];
        out[i] = {n.rank,
                  e.frames,
                  e.frame - n.arrival,
                  e.frame + n.latency,
                  scale * static_cast<double>(e.start),
                  scale * static_cast<double>(e.stop)};
    }
    if (count) *count = held;
    if (dropped) *dropped = first;
}

void Runtime::heat(std::string_view node, double* own, double* total, double* temperature, size_t capacity,
                   size_t* count) const {
    const uint32_t u = find(node, "heat");
    if (shards_.empty() || !shards_.front()->has_heat())
        throw Failure(AMP_E_INVALID_ARG, "heat", "heat: it was not recorded.",
                      "Ask for it when the render is configured.");
    const uint64_t windows = shards_.front()->heat_records().windows();
    for (size_t i = 0; i < std::min(capacity, windows); ++i) {
        double e = 0.0, h = 0.0, t = NAN;
        for (const auto& s : shards_) {
            const HeatRecords& k = s->heat_records();
            e += k.at(i, HeatValue::own, u);
            h += k.at(i, HeatValue::total, u);
            t = std::fmax(t, k.at(i, HeatValue::temperature, u));  // hottest batch; NaN: none has thermal constants
        }
        if (own) own[i] = e;
        if (total) total[i] = h;
        if (temperature) temperature[i] = t;
    }
    if (count) *count = windows;
}

}  // namespace amp
