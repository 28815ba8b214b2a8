// Decides how outputs are stored, and which slices share memory because their lifetimes do not overlap.
#include <algorithm>

#include "engine/build/builder.hpp"

namespace amp {

namespace {

constexpr uint64_t kWorkingSet = 24 * 1024;  // bytes of slices per block that stay in L1
constexpr uint32_t kMostBlock = 512;         // frames
constexpr uint32_t kBlockStep = 64;

}  // namespace

// The shape of a parameter that has a step (it changes frame by frame); 0 channels if the parameter is constant over
// frames.
Shape Builder::parameter_shape(uint32_t u, uint32_t k) const {
    const auto mods = entering(u, -1, static_cast<int32_t>(k));
    if (mods.empty() && values.is_default(u, k)) return {0, 0};
    Tensor scratch;
    const Value now = values.in_force(u, k, scratch),
                // clear_params returns to the given value, so the step must fit both
        given = values.given(u, k, scratch);
    const auto moves = [](const Value& v) { return v.curve || v.tensor->frames > 1; };
    const auto per_channel = [](const Value& v) { return v.tensor && v.tensor->channels > 1; };
    if (mods.empty() && !moves(now) && !moves(given)) return {0, 0};
    int32_t channels = per_channel(now) || per_channel(given) ? r.plan_.nodes[u].channels : 1;
    for (uint32_t m : mods) {
        const PlanEdge& e = r.plan_.edges[m];
        if (r.plan_.descriptors.modulations[e.descriptor].channel < 0 &&
            r.plan_.nodes[e.src].out_channels[e.src_port] > 1)
            channels = r.plan_.nodes[u].channels;
    }
    return {channels, r.env(u).groups};
}

// The edge whose source slice node u outputs unchanged, if u only passes its input on: then its kernel has nothing to
// do. NULL: u writes an output of its own.
const PlanEdge* Builder::passed(uint32_t u) const {
    const PlanNode& n = r.plan_.nodes[u];
    if (!n.type->passes || n.component >= 0 || n.history || r.plan_.lead(u) || n.in.size() != 1) return nullptr;
    const PlanEdge& e = r.plan_.edges[n.in.front()];
    const bool slice = !r.lane_group(e.src) && out_slot[e.src][e.src_port] >= 0;
    const bool alike = r.plan_.nodes[e.src].out_channels[e.src_port] == n.out_channels[0];
    return e.lag == 0 && e.channel < 0 && !has_tokens(r.plan_, e) && slice && alike ? &e : nullptr;
}

// Whether node u may write its output over a slice that ends with it. Its kernel must read each place before writing
// there, and nothing may read the slice afterwards. A chain of such nodes then uses one slice, which stays in L1.
bool Builder::may_write_over(uint32_t u, uint32_t src, uint32_t port) const {
    const PlanNode& n = r.plan_.nodes[u];
    if (!n.type->in_place || n.component >= 0 || r.common_.config.flags & AMP_RUN_HEAT) return false;
    if (r.plan_.nodes[src].out_channels[port] != n.channels || stacks(contract(u).inputs[0])) return false;
    if (!r.lane_group(src) != !r.lane_group(u) || home[src][port] != r.parts_(u)) return false;
    return std::all_of(n.in.begin(), n.in.end(), [&](uint32_t k) {
        const PlanEdge& e = r.plan_.edges[k];  // reading the same slice, also through nodes that pass it on
        const bool same = out_slot[r.leader(e.src)][e.src_port] == out_slot[src][port];
        return !same || (e.port >= 0 && e.channel < 0 && is_straight(k));
    });
}

// How an output is stored if some reader needs `history` frames before the block. (Streams store all outputs in rings.)
Storage Builder::storage(uint32_t u, int64_t history, bool moves) const {
    const bool holds = r.plan_.nodes[u].type->holds && !moves && r.plan_.lead(u) == 0 && !r.lane_group(u);
    return holds ? Storage::constant : history > 0 ? Storage::ring : Storage::shared;
}

// Pass 1: storage of outputs; lifetimes decide which outputs share a slot.
void Builder::assign() {
    const auto n = static_cast<uint32_t>(r.plan_.nodes.size());
    out_slot.resize(n), param_slot.resize(n), gather_slot.resize(n);
    // [unit end]: the (node, port) whose slices are free afterwards
    std::vector<std::vector<std::pair<uint32_t, uint32_t>>> dies(n);
    std::vector<std::vector<size_t>> last(n);
    std::vector<bool> delayed(n);
    home.resize(n);
    for (uint32_t u = 0; u < n; ++u) {
        last[u].assign(contract(u).n_outputs, unit_end(u));
        home[u].assign(contract(u).n_outputs, r.parts_(u));
    }
    find_lane_runs();
    std::map<std::pair<uint32_t, uint32_t>, size_t> last_lifted;
    for (const PlanEdge& e : r.plan_.edges) {
        const uint32_t src = r.leader(e.src);
        last[src][e.src_port] = std::max(last[src][e.src_port], unit_end(e.dst));
        meet_at(home[src][e.src_port], r.parts_(e.dst));
        if (e.lag > 0) delayed[e.src] = true;
        if (r.lane_group(e.src) && !r.lane_group(e.dst) && !gathers_lanes(e)) last_lifted[{src, e.src_port}] = 0;
    }
    for (uint32_t u = n; u-- > 0;)  // a slice that is passed on lives as long as the output it is passed on as
        if (r.plan_.nodes[u].type->passes)
            for (uint32_t k : r.plan_.nodes[u].in) {
                const PlanEdge& e = r.plan_.edges[k];
                size_t& end = last[r.leader(e.src)][e.src_port];
                end = std::max(end, last[u][0]);
                meet_at(home[r.leader(e.src)][e.src_port], home[u][0]);
            }
    std::vector<int> pending;  // scratch slots of the component being visited
    for (uint32_t u = 0; u < n; ++u) {
        check(u);
        if (!r.is_leader(u)) {
            free_ended(u, pending, dies[u]);
            continue;
        }
        pack_slots(u, pending);
        gather_slots(u, pending);
        // before inputs may be overwritten: the node reads its parameters and inputs together
        parameter_slots(u, pending);
        std::erase_if(dies[r.plan_.nodes[u].component < 0 ? unit_end(u) : u], [&](const auto& d) {
            const bool over = may_write_over(u, d.first, d.second);
            if (over) slots.give(out_slot[d.first][d.second], r.parts_(u));
            return over;
        });
        const PlanEdge* pass = passed(u);
        bool varying = !param_slot[u].empty();
        for (uint32_t k = 0; k < contract(u).n_outputs; ++k) {
            Port p;
            p.channels = r.plan_.nodes[u].out_channels[k];
            p.groups = r.env(u).groups;
            p.width = r.env(u).width;
            p.history = r.plan_.lead(u);
            for (uint32_t v = u; v < u + r.fired_with(u); ++v)
                p.history = std::max(p.history, static_cast<int64_t>(r.plan_.nodes[v].history));
            p.storage = storage(u, p.history, varying || delayed[u]);
            const bool slice = p.storage == Storage::shared;
            out_slot[u].push_back(pass ? out_slot[pass->src][pass->src_port] : slice ? slot(u, p.channels) : -1);
            if (slice && !pass) dies[last[u][k]].emplace_back(u, k);
            r.work_[u].out.push_back(p);
            if (!last_lifted.count({u, k})) continue;
            const uint64_t rows = static_cast<uint64_t>(p.channels) * r.env(u).batches;
            const int apart = slice ? slots.take(rows, r.parts_(u)) : -1;
            lift_slot[{u, k}] = apart;
            if (slice) dies_lifted.emplace(last[u][k], std::pair{apart, home[u][k]});
        }
        free_ended(u, pending, dies[u]);
    }
}

// At the end of a unit: frees its scratch slots and the slices that have no further reader.
void Builder::free_ended(uint32_t u, std::vector<int>& pending,
                         const std::vector<std::pair<uint32_t, uint32_t>>& dead) {
    if (unit_end(u) != u) return;
    for (int s : pending) slots.give(s, r.parts_(u));
    pending.clear();
    for (const auto& [node, port] : dead) slots.give(out_slot[node][port], home[node][port]);
    const auto [first, end] = dies_lifted.equal_range(u);
    for (auto it = first; it != end; ++it) slots.give(it->second.first, it->second.second);
}

void Builder::check(uint32_t u) const {
    for (uint32_t k = 0; k < contract(u).n_params; ++k) {
        if (values.is_default(u, k)) continue;
        Tensor scratch;
        // clear_params returns to the given value
        for (const Value& v : {values.in_force(u, k, scratch), values.given(u, k, scratch)})
            if (v.tensor && !v.tensor->data.empty())
                check_shape(r.plan_, u, k, *v.tensor, r.common_.config.batches, "configure");
    }
}

void Builder::parameter_slots(uint32_t u, std::vector<int>& pending) {
    const auto& c = contract(u);
    for (uint32_t k = 0; k < c.n_params; ++k) {
        if (c.params[k].rate == AMP_RATE_FIXED || c.params[k].kind != AMP_PARAM_NUMBER) continue;
        const Shape s = widest_shape(u, k);
        if (s.channels) pending.push_back(param_slot[u][k] = slot(u, s.channels));
    }
    if (reads_curve(u))
        pending.push_back(gather_slot[u][-1] = slots.take(static_cast<uint64_t>(r.env_.width), r.parts_(u)));
}

void Builder::choose_block() {
    uint64_t rows = 0;
    for (uint64_t n : slots.rows()) rows += n;
    const uint64_t bytes = std::max<uint64_t>(1, rows) * sizeof(double);
    const auto fit =
        static_cast<uint32_t>(std::min<uint64_t>(kMostBlock, kWorkingSet / bytes / kBlockStep * kBlockStep));
    const bool short_ones =
        !r.lane_groups_.empty() && r.parts_.count == 0;  // with threads, longer blocks: fewer synchronisations
    const uint32_t least = short_ones ? kLeastBlockOfLaneGroups : kLeastBlock;
    r.block_ = r.common_.config.block_frames ? r.common_.config.block_frames : std::max(least, fit);
}

// Streams share no slices: every output keeps its tokens in a ring of its own. Memory before the first token holds what
// lagging readers see first, and the frames a node with latency makes before its first token.
void Builder::unshare() {
    for (uint32_t u = 0; u < r.work_.size(); ++u)
        for (size_t k = 0; k < r.work_[u].out.size(); ++k) {
            Port& p = r.work_[u].out[k];
            p.storage = Storage::ring;
            p.history = std::max<int64_t>(1, r.plan_.nodes[u].latency);
            out_slot[u][k] = -1;
        }
    for (const PlanEdge& e : r.plan_.edges) {
        Port& p = r.work_[e.src].out[e.src_port];
        if (!has_tokens(r.plan_, e)) p.history = std::max(p.history, static_cast<int64_t>(e.delay));
    }
}

}  // namespace amp
