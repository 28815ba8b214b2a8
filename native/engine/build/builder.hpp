// Builds a shard's memory and steps. This header has what its files share: lifetimes.cpp decides which outputs share
// memory, port_memory.cpp places it, cohort_lanes.cpp connects lane groups to other nodes, steps.cpp creates the steps.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/build/parameter_values.hpp"
#include "plan/parameters.hpp"

namespace amp {

inline constexpr int64_t kPad = kLanes;  // frames that a kernel may write beyond its window

// Slots: memory for slices of the block, shared by slices whose lifetimes do not overlap. Sizes are in rows. Parts that
// run at the same time use separate pools.
class Slots {
public:
    int take(uint64_t rows, uint32_t pool) {
        auto& list = free_[{pool, rows}];
        if (!list.empty()) {
            const int s = list.back();
            list.pop_back();
            return s;
        }
        rows_.push_back(rows);
        return static_cast<int>(rows_.size()) - 1;
    }
    void give(int slot, uint32_t pool) { free_[{pool, rows_[static_cast<size_t>(slot)]}].push_back(slot); }
    const std::vector<uint64_t>& rows() const { return rows_; }

private:
    std::vector<uint64_t> rows_;
    std::map<std::pair<uint32_t, uint64_t>, std::vector<int>> free_;
};

struct Shape {  // rows of one signal
    int32_t channels, groups;
    uint64_t rows() const { return static_cast<uint64_t>(channels) * static_cast<uint64_t>(groups); }
};

struct Builder {
    Shard& r;
    Values values{r};
    Slots slots{};
    std::vector<std::vector<int>> out_slot{};           // [node][port]; -1: the output has no slice
    std::vector<std::map<uint32_t, int>> param_slot{};  // [node]: parameter -> slot
    std::vector<std::map<int32_t, int>> gather_slot{};  // [node]: input port -> slot; key -1: the curve of a controller
    std::map<uint32_t, int> pack_slot{};                // edge into the leader of a lane group -> slot of its lanes
    std::map<uint32_t, Port> packed{};                  // edge -> its lanes, once the pack step exists
    std::map<std::pair<uint32_t, uint32_t>, int> lift_slot{};  // (leader, output) -> slot, -1: window
    // (leader, output) -> the output of a lane group laid out lane by lane, for readers outside lane groups
    std::map<std::pair<uint32_t, uint32_t>, Port*> lifted{};
    // unit end -> slot of `lifted`, and the group that may reuse it
    std::multimap<size_t, std::pair<int, uint32_t>> dies_lifted{};
    std::vector<bool> in_run{};                 // [edge]: it is one of eight lanes that a sum reads directly
    std::vector<std::vector<uint32_t>> home{};  // [node][port]: the group of parts that may reuse the slice
    std::vector<double*> slot_data{};
    uint32_t shown_to = 0;  // the node whose views are being created

    const amp_node_contract& contract(uint32_t u) const { return *r.plan_.nodes[u].type->contract; }
    const std::string& name(uint32_t u) const { return r.plan_.nodes[u].name; }
    size_t unit_end(uint32_t u) const {  // place of the last node of u's component or lane group, or u itself
        const int32_t c = r.plan_.nodes[u].component;
        return c < 0 ? r.leader(u) + r.fired_with(u) - 1 : r.plan_.components[static_cast<size_t>(c)].nodes.back();
    }
    std::vector<uint32_t> entering(uint32_t u, int32_t port, int32_t param) const {
        std::vector<uint32_t> list;
        for (uint32_t k : r.plan_.nodes[u].in)
            if (r.plan_.edges[k].port == port && r.plan_.edges[k].param == param) list.push_back(k);
        return list;
    }
    bool reads_curve(uint32_t u) const { return contract(u).curve_param != 0; }

