// The life of a runtime: create, configure, values and inputs, and what can be asked of it.
#include "engine/runtime.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "dsp/phase.hpp"
#include "engine/build.hpp"
#include "engine/values.hpp"

namespace amp {

namespace {

constexpr uint32_t kDefaultTrace = 65536;
constexpr uint32_t kMostBatches = 1u << 20, kMostBlockFrames = 1u << 20;

bool takes_samples(const amp_node_contract& c) {
    return c.n_inputs == 0 && std::any_of(c.params, c.params + c.n_params, [](const auto& p) { return p.kind == AMP_PARAM_TEXT && std::string(p.key) == "source"; });
}

void sample_curve(const CurveData& c, double fs, int64_t first, int64_t n, double* out) { c.sample(fs, first, n, out); }

}  // namespace

Runtime::Runtime(Plan plan) : plan_(std::move(plan)), table_(kernels()) {
    last_error.struct_size = sizeof last_error;
    clear_error(&last_error);
    for (uint32_t u = 0; u < plan_.nodes.size(); ++u) places_.emplace(plan_.nodes[u].descriptor->name, u);
}

void Runtime::configure(const amp_config& c) {
    if (c.batches < 1 || c.batches > kMostBatches)
        throw Failure(AMP_E_INVALID_ARG, "configure", text("batches: out of range (got %u, allowed 1 to %u). Render in several goes.", c.batches, kMostBatches));
    if (c.block_frames > kMostBlockFrames)
        throw Failure(AMP_E_INVALID_ARG, "configure", text("block_frames: out of range (got %u, allowed 0 to %u).", c.block_frames, kMostBlockFrames));
    configured_ = false;
    config_ = c;
    layout_ = c.batches >= kLaneLayoutFrom ? 1 : 0;
    env_ = {};
    env_.sample_rate = plan_.descriptors.sample_rate;
    const auto scale = AMP_KNS::make_phase_scale(env_.sample_rate);
    env_.phase_scale[0] = scale.high;
    env_.phase_scale[1] = scale.middle;
    env_.phase_scale[2] = scale.low;
    env_.batches = c.batches;
    env_.batch_offset = c.batch_offset;
    env_.width = layout_ ? kLanes : 1;
    env_.groups = static_cast<int32_t>((c.batches + static_cast<uint32_t>(env_.width) - 1) / static_cast<uint32_t>(env_.width));
    env_.sample = sample_curve;
    arena_ = Arena::reserve();
    steps_.clear(), edge_ports_.clear(), windows_.clear(), patches_.clear(), heat_.clear();
    work_.assign(plan_.nodes.size(), Work{});
    build(*this);
    if (c.flags & AMP_RUN_HEAT) build_heat();
    size_t most = 0;
    for (const Work& w : work_) most += w.before.size() + 1 + w.after.size();
    frame_table_.reserve(most);
    component_done_.assign(work_.size(), 0);
    for (const auto& [node, buffer] : inputs_) attach_input(node, buffer);
    events_.assign(c.flags & AMP_RUN_TRACE ? (c.trace_capacity ? c.trace_capacity : kDefaultTrace) : 0, {});
    n_events_ = 0;
    position_ = 0;
    blocks_ = 0;
    changes_.clear();
    failed_ = false;
    cancelled_.store(false, std::memory_order_relaxed);
    epoch_ = std::chrono::steady_clock::now();
    configured_ = true;
}

uint32_t Runtime::find(const std::string& node, const char* stage) const {
    const auto it = places_.find(node);
    if (it == places_.end()) throw Failure(AMP_E_INVALID_ARG, stage, text("%s: there is no such node.", node.c_str()), node);
    return it->second;
}

void Runtime::set_param(const std::string& node, const std::string& key, Tensor value, int64_t at_frame) {
    const uint32_t u = find(node, "set_param");
    const amp_node_contract& c = *plan_.nodes[u].type->contract;
    uint32_t k = 0;
    while (k < c.n_params && key != c.params[k].key) ++k;
    if (k == c.n_params || c.params[k].kind != AMP_PARAM_NUMBER || c.params[k].rate == AMP_RATE_FIXED)
        throw Failure(AMP_E_INVALID_ARG, "set_param", text("%s.%s: %s", node.c_str(), key.c_str(), k == c.n_params ? "there is no such parameter." : "this parameter is fixed by the graph. Build the graph with the new value."), node, key);
    if (!configured_) throw Failure(AMP_E_INVALID_ARG, "set_param", "the runtime is not configured. Call configure first.");
    Values values{*this};
    values.check_shape(u, k, value, "set_param");
    values.check_range(u, k, value);
    if (at_frame >= 0 && at_frame < position_)
        throw Failure(AMP_E_INVALID_ARG, "set_param", text("%s.%s: frame %lld has been delivered (the earliest is %lld).", node.c_str(), key.c_str(), static_cast<long long>(at_frame), static_cast<long long>(position_)), node, key);
    if (at_frame > position_) {
        const auto later = std::upper_bound(changes_.begin(), changes_.end(), at_frame, [](int64_t f, const Change& x) { return f < x.frame; });
        changes_.insert(later, {at_frame, u, k, std::move(value)});
        return;
    }
    if (position_ == 0) {   // nothing rendered yet: any kind of value fits
        overrides_[{u, k}] = std::move(value);
        rebuild();
        return;
    }
    values.install(u, k, value);
    overrides_[{u, k}] = std::move(value);
}

// Builds again at frame 0, keeping changes that wait for later frames.
void Runtime::rebuild() {
    auto waiting = std::move(changes_);
    configure(config_);
    changes_ = std::move(waiting);
}

void Runtime::clear_params() {
    const auto was = std::move(overrides_);
    overrides_.clear();
    changes_.clear();
    if (!configured_) return;
    if (position_ == 0) {
        rebuild();
        return;
    }
    Values values{*this};
    for (const auto& [place, tensor] : was) {
        Tensor scratch;
        const Value v = values.in_force(place.first, place.second, scratch);
        if (v.tensor) values.install(place.first, place.second, *v.tensor);
        else work_[place.first].parameter[place.second]->source = nullptr, work_[place.first].parameter[place.second]->curve = &history_.at(*v.curve);
    }
}

void Runtime::bind_input(const std::string& node, const amp_buffer& b) {
    const uint32_t u = find(node, "bind_input");
    const PlanNode& n = plan_.nodes[u];
    if (!takes_samples(*n.type->contract)) throw Failure(AMP_E_INVALID_ARG, "bind_input", text("%s: is a %s, which takes no samples. Bind an input node.", node.c_str(), n.type->contract->id), node);
    if (!configured_) throw Failure(AMP_E_INVALID_ARG, "bind_input", "the runtime is not configured. Call configure first.");
    if (!b.data || b.frames < 1)
        throw Failure(AMP_E_INVALID_ARG, "bind_input", text("%s: no samples (got %lld frames, needs at least 1).", node.c_str(), static_cast<long long>(b.frames)), node);
    if ((b.batches != 1 && b.batches != env_.batches) || b.channels != static_cast<uint32_t>(n.channels))
        throw Failure(AMP_E_SHAPE, "bind_input", text("%s: shape (got (%u, %u, %lld), expected (1 or %u, %d, any)).", node.c_str(), b.batches, b.channels, static_cast<long long>(b.frames), env_.batches, n.channels), node);
    inputs_[u] = b;
    attach_input(u, b);
}

void Runtime::attach_input(uint32_t u, const amp_buffer& b) {
    if (b.batches != 1 && b.batches != env_.batches)
        throw Failure(AMP_E_SHAPE, "configure", text("%s: the bound samples have %u batches, the configuration has %u. Bind samples that fit first.", plan_.nodes[u].descriptor->name.c_str(), b.batches, env_.batches), plan_.nodes[u].descriptor->name);
    auto* view = arena_.make<View>(1);
    *view = {b.data, b.channels == 1 ? 0 : b.channel_stride, b.batches == 1 ? 0 : b.batch_stride, 1};
    work_[u].main->source = view;
    work_[u].main->source_frames = b.frames;
}

void Runtime::set_history(History history) {
    std::string missing, extra;
    for (const auto& name : plan_.curves)
        if (!history.count(name)) missing += (missing.empty() ? "" : ", ") + name;
    for (const auto& [name, curve] : history)
        if (!std::binary_search(plan_.curves.begin(), plan_.curves.end(), name)) extra += (extra.empty() ? "" : ", ") + name;
    if (!missing.empty() || !extra.empty())
        throw Failure(AMP_E_INVALID_ARG, "history", text("control history: %s%s%s%s%s. The curves must be exactly those the graph names.", missing.empty() ? "" : "missing ", missing.c_str(),
                                                         !missing.empty() && !extra.empty() ? "; " : "", extra.empty() ? "" : "not in the graph: ", extra.c_str()));
    if (configured_ && position_ > 0)
        throw Failure(AMP_E_INVALID_ARG, "history", "the history can only be set before the first execute. Configure again first.");
    history_ = std::move(history);
    if (configured_) rebuild();
}

int32_t Runtime::port_channels(const char* node, const char* port) const {
    const auto it = places_.find(node);
    if (it == places_.end()) return -1;
    const amp_node_contract& c = *plan_.nodes[it->second].type->contract;
    for (uint32_t k = 0; k < c.n_outputs; ++k)
        if (!port || std::strcmp(port, c.outputs[k].key) == 0) return plan_.nodes[it->second].out_channels[k];
    return -1;
}

void Runtime::metrics(const std::string& node, amp_node_metrics& out) const {
    const uint32_t u = find(node, "metrics");
    if (!configured_) throw Failure(AMP_E_INVALID_ARG, "metrics", "the runtime is not configured. Call configure first.");
    const Work& w = work_[u];
    out.seconds = w.timed_frames ? w.seconds * (static_cast<double>(w.frames) / static_cast<double>(w.timed_frames)) : 0.0;
    out.frames = w.frames;
    out.calls = w.calls;
    out.measured_delay_frames = position_ - w.frames;   // tokens owed at the clock of the graph
    out.clamped_values = 0;
    for (const Step* s : w.before) out.clamped_values += s->clamped;
    out.heat_j = u < heat_.size() ? accumulated_heat(u) : 0.0;
}

void Runtime::trace(amp_trace_event* out, size_t capacity, size_t* count, uint64_t* dropped) const {
    const uint64_t held = std::min<uint64_t>(n_events_, events_.size()), first = n_events_ - held;
    const uint64_t n = std::min<uint64_t>(held, out ? capacity : 0);
    for (uint64_t i = 0; i < n; ++i) out[i] = events_[(first + i) % events_.size()];
    if (count) *count = held;
    if (dropped) *dropped = first;
}

void Runtime::record(uint32_t node, const Firing& f, double start, double stop) {
    events_[n_events_++ % events_.size()] = {node, f.frames, f.frame, f.frame, start, stop};
}

double Runtime::now() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - epoch_).count(); }

}  // namespace amp
