// Builds a shard from its plan, and applies what is set on it later: values, curves, inputs.
#include <algorithm>

#include "dsp/phase.hpp"
#include "engine/build/builder.hpp"

namespace amp {

Shard::Shard(Common& common, uint32_t first_batch, uint32_t batches)
    : common_(common), plan_(common.plan), table_(common.table), first_batch_(first_batch), arena_(common.arena) {
    env_.sample_rate = plan_.descriptors.sample_rate;
    const auto scale = AMP_KNS::make_phase_scale(env_.sample_rate);
    env_.phase_scale[0] = scale.high;
    env_.phase_scale[1] = scale.low;
    env_.batches = batches;
    env_.batch_offset = common.config.batch_offset + first_batch;
    env_.width = batches >= kLaneLayoutFrom ? kLanes : 1;
    env_.groups =
        static_cast<int32_t>((batches + static_cast<uint32_t>(env_.width) - 1) / static_cast<uint32_t>(env_.width));
    env_.sample = [](const CurveData& c, double fs, int64_t first, int64_t n, double* out) {
        c.sample(kernels()->curve_segment, fs, first, n, out);
    };
    work_.resize(plan_.nodes.size());
    make_lane_groups();
    divide(common.parts);
    curve_.resize(parts_.groups());
    Builder{*this}.build();
    if (common.config.flags & AMP_RUN_HEAT) build_heat();
    for (const auto& [node, buffer] : common.inputs) attach_input(node, buffer);
    reserve_ticks();
    list_ops();
    list_units();
    std::vector<int64_t> times;
    for (const PlanNode& n : plan_.nodes) times.insert(times.end(), {n.arrival, n.arrival + n.latency});
    std::sort(times.begin(), times.end());
    cuts_.assign(times.begin(), std::unique(times.begin(), times.end()));
}

// Makes cohorts into lane groups where the batches alone do not fill the lanes. Heat and streams run node by node.
void Shard::make_lane_groups() {
    if (plan_.cohorts.empty() || env_.width == kLanes || common_.streams || common_.config.flags & AMP_RUN_HEAT) return;
    lane_group_of_.assign(work_.size(), 0);
    for (const Cohort& c : plan_.cohorts) {
        LaneGroup& t = lane_groups_.emplace_back(LaneGroup{c.first, c.count, env_});
        t.env.width = kLanes;
        t.env.batches = c.count * env_.batches;
        t.env.groups = static_cast<int32_t>((t.env.batches + kLanes - 1) / kLanes);
        for (uint32_t u = c.first; u < c.first + c.count; ++u)
            lane_group_of_[u] = static_cast<uint32_t>(lane_groups_.size());
    }
}

void Shard::check_fits(uint32_t node, uint32_t param, const Tensor& value) const {
    Values::check_fits(*this, node, param, value);
}

void Shard::announce(uint32_t node, uint32_t param, const Tensor& value) { Values{*this}.announce(node, param, value); }

void Shard::install(uint32_t node, uint32_t param, std::shared_ptr<const Tensor> value) {
    Values{*this}.install_later(node, param, std::move(value));
}

void Shard::follow_history() {
    for (uint32_t u = 0; u < work_.size(); ++u)
        for (Step* s : work_[u].before) {
            if (s->kind != StepKind::parameter && s->kind != StepKind::curve) continue;
            ParameterStep& step = s->of_parameter;
            const auto k = static_cast<uint32_t>(step.index);
            Tensor scratch;
            const std::string* name = s->kind == StepKind::curve ? &curve_played(plan_.nodes[u], k)
                                                                 : Values{*this}.in_force(u, k, scratch).curve;
            if (name) step.curve = &common_.history.at(*name);
        }
}

void Shard::follow_curve(uint32_t node, uint32_t param, const std::string& curve) {
    ParameterStep& step = work_[node].parameter[param]->of_parameter;
    step.tensor = nullptr;
    step.curve = &common_.history.at(curve);
}

void Shard::attach_input(uint32_t u, const amp_buffer& b) {
    auto* view = arena_.make<View>(1);
    *view = {b.data + (b.batches == 1 ? 0 : first_batch_ * b.batch_stride), b.channels == 1 ? 0 : b.channel_stride,
             b.batches == 1 ? 0 : b.batch_stride, 1};
    work_[u].main->of_node.samples = view;
    work_[u].main->of_node.sample_frames = b.frames;
}

}  // namespace amp