    // Channels of a port where several edges meet: the sum of their channels if the port stacks, otherwise the node's.
    int32_t gathered(uint32_t u, uint32_t port) const {
        const PlanNode& n = r.plan_.nodes[u];
        return stacks(contract(u).inputs[port]) ? n.in_channels[port] : n.channels;
    }
    Shape widest_shape(uint32_t u, uint32_t k) const {  // the widest among the members of a lane group
        Shape all{0, 0};
        for (uint32_t v = u; v < u + r.fired_with(u); ++v)
            if (const Shape s = parameter_shape(v, k); s.channels > all.channels) all = s;
        return all;
    }

    // A slice with readers in another part is free only after all parts are done, so that only the epilogue may reuse
    // it.
    void meet_at(uint32_t& group, uint32_t user) const {
        if (group != user) group = r.parts_.epilogue();
    }

    // Takes a slot; its size is counted in rows of one double per frame.
    int slot(uint32_t u, int32_t channels) {
        return slots.take(Shape{channels, r.env(u).groups}.rows() * static_cast<uint64_t>(r.env(u).width), r.parts_(u));
    }
    bool gathers_lanes(const PlanEdge& e) const { return in_run[static_cast<size_t>(&e - r.plan_.edges.data())]; }

    // The edge into member m of a lane group that corresponds to edge k into its leader.
    uint32_t twin(uint32_t k, uint32_t m) const {
        const uint32_t lead = r.plan_.edges[k].dst;
        const auto& in = r.plan_.nodes[lead].in;
        return r.plan_.nodes[lead + m].in[static_cast<size_t>(std::find(in.begin(), in.end(), k) - in.begin())];
    }
    int32_t shown_channels(const PlanEdge& e) const {  // channels that the edge carries
        return e.channel >= 0 ? 1 : r.plan_.nodes[e.src].out_channels[e.src_port];
    }
    // pack_slots, gather_slots and parameter_slots take scratch slots for node u and add them to `pending`: the slots
    // are free after the unit of u.
    void pack_slots(uint32_t u, std::vector<int>& pending) {
        if (!r.lane_group(u)) return;
        for (uint32_t k : r.plan_.nodes[u].in)
            if (!is_straight(k)) pending.push_back(pack_slot[k] = slot(u, shown_channels(r.plan_.edges[k])));
    }

    // Whether node u sums the edges of its port itself, without a gather step. Kernels with kAdds do so for a few
    // edges.
    bool adds_up(uint32_t u, size_t edges) const {
        const PlanNode& n = r.plan_.nodes[u];
        return n.type->adds && !(r.common_.config.flags & AMP_RUN_HEAT) && edges <= kMostAdded;
    }

    void gather_slots(uint32_t u, std::vector<int>& pending) {
        const auto& c = contract(u);
        for (uint32_t p = 0; p < c.n_inputs; ++p)
            if (const size_t n = entering(u, static_cast<int32_t>(p), -1).size(); n > 1 && !adds_up(u, n))
                pending.push_back(gather_slot[u][static_cast<int32_t>(p)] = slot(u, gathered(u, p)));
    }

    int64_t slice_row(int64_t width) const {  // doubles per row of a slice
        return (int64_t{r.block_} + kPad) * width;
    }
    int64_t room(uint32_t u) const {  // streams: Port::room of the outputs of node u
        return r.common_.ring_frames ? r.common_.ring_frames : r.plan_.lead(u) + 2 * int64_t{r.block_};
    }
    // frames by which a view for writing lags the clock: in streams the node's own latency
    int64_t written(uint32_t u) const { return r.common_.streams ? r.plan_.nodes[u].latency : 0; }
    // frames by which a view for reading lags the block
    int64_t behind(const PlanEdge& e) const { return static_cast<int64_t>(r.common_.streams ? e.delay : e.lag); }

