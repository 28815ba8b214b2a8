#include "engine/build/parameter_values.hpp"

#include <algorithm>

namespace amp {

bool Values::is_default(uint32_t node, uint32_t param) const {
    return r.plan_.nodes[node].parameter[param] < 0 && !r.common_.overrides.count({node, param});
}

Value Values::in_force(uint32_t node, uint32_t param, Tensor& scratch) const {
    const auto set = r.common_.overrides.find({node, param});
    return set != r.common_.overrides.end() ? Value{&set->second, nullptr} : given(node, param, scratch);
}

Value Values::given(uint32_t node, uint32_t param, Tensor& scratch) const {
    return given_value(r.plan_, node, param, scratch);
}

Value given_value(const Plan& plan, uint32_t node, uint32_t param, Tensor& scratch) {
    const PlanNode& n = plan.nodes[node];
    if (const Parameter* p = n.given(param)) {
        if (p->kind == Parameter::kCurve) return {nullptr, &p->text};
        return {&p->tensor, nullptr};
    }
    scratch = Tensor{};
    scratch.data = {n.type->contract->params[param].value};
    return {&scratch, nullptr};
}

void check_shape(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t, uint32_t batches,
                 const char* stage) {
    const PlanNode& n = plan.nodes[node];
    const uint32_t channels = static_cast<uint32_t>(n.channels);
    const char* key = n.type->contract->params[param].key;
    const std::string lead = std::string(stage) == "set_param" ? "amp_graph_runtime_set_param_shape_mismatch: " : "";
    const bool batches_fit = t.batches == 1 || t.batches == batches;
    if (n.type->contract->params[param].kind == AMP_PARAM_MATRIX) {
        const MatrixShape m = matrix_shape(n);
        if (batches_fit && t.channels == m.rows && t.frames == m.columns) return;
        throw Failure(stage,
                      Violation{AMP_E_SHAPE, n.name, key,
                                lead + text("%s.%s: shape (got (%u, %u, %llu), expected (1 or %u, %u, %u)).",
                                            n.name.c_str(), key, t.batches, t.channels,
                                            static_cast<unsigned long long>(t.frames), batches, m.rows, m.columns),
                                "Give a matrix of the same rows and columns, one per batch or one for all.", "", 0});
    }
    if (batches_fit && (t.channels == 1 || t.channels == channels)) return;
    throw Failure(stage, Violation{AMP_E_SHAPE, n.name, key,
                                   lead + text("%s.%s: shape (got (%u, %u, %llu), expected (1 or %u, 1 or %u, any)).",
                                               n.name.c_str(), key, t.batches, t.channels,
                                               static_cast<unsigned long long>(t.frames), batches, channels),
                                   "Give one value per batch and channel, or one for all.", "", 0});
}

void check_range(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t) {
    const PlanNode& n = plan.nodes[node];
    const amp_param_contract& c = n.type->contract->params[param];
    const Range range = range_of(c, plan.descriptors.sample_rate);
    for (size_t i = 0; i < t.data.size(); ++i) {
        const double x = t.data[i];
        if (std::isfinite(x) && ((x >= range.low && x <= range.high) || c.range == AMP_RANGE_CLAMP)) continue;
        throw Failure("set_param", Violation{AMP_E_INVALID_ARG, n.name, c.key, out_of_range(n.name, c, x, range),
                                             kChooseInside, "", 0});
    }
}

void Values::hold(double* rows, const Tensor& t, View& view, const Range& range) const {
    const auto width = static_cast<uint32_t>(r.env_.width);
    const uint32_t groups = t.batches == 1 ? 1 : static_cast<uint32_t>(r.env_.groups),
                   last = r.first_batch_ + r.env_.batches - 1;
    // a matrix is stored row by row, as if its elements were channels
    const auto elements = static_cast<uint32_t>(t.channels * t.frames);
    for (uint32_t c = 0; c < elements; ++c)
        for (uint32_t g = 0; g < groups; ++g)
            for (uint32_t j = 0; j < kLanes; ++j) {
                const uint32_t b = std::min(r.first_batch_ + g * width + (width == 1 ? 0 : j), last);
                const double x = t.data[(t.batches == 1 ? 0 : b) * size_t{elements} + c];
                rows[(c * groups + g) * kLanes + j] = std::clamp(x, range.low, range.high);
            }
    view = {rows, elements == 1 ? 0 : int64_t{kLanes} * groups, groups == 1 ? 0 : int64_t{kLanes}, 0};
}

Step& Values::make_step(StepKind kind, uint32_t node, uint32_t param, double* scratch, int32_t channels, int32_t groups,
                        int64_t row) {
    const PlanNode& n = r.plan_.nodes[node];
    const amp_param_contract& c = n.type->contract->params[param];
    const Range range = range_of(c, r.plan_.descriptors.sample_rate);
    Step& s = *r.arena_.make<Step>(1, kind);
    ParameterStep& own = s.of_parameter;
    s.fire = r.table_->parameter[r.layout(node)].fire;
    s.tick = r.table_->parameter[r.layout(node)].tick;
    s.env = &r.env(node);
    s.place = node;
    s.arrival = n.arrival;
    own.index = static_cast<int32_t>(param);
    s.channels = channels;
    s.groups = groups;
    own.low = range.low;
    own.high = range.high;
    own.clamps = c.range == AMP_RANGE_CLAMP;
    s.out = r.arena_.make<View>(1);
    double*& curve = r.curve_[r.parts_(node)];
    if (s.env->width > 1 && !curve) curve = r.arena_.doubles(r.block_ + kLanes);
    own.scratch = curve;
    s.out[0] = {scratch, channels == 1 ? 0 : row * groups, groups == 1 ? 0 : row, s.env->width};
    return s;
}

Range Values::clamp_range(const amp_param_contract& c) const {
    return c.range == AMP_RANGE_CLAMP ? range_of(c, r.plan_.descriptors.sample_rate) : Range{-INFINITY, INFINITY};
}

bool Values::varies(uint32_t node) const {
    const auto& steps = r.work_[node].parameter;
    return std::any_of(steps.begin(), steps.end(), [](const Step* s) { return s != nullptr; });
}

void Values::check_fits(const Shard& r, uint32_t node, uint32_t param, const Tensor& t) {
    const PlanNode& n = r.plan_.nodes[node];
    const Step* step = r.work_[r.leader(node)].parameter[param];
    const auto alone = r.alone_.find({node, param});
    const int32_t stepped = alone != r.alone_.end() ? alone->second : step ? step->channels : 0;
    const bool channels = t.channels == 1 || !stepped || stepped == n.channels;
    if (n.type->contract->params[param].kind == AMP_PARAM_MATRIX || (channels && (t.frames == 1 || stepped))) return;
    const char* key = n.type->contract->params[param].key;
    throw Failure("set_param",
                  Violation{AMP_E_UNSUPPORTED, n.name, key,
                            text("%s.%s: %s can only begin at frame 0 here.", n.name.c_str(), key,
                                 t.frames > 1 ? "a value with a frame axis"
                                              : "a value per channel in place of a curve or a modulated number"),
                            "Set it before the first execute.", "", 0});
}

// The value a member of a lane group has now.
const Tensor& Values::played(uint32_t node, uint32_t param, Tensor& scratch) const {
    const auto it = r.later_.find({node, param});
    return it != r.later_.end() && it->second.value ? *it->second.value : *in_force(node, param, scratch).tensor;
}

void Values::hold_lanes(const LaneGroup& group, uint32_t param, View& view) const {
    const Step* step = r.work_[group.first].parameter[param];
    const PlanNode& n = r.plan_.nodes[group.first];
    const Range range = step ? Range{-INFINITY, INFINITY} : clamp_range(n.type->contract->params[param]);
    const auto channels = static_cast<uint32_t>(n.channels), groups = static_cast<uint32_t>(group.env.groups);
    const uint32_t batches = r.env_.batches, last = group.env.batches - 1;
    if (!view.data) view.data = r.arena_.doubles(uint64_t{channels} * groups * kLanes);
    Tensor scratch;
    for (uint32_t l = 0; l < groups * kLanes; ++l) {
        const uint32_t lane = std::min(l, last);
        const Tensor& t = played(group.first + lane / batches, param, scratch);
        for (uint32_t c = 0; c < channels; ++c)
            view.data[(c * groups + l / kLanes) * kLanes + l % kLanes] =
                std::clamp(t.at(r.first_batch_ + lane % batches, c, 0), range.low, range.high);
    }
    view = {view.data, channels == 1 ? 0 : int64_t{kLanes} * groups, groups == 1 ? 0 : int64_t{kLanes}, 0};
}

uint64_t Values::frames_played(const LaneGroup& group, uint32_t param) const {
    uint64_t frames = 1;
    Tensor scratch;
    for (uint32_t u = group.first; u < group.first + group.count; ++u)
        frames = std::max(frames, played(u, param, scratch).frames);
    return frames;
}

// Makes room for `frames` values of every member. Old contents are dropped: lanes() writes all of them again.
void Values::reserve_lanes(const LaneGroup& group, uint32_t param, uint64_t frames) {
    LaterValue& room = r.later_[{group.first, param}];
    if (!room.view) room.view = r.arena_.make<View>(1);
    if (room.lane_frames >= frames) return;
    const auto channels = static_cast<uint64_t>(r.plan_.nodes[group.first].channels);
    room.lanes = r.arena_.doubles(group.env.batches * channels * frames);
    room.lane_frames = frames;
}

// Writes `frames` values of every member lane by lane, and returns the view onto them.
View& Values::lanes(const LaneGroup& group, uint32_t param, uint64_t frames) {
    reserve_lanes(group, param, frames);
    LaterValue& room = r.later_[{group.first, param}];
    const auto channels = static_cast<uint32_t>(r.plan_.nodes[group.first].channels), batches = r.env_.batches;
    double* const to = room.lanes;
    Tensor scratch;
    for (uint32_t l = 0; l < group.env.batches; ++l) {
        const Tensor& t = played(group.first + l / batches, param, scratch);
        for (uint32_t c = 0; c < channels; ++c)
            for (uint64_t n = 0; n < frames; ++n)
                to[(l * channels + c) * frames + n] = t.at(r.first_batch_ + l % batches, c, n);
    }
    const auto n = static_cast<int64_t>(frames);
    return *room.view = {to, n, n * channels, 1};
}

void Values::install_lanes(const LaneGroup& group, uint32_t param) {
    Work& w = r.work_[group.first];
    const PlanNode& n = r.plan_.nodes[group.first];
    Step* step = w.parameter[param];
    if (const uint64_t frames = frames_played(group, param); step && frames > 1) {
        step->of_parameter.tensor = &lanes(group, param, frames);
        step->of_parameter.tensor_frames = static_cast<int64_t>(frames);
        return;
    }
    hold_lanes(group, param, step ? step->of_parameter.base : w.main->par[param]);
    if (step) {
        step->of_parameter.tensor = nullptr;
        return;
    }
    r.bind_rows(group.first);
    if (const auto prepare = n.type->ops[1].prepare) prepare(*w.main);
}

// Makes the step read `values`, with the shape of `shape` and its batches, frame by frame.
void Values::play(Step& step, View& view, const double* values, const Tensor& shape) const {
    const auto frames = static_cast<int64_t>(shape.frames);
    // views are not const because outputs use them too; this one is only read
    auto* data = const_cast<double*>(values);
    view = {data, shape.channels == 1 ? 0 : frames, shape.batches == 1 ? 0 : frames * shape.channels, 1};
    step.of_parameter.tensor = &view;
    step.of_parameter.tensor_frames = frames;
    step.of_parameter.curve = nullptr;
}

void Values::install(uint32_t node, uint32_t param, const Tensor& t) {
    if (t.frames == 1) return hold_value(node, param, t);
    const uint64_t of_batch = t.channels * t.frames, size = t.batches == 1 ? of_batch : r.env_.batches * of_batch;
    double* copy = r.arena_.doubles(size);
    std::copy_n(t.data.data() + (t.batches == 1 ? 0 : r.first_batch_ * of_batch), size, copy);
    play(*r.work_[node].parameter[param], *r.arena_.make<View>(1), copy, t);
}

void Values::hold_value(uint32_t node, uint32_t param, const Tensor& t) {
    Work& w = r.work_[node];
    const PlanNode& n = r.plan_.nodes[node];
    Step* step = w.parameter[param];
    View& view = step ? step->of_parameter.base : w.main->par[param];
    double* rows =
        view.data ? view.data
                  : r.arena_.doubles(static_cast<uint64_t>(n.channels) * static_cast<uint64_t>(r.env_.groups) * kLanes);
    if (step) {
        hold(rows, t, view);
        step->of_parameter.tensor = nullptr;
        step->of_parameter.curve = nullptr;
    } else {
        hold(rows, t, view, clamp_range(n.type->contract->params[param]));
        r.bind_rows(node);
        if (const auto prepare = n.type->ops[r.layout(node)].prepare) prepare(*w.main);
        w.fired_once = false;
    }
}

void Values::announce(uint32_t node, uint32_t param, const Tensor& t) {
    const uint32_t leader = r.leader(node);
    Step* step = r.work_[leader].parameter[param];
    // the parameter has a curve or a frame axis now and may become constant later
    if (step && !step->of_parameter.base.data) {
        const auto rows =
            static_cast<uint64_t>(r.plan_.nodes[leader].channels) * static_cast<uint64_t>(step->env->groups);
        step->of_parameter.base.data = r.arena_.doubles(rows * kLanes);
    }
    LaterValue& own = r.later_[{node, param}];
    const LaneGroup* group = r.lane_group(node);
    if (!group) {
        if (step && t.frames > 1 && !own.view) own.view = r.arena_.make<View>(1);
        return;
    }
    for (uint32_t u = group->first; u < group->first + group->count; ++u) {
        Tensor scratch;  // prepared here, as installing a default would otherwise build it each time
        if (&played(u, param, scratch) == &scratch)
            r.later_[{u, param}].value = std::make_shared<const Tensor>(std::move(scratch));
    }
    const uint64_t frames = std::max(t.frames, frames_played(*group, param));
    if (step && frames > 1) reserve_lanes(*group, param, frames);
}

void Values::install_later(uint32_t node, uint32_t param, std::shared_ptr<const Tensor> value) {
    LaterValue& own = r.later_[{node, param}];
    own.value = std::move(value);
    const Tensor& t = *own.value;
    Step* step = r.work_[r.leader(node)].parameter[param];
    if (const LaneGroup* group = r.lane_group(node)) return install_lanes(*group, param);
    if (!step || t.frames == 1) return hold_value(node, param, t);
    if (!own.view) own.view = r.arena_.make<View>(1);
    const uint64_t first = t.batches == 1 ? 0 : r.first_batch_ * t.channels * t.frames;
    play(*step, *own.view, t.data.data() + first, t);
}

}  // namespace amp
