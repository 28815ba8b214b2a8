// Connects lane groups to other nodes: lanes read directly, packed from separate rows, or copied to separate rows.
#include "engine/build/builder.hpp"

namespace amp {

// Finds sums of many edges in which eight consecutive edges are the lanes of one group: the sum reads those lanes
// directly.
void Builder::find_lane_runs() {
    in_run.assign(r.plan_.edges.size(), false);
    if (r.lane_groups_.empty() || r.env_.batches > 1) return;
    const auto lane_of = [&](uint32_t k) { return r.first_lane(r.plan_.edges[k].src); };
    for (uint32_t u = 0; u < r.plan_.nodes.size(); ++u) {
        if (r.lane_group(u) || r.plan_.nodes[u].component >= 0) continue;
        for (uint32_t p = 0; p < contract(u).n_inputs; ++p) {
            const auto edges = entering(u, static_cast<int32_t>(p), -1);
            if (edges.size() <= kMostAdded || stacks(contract(u).inputs[p])) continue;
            for (size_t i = 0; i + kLanes <= edges.size(); ++i) {
                const PlanEdge& first = r.plan_.edges[edges[i]];
                bool run = r.lane_group(first.src) && lane_of(edges[i]) % kLanes == 0;
                for (uint32_t j = 1; run && j < kLanes; ++j) {
                    const PlanEdge& e = r.plan_.edges[edges[i + j]];
                    run = r.leader(e.src) == r.leader(first.src) && lane_of(edges[i + j]) == lane_of(edges[i]) + j &&
                          e.src_port == first.src_port && e.channel == first.channel && e.lag == first.lag;
                }
                for (uint32_t j = 0; run && j < kLanes; ++j) in_run[edges[i + j]] = true;
            }
        }
    }
}

// Whether edge k connects member i of one lane group to member i of another for every i, so that the lanes are read
// directly.
bool Builder::is_straight(uint32_t k) const {
    const PlanEdge& e = r.plan_.edges[k];
    const LaneGroup *to = r.lane_group(e.dst), *from = r.lane_group(e.src);
    if (!to) return true;
    if (!from || from->count != to->count) return false;
    for (uint32_t m = 0; m < to->count; ++m)
        if (r.plan_.edges[twin(k, m)].src != from->first + m) return false;
    return true;
}

// Copies the outputs of a lane group that other nodes read to separate rows, lane by lane.
void Builder::lift() {
    for (const auto& [place, port] : lifted) {
        const auto [u, k] = place;
        Step& s = make_step(StepKind::unpack, u, r.table_->unpack, port->channels, 1);
        shown_to = u;
        show(s.in[0], r.work_[u].out[k], 0);
        show(s.out[0], *port, 0);
        r.work_[u].after.push_back(&s);
        if (!r.work_[u].before_first.empty()) r.work_[u].before_first.push_back(&s);
    }
}

// Points a view at batch b of what an edge carries, wherever its source stores it. For nodes outside lane groups, and
// for packing.
void Builder::show_lane(View& view, const PlanEdge& e, int32_t channel, uint32_t b) {
    const uint32_t lead = r.leader(e.src), lane = r.first_lane(e.src) + b;
    const auto apart = r.lane_group(e.dst) || gathers_lanes(e) ? lifted.end() : lifted.find({lead, e.src_port});
    const Port& p = apart != lifted.end() ? *apart->second : r.work_[lead].out[e.src_port];
    const int64_t group = lane / static_cast<uint32_t>(p.width);
    show_from(view, p, behind(e), channel, group * p.row + lane % static_cast<uint32_t>(p.width));
}

// The lanes of what the members of a lane group read through the edges corresponding to edge k. The first call creates
// the step that packs them.
const Port& Builder::pack(uint32_t k) {
    if (const auto it = packed.find(k); it != packed.end()) return it->second;
    const PlanEdge& e = r.plan_.edges[k];
    const LaneGroup& group = *r.lane_group(e.dst);
    Step& s = make_step(StepKind::pack, group.first, r.table_->pack, shown_channels(e),
                        static_cast<int32_t>(group.env.batches));
    for (uint32_t l = 0; l < group.env.batches; ++l)
        show_lane(s.in[l], r.plan_.edges[twin(k, l / r.env_.batches)], e.channel, l % r.env_.batches);
    const Port p = slice(pack_slot.at(k), group.first, s.channels);
    s.out[0] = view_of(p);
    add_before(group.first, s, is_outside(group.first, {k}));
    return packed.emplace(k, p).first->second;
}

}  // namespace amp