    // Points a view of a step at a port, `delay` frames back; a view into a window is registered as a Patch.
    void show(View& view, const Port& p, int64_t delay, int32_t channel = -1) { show_from(view, p, delay, channel, 0); }
    // The same, starting `place` doubles further on in each row.
    void show_from(View& view, const Port& p, int64_t delay, int32_t channel, int64_t place) {
        view = view_of(p, delay, channel);
        view.data += place;
        if (p.capacity) r.patches_.push_back({&view, &p, delay, row_of(p, channel) + place, shown_to});
    }

    void add_before(uint32_t u, Step& s, bool outside) {
        r.work_[u].before.push_back(&s);
        r.work_[u].outside.push_back(outside);
    }

    bool is_outside(uint32_t u, const std::vector<uint32_t>& edges) const {
        const int32_t c = r.plan_.nodes[u].component;
        return std::none_of(edges.begin(), edges.end(),
                            [&](uint32_t k) { return c >= 0 && r.plan_.nodes[r.plan_.edges[k].src].component == c; });
    }

    // NULL until a history is set; execute fails until then.
    const CurveData* curve(const std::string& key) const {
        const auto it = r.common_.history.find(key);
        return it == r.common_.history.end() ? nullptr : &it->second;
    }

    // lifetimes.cpp
    Shape parameter_shape(uint32_t u, uint32_t k) const;
    const PlanEdge* passed(uint32_t u) const;
    bool may_write_over(uint32_t u, uint32_t src, uint32_t port) const;
    Storage storage(uint32_t u, int64_t history, bool moves) const;
    void assign();  // pass 1
    void free_ended(uint32_t u, std::vector<int>& pending, const std::vector<std::pair<uint32_t, uint32_t>>& dead);
    void check(uint32_t u) const;  // shapes of parameter values; throws AMP_E_SHAPE
    void parameter_slots(uint32_t u, std::vector<int>& pending);
    void choose_block();  // block size: the configured one, or so that slices stay in L1
    void unshare();

    // cohort_lanes.cpp
    void find_lane_runs();
    bool is_straight(uint32_t k) const;
    void lift();
    void show_lane(View& view, const PlanEdge& e, int32_t channel, uint32_t b);
    const Port& pack(uint32_t k);

    // port_memory.cpp
    void place();  // pass 2
    void window(Port& p);
    void initial_tokens(const std::map<uint32_t, const Port*>& token_port);
    Step* tokens_step(uint32_t u, const Port& p);  // NULL: the node's first token is at virtual time 0
    View tokens(uint32_t k) const;
    void flush_loops();
    const Port& token_window(uint32_t k);  // allocates and fills the window of an edge with initial tokens

    // steps.cpp
    void build();  // all passes
    void steps();  // pass 3
    // Creates a step of node u that is not a node's kernel, with `n_in` input views and one output view.
    Step& make_step(StepKind kind, uint32_t u, const StepOps& ops, int32_t channels, int32_t n_in);
    Step& make_node_step(uint64_t state, uint64_t coef, uint64_t lines);
    // Creates all steps of node u: of its inputs, its parameters and its kernel.
    void node(uint32_t u, const std::map<uint32_t, const Port*>& token_port);
    void fuse(uint32_t u);
    void source(View& view, uint32_t k, const std::map<uint32_t, const Port*>& token_port, int32_t channel = -1);
    Step& meet(uint32_t u, uint32_t port, const std::vector<uint32_t>& edges,
               const std::map<uint32_t, const Port*>& token_port);
    void inputs(uint32_t u, const std::map<uint32_t, const Port*>& token_port);
    // The memory of a slot as a port.
    Port slice(int slot, uint32_t u, int32_t channels) const;
    void curve_input(uint32_t u);
    void parameters(uint32_t u, const std::map<uint32_t, const Port*>& token_port);
    void base(uint32_t u, uint32_t k, const Tensor& t);
    void modulations(Step& s, const std::vector<uint32_t>& mods, const std::map<uint32_t, const Port*>& token_port);
};

}  // namespace amp
