// configure: creates the steps that compute every output.
#include <algorithm>
#include <cmath>

#include "engine/build/builder.hpp"

namespace amp {

// Pass 3: creates the steps.
void Builder::steps() {
    std::map<uint32_t, const Port*> token_port;
    for (uint32_t k = 0; k < r.plan_.edges.size(); ++k)
        if (has_tokens(r.plan_, r.plan_.edges[k])) token_port[k] = &token_window(k);
    for (uint32_t u = 0; u < r.work_.size(); ++u)
        if (r.is_leader(u)) node(u, token_port);
    flush_loops();
    for (const auto& [k, port] : token_port) {
        const PlanEdge& e = r.plan_.edges[k];
        shown_to = e.src;
        Step& s =
            make_step(StepKind::copy, e.src, r.table_->gather[AMP_GATHER_SUM][r.layout(e.src)], port->channels, 1);
        show(s.in[0], r.work_[e.src].out[e.src_port], written(e.src), e.channel);
        show(s.out[0], *port, written(e.src));
        r.work_[e.src].after.push_back(&s);
    }
    initial_tokens(token_port);
    lift();
}

Step& Builder::make_step(StepKind kind, uint32_t u, const StepOps& ops, int32_t channels, int32_t n_in) {
    Step& s = *r.arena_.make<Step>(1, kind);
    s.fire = ops.fire;
    s.tick = ops.tick;
    s.env = &r.env(u);
    s.place = u;
    s.arrival = r.plan_.nodes[u].arrival;
    s.channels = channels;
    s.groups = s.env->groups;
    s.n_in = n_in;
    s.in = r.arena_.make<View>(static_cast<uint64_t>(n_in));
    s.out = r.arena_.make<View>(1);
    return s;
}

// Allocates the step of a node and, directly before it in memory, its state, coefficients and rows.
Step& Builder::make_node_step(uint64_t state, uint64_t coef, uint64_t rows) {
    constexpr uint64_t kLine = alignof(Step), kWord = sizeof(double);
    const auto aligned = [](uint64_t size, uint64_t to) { return (size + to - 1) / to * to; };
    const uint64_t first = aligned(state, coef % kLine ? kWord : kLine);  // packs are aligned to cache lines
    const uint64_t second = aligned(first + coef, kWord);
    const uint64_t before = aligned(second + rows, kLine);
    auto* memory = static_cast<unsigned char*>(r.arena_.take(before + sizeof(Step)));
    Step& s = *new (memory + before) Step();
    s.state = memory;
    s.coef = memory + first;
    s.rows = memory + second;
    return s;
}

void Builder::node(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
    const PlanNode& n = r.plan_.nodes[u];
    const auto& c = contract(u);
    Work& w = r.work_[u];
    const LayoutOps& ops = n.type->ops[r.layout(u)];
    const uint64_t rows = Shape{n.channels, r.env(u).groups}.rows();
    Step& s = make_node_step(rows * ops.state_bytes, rows * ops.coef_bytes, rows * ops.row_bytes);
    w.main = &s;
    s.of_node.idle = passed(u) != nullptr;
    s.fire = s.of_node.idle ? idle : ops.fire;
    s.tick = ops.tick;
    s.env = &r.env(u);
    s.place = u;
    s.arrival = n.arrival;
    s.channels = n.channels;
    s.groups = s.env->groups;
    s.n_in = static_cast<int32_t>(c.n_inputs);
    s.key = fnv1a(name(u).data(), name(u).size());
    s.in = r.arena_.make<View>(std::max(1u, c.n_inputs));
    s.out = r.arena_.make<View>(c.n_outputs + 1);
    s.par = r.arena_.make<View>(std::max(1u, c.n_params));
    shown_to = u;
    double* fixed = r.arena_.make<double>(std::max(1u, c.n_params));
    for (uint32_t k = 0; k < c.n_params; ++k) fixed[k] = fixed_value(n, k);
    s.fixed = fixed;
    for (uint32_t k = 0; k < c.n_outputs; ++k) show(s.out[k], w.out[k], written(u));
    inputs(u, token_port);
    parameters(u, token_port);
    s.varying = values.varies(u);
    fuse(u);
    r.bind_rows(u);
    if (n.type->aux_frames) {
        s.aux_frames = n.type->aux_frames(s);
        s.aux = r.arena_.doubles(rows * s.aux_frames * static_cast<uint64_t>(s.env->width));
    }
    if (ops.reset) ops.reset(s);
    if (ops.prepare) ops.prepare(s);
}

// If exactly one parameter changes per frame and it is the one the node can compute itself (NodeType::fast), the node
// computes it and the parameter's step is not run.
void Builder::fuse(uint32_t u) {
    const Work& w = r.work_[u];
    const auto moving = [](const Step* s) { return s != nullptr; };
    const int32_t fast = r.plan_.nodes[u].type->fast;
    if (fast < 0 || r.plan_.nodes[u].component >= 0 || r.common_.config.flags & AMP_RUN_HEAT ||
        std::count_if(w.parameter.begin(), w.parameter.end(), moving) != 1)
        return;
    Step* p = w.parameter[static_cast<size_t>(fast)];
    if (!p || p->of_parameter.n_mods != 1 || p->of_parameter.clamps) return;
    p->of_parameter.fuses = true;
    w.main->fused = p;
}

// Points a view at what edge k carries. `channel`: one of the carried channels, -1: all.
void Builder::source(View& view, uint32_t k, const std::map<uint32_t, const Port*>& token_port, int32_t channel) {
    const PlanEdge& e = r.plan_.edges[k];
    const auto own = token_port.find(k);  // an edge's own window holds only the channels it carries
    if (own != token_port.end())
        show(view, *own->second, behind(e), channel);
    else if (!is_straight(k))
        view = view_of(pack(k), 0, e.channel >= 0 ? -1 : channel);
    else if (!r.lane_group(e.dst) && r.lane_group(e.src))
        show_lane(view, e, e.channel >= 0 ? e.channel : channel, 0);
    else
        show(view, r.work_[r.leader(e.src)].out[e.src_port], behind(e), e.channel >= 0 ? e.channel : channel);
}

// Creates the step that combines the edges of a port into one signal.
Step& Builder::meet(uint32_t u, uint32_t port, const std::vector<uint32_t>& edges,
                    const std::map<uint32_t, const Port*>& token_port) {
    const int32_t channels = gathered(u, port);
    if (!stacks(contract(u).inputs[port])) {
        Step& s = make_step(StepKind::port, u, r.table_->gather[contract(u).inputs[port].gather][r.layout(u)], channels,
                            static_cast<int32_t>(edges.size()));
        for (size_t k = 0; k < edges.size(); ++k) source(s.in[k], edges[k], token_port);
        return s;
    }
    Step& s = make_step(StepKind::port, u, r.table_->gather[AMP_GATHER_CONCAT][r.layout(u)], channels, channels);
    View* view = s.in;
    for (uint32_t k : edges)
        for (int32_t c = 0; c < carried(r.plan_, r.plan_.edges[k]); ++c) source(*view++, k, token_port, c);
    return s;
}

void Builder::inputs(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
    const auto& c = contract(u);
    Step& s = *r.work_[u].main;
    for (uint32_t p = 0; p < c.n_inputs; ++p) {
        const auto edges = entering(u, static_cast<int32_t>(p), -1);
        if (!edges.empty()) s.of_node.fed |= 1u << p;
        if (edges.empty()) {
            Tensor t;
            t.data = {c.inputs[p].neutral};
            values.hold(r.arena_.doubles(kLanes), t, s.in[p]);
        } else if (edges.size() == 1 || adds_up(u, edges.size())) {
            source(s.in[p], edges.front(), token_port);
            NodeStep& own = s.of_node;
            own.more = r.arena_.make<View>(edges.size() - 1);
            for (size_t k = 1; k < edges.size(); ++k) source(own.more[own.n_more++], edges[k], token_port);
        } else {
            Step& met = meet(u, p, edges, token_port);
            met.of_port.index = static_cast<int32_t>(p);
            Port out = slice(gather_slot[u].at(static_cast<int32_t>(p)), u, met.channels);
            s.in[p] = met.out[0] = view_of(out);
            add_before(u, met, is_outside(u, edges));
        }
    }
    if (reads_curve(u)) curve_input(u);
}

Port Builder::slice(int slot, uint32_t u, int32_t channels) const {
    Port p;
    p.data = slot_data[static_cast<size_t>(slot)];
    p.width = r.env(u).width;
    p.row = slice_row(p.width);
    p.channels = channels;
    p.groups = r.env(u).groups;
    return p;
}

void Builder::curve_input(uint32_t u) {
    const uint32_t k = contract(u).curve_param - 1;
    Step& main = *r.work_[u].main;
    Step& s = values.make_step(StepKind::curve, u, k, slot_data[static_cast<size_t>(gather_slot[u].at(-1))], 1, 1,
                               slice_row(r.env_.width));
    s.of_parameter.curve = curve(curve_played(r.plan_.nodes[u], k));
    s.of_parameter.low = -INFINITY;
    s.of_parameter.high = INFINITY;
    main.in[0] = s.out[0];
    add_before(u, s, true);
}

void Builder::parameters(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
    const auto& c = contract(u);
    Work& w = r.work_[u];
    w.parameter.assign(c.n_params, nullptr);
    for (uint32_t k = 0; k < c.n_params; ++k) {
        const bool matrix = c.params[k].kind == AMP_PARAM_MATRIX;
        if (c.params[k].rate == AMP_RATE_FIXED || (c.params[k].kind != AMP_PARAM_NUMBER && !matrix)) continue;
        const auto slot = param_slot[u].find(k);
        if (slot != param_slot[u].end()) {
            const Shape shape = widest_shape(u, k);
            Step& s = values.make_step(StepKind::parameter, u, k, slot_data[static_cast<size_t>(slot->second)],
                                       shape.channels, shape.groups, slice_row(r.env(u).width));
            const auto mods = entering(u, -1, static_cast<int32_t>(k));
            modulations(s, mods, token_port);
            w.main->par[k] = s.out[0];
            w.parameter[k] = &s;
            add_before(u, s, is_outside(u, mods));
            if (const LaneGroup* group = r.lane_group(u))
                for (uint32_t v = u; v < u + group->count; ++v)
                    if (const int32_t own = parameter_shape(v, k).channels; own != shape.channels)
                        r.alone_[{v, k}] = own;
        }
        if (const LaneGroup* group = r.lane_group(u)) {
            w.parameter[k] ? values.install_lanes(*group, k) : values.hold_lanes(*group, k, w.main->par[k]);
            continue;
        }
        Tensor scratch;
        const Value v = values.in_force(u, k, scratch);
        if (v.curve)
            w.parameter[k]->of_parameter.curve = curve(*v.curve);
        else
            base(u, k, *v.tensor);
    }
}

// Writes a parameter's value as Values::install does, but before there are coefficients to prepare.
void Builder::base(uint32_t u, uint32_t k, const Tensor& t) {
    if (r.work_[u].parameter[k]) {
        values.install(u, k, t);
        return;
    }
    // more than one per channel: the elements of a matrix
    const int32_t elements = static_cast<int32_t>(t.channels * t.frames);
    const uint64_t rows = Shape{std::max(r.plan_.nodes[u].channels, elements), r.env(u).groups}.rows();
    values.hold(r.arena_.doubles(rows * kLanes), t, r.work_[u].main->par[k], values.clamp_range(contract(u).params[k]));
}

void Builder::modulations(Step& s, const std::vector<uint32_t>& mods,
                          const std::map<uint32_t, const Port*>& token_port) {
    auto* list = r.arena_.make<Modulation>(mods.size());
    for (size_t i = 0; i < mods.size(); ++i) {
        const PlanEdge& e = r.plan_.edges[mods[i]];
        const ModulationDescriptor& d = r.plan_.descriptors.modulations[e.descriptor];
        list[i].scale = d.scale;
        list[i].offset = d.offset;
        list[i].channel = d.channel;
        list[i].channels = r.plan_.nodes[e.src].out_channels[e.src_port];
        list[i].multiply = d.multiply;
        source(list[i].source, mods[i], token_port);
    }
    s.of_parameter.mods = list;
    s.of_parameter.n_mods = static_cast<int32_t>(mods.size());
}

void Builder::build() {
    assign();
    if (r.common_.streams) unshare();
    choose_block();
    place();
    steps();
    for (const Patch& q : r.patches_)
        if (r.moving_.empty() || r.moving_.back() != q.node) r.moving_.push_back(q.node);
    std::sort(r.moving_.begin(), r.moving_.end());
    r.moving_.erase(std::unique(r.moving_.begin(), r.moving_.end()), r.moving_.end());
}

}  // namespace amp
