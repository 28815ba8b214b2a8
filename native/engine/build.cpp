// configure: where every token lives, and the steps that make them.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/build.hpp"
#include "engine/early.hpp"
#include "engine/values.hpp"
#include "plan/parameters.hpp"

namespace amp {

namespace {

constexpr int64_t kPad = kLanes;             // frames a kernel may write past its window
constexpr uint64_t kWorkingSet = 24 * 1024;  // bytes of slices that should stay in L1
constexpr uint32_t kMostBlock = 512;         // frames
constexpr uint32_t kBlockStep = 64;

// Slices of the block whose lifetimes do not overlap share memory. Sizes are in rows. Parts that run side by side take
// from pools of their own.
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

struct Shape {  // of one signal
    int32_t channels, groups;
    uint64_t rows() const { return static_cast<uint64_t>(channels) * static_cast<uint64_t>(groups); }
};

}  // namespace

struct Builder {
    Shard& r;
    Values values{r};
    Slots slots{};
    std::vector<std::vector<int>> out_slot{};           // [node][port], -1: window or held
    std::vector<std::map<uint32_t, int>> param_slot{};  // [node] parameter -> slot
    std::vector<std::map<int32_t, int>> gather_slot{};  // [node] input port -> slot; -1 the curve of a controller
    std::map<uint32_t, int> pack_slot{};                // edge of the lead of a team -> slot of its lanes
    std::map<uint32_t, Port> packed{};                  // the same, once its step is there
    std::map<std::pair<uint32_t, uint32_t>, int> lift_slot{};       // (lead, output) -> slot, -1: window
    std::map<std::pair<uint32_t, uint32_t>, Port*> lifted{};        // outputs of teams lane by lane, for other nodes
    std::multimap<size_t, std::pair<int, uint32_t>> dies_lifted{};  // unit end -> slot, home
    std::vector<bool> in_run{};                 // [edge] one of eight lanes that a sum reads as they are
    std::vector<std::vector<uint32_t>> home{};  // [node][port] group that may have the slice after it
    std::vector<double*> slot_data{};
    uint32_t shown_to = 0;  // the node whose views are being made

    const amp_node_contract& contract(uint32_t u) const { return *r.plan_.nodes[u].type->contract; }
    const std::string& name(uint32_t u) const { return r.plan_.nodes[u].descriptor->name; }
    size_t unit_end(uint32_t u) const {  // last node of the component or of the team, or the node itself
        const int32_t c = r.plan_.nodes[u].component;
        return c < 0 ? r.lead(u) + r.fired_with(u) - 1 : r.plan_.components[static_cast<size_t>(c)].nodes.back();
    }
    std::vector<uint32_t> entering(uint32_t u, int32_t port, int32_t param) const {
        std::vector<uint32_t> list;
        for (uint32_t k : r.plan_.nodes[u].in)
            if (r.plan_.edges[k].port == port && r.plan_.edges[k].param == param) list.push_back(k);
        return list;
    }
    bool reads_curve(uint32_t u) const {
        const auto& c = contract(u);
        return c.n_inputs == 0 && std::any_of(c.params, c.params + c.n_params, [](const auto& p) {
                   return p.kind == AMP_PARAM_TEXT && std::string(p.key) == "curve";
               });
    }

    // Channels of a port where several edges meet: what they stack to, or the node's.
    int32_t gathered(uint32_t u, uint32_t port) const {
        const PlanNode& n = r.plan_.nodes[u];
        return stacks(contract(u).inputs[port]) ? n.in_channels[port] : n.channels;
    }

    // The shape of a parameter worked out frame by frame; channels 0 if the parameter holds.
    Shape parameter_shape(uint32_t u, uint32_t k) const {
        const auto mods = entering(u, -1, static_cast<int32_t>(k));
        if (mods.empty() && values.is_default(u, k)) return {0, 0};
        Tensor scratch;
        const Value now = values.in_force(u, k, scratch),
                    given = values.given(u, k, scratch);  // clear_params goes back to what was given
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
    Shape widest_shape(uint32_t u, uint32_t k) const {  // of all members of a team
        Shape all{0, 0};
        for (uint32_t v = u; v < u + r.fired_with(u); ++v)
            if (const Shape s = parameter_shape(v, k); s.channels > all.channels) all = s;
        return all;
    }

    // A node that hands its one input on shares its source's slice and does nothing.
    const PlanEdge* passed(uint32_t u) const {
        const PlanNode& n = r.plan_.nodes[u];
        if (!n.type->passes || n.component >= 0 || n.history || n.in.size() != 1) return nullptr;
        const PlanEdge& e = r.plan_.edges[n.in.front()];
        const bool slice = !r.team(e.src) && out_slot[e.src][e.src_port] >= 0;
        const bool alike = r.plan_.nodes[e.src].out_channels[e.src_port] == n.out_channels[0];
        return e.lag == 0 && e.channel < 0 && !has_tokens(r.plan_, e) && slice && alike ? &e : nullptr;
    }

    // A node that reads each place once, before it writes there, may write over what nobody reads after it: one slice
    // then goes down a whole chain and stays in L1.
    bool may_write_over(uint32_t u, uint32_t src, uint32_t port) const {
        const PlanNode& n = r.plan_.nodes[u];
        if (!n.type->in_place || n.component >= 0 || r.common_.config.flags & AMP_RUN_HEAT) return false;
        if (r.plan_.nodes[src].out_channels[port] != n.channels || stacks(contract(u).inputs[0])) return false;
        if (!r.team(src) != !r.team(u) || home[src][port] != r.parts_(u)) return false;
        return std::all_of(n.in.begin(), n.in.end(), [&](uint32_t k) {
            const PlanEdge& e = r.plan_.edges[k];  // from whichever node hands the slice on
            const bool same = out_slot[r.lead(e.src)][e.src_port] == out_slot[src][port];
            return !same || (e.port >= 0 && e.channel < 0 && is_straight(k));
        });
    }

    // Pass 1: which outputs are held, windows or slices; lifetimes decide who shares a slot.
    void assign() {
        const auto n = static_cast<uint32_t>(r.plan_.nodes.size());
        out_slot.resize(n), param_slot.resize(n), gather_slot.resize(n);
        std::vector<std::vector<std::pair<uint32_t, uint32_t>>> dies(n);  // [unit end] (node, port)
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
            const uint32_t src = r.lead(e.src);
            last[src][e.src_port] = std::max(last[src][e.src_port], unit_end(e.dst));
            meet_at(home[src][e.src_port], r.parts_(e.dst));
            if (e.lag > 0) delayed[e.src] = true;
            if (r.team(e.src) && !r.team(e.dst) && !gathers_lanes(e)) last_lifted[{src, e.src_port}] = 0;
        }
        for (uint32_t u = n; u-- > 0;)  // a slice that is handed on lives as long as what it is handed on as
            if (r.plan_.nodes[u].type->passes)
                for (uint32_t k : r.plan_.nodes[u].in) {
                    const PlanEdge& e = r.plan_.edges[k];
                    size_t& end = last[r.lead(e.src)][e.src_port];
                    end = std::max(end, last[u][0]);
                    meet_at(home[r.lead(e.src)][e.src_port], home[u][0]);
                }
        std::vector<int> pending;  // scratch of the component being walked
        for (uint32_t u = 0; u < n; ++u) {
            check(u);
            if (r.is_led(u)) {
                free_ended(u, pending, dies[u]);
                continue;
            }
            pack_slots(u, pending);
            gather_slots(u, pending);
            parameter_slots(u, pending);  // before inputs are written over: the node reads both
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
                p.held = r.plan_.nodes[u].type->holds && !varying && !delayed[u] && r.plan_.lead(u) == 0 && !r.team(u);
                p.history = r.plan_.lead(u);
                for (uint32_t v = u; v < u + r.fired_with(u); ++v)
                    p.history = std::max(p.history, static_cast<int64_t>(r.plan_.nodes[v].history));
                const bool slice = !p.held && p.history == 0;
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

    // At the end of a unit: scratch, and slices that nobody reads any more.
    void free_ended(uint32_t u, std::vector<int>& pending, const std::vector<std::pair<uint32_t, uint32_t>>& dead) {
        if (unit_end(u) != u) return;
        for (int s : pending) slots.give(s, r.parts_(u));
        pending.clear();
        for (const auto& [node, port] : dead) slots.give(out_slot[node][port], home[node][port]);
        const auto [first, end] = dies_lifted.equal_range(u);
        for (auto it = first; it != end; ++it) slots.give(it->second.first, it->second.second);
    }

    // A slice that is used beyond its part is free when all parts are done: for the tail.
    void meet_at(uint32_t& group, uint32_t user) const {
        if (group != user) group = r.parts_.tail();
    }

    // The size of a slot is counted in rows of one double per frame.
    int slot(uint32_t u, int32_t channels) {
        return slots.take(Shape{channels, r.env(u).groups}.rows() * static_cast<uint64_t>(r.env(u).width), r.parts_(u));
    }

    // Where many edges are added, eight in a row that are the lanes of one group are read as they are.
    void find_lane_runs() {
        in_run.assign(r.plan_.edges.size(), false);
        if (r.teams_.empty() || r.env_.batches > 1) return;
        const auto lane_of = [&](uint32_t k) { return r.first_lane(r.plan_.edges[k].src); };
        for (uint32_t u = 0; u < r.plan_.nodes.size(); ++u) {
            if (r.team(u) || r.plan_.nodes[u].component >= 0) continue;
            for (uint32_t p = 0; p < contract(u).n_inputs; ++p) {
                const auto edges = entering(u, static_cast<int32_t>(p), -1);
                if (edges.size() <= kMostAdded || stacks(contract(u).inputs[p])) continue;
                for (size_t i = 0; i + kLanes <= edges.size(); ++i) {
                    const PlanEdge& first = r.plan_.edges[edges[i]];
                    bool run = r.team(first.src) && lane_of(edges[i]) % kLanes == 0;
                    for (uint32_t j = 1; run && j < kLanes; ++j) {
                        const PlanEdge& e = r.plan_.edges[edges[i + j]];
                        run = r.lead(e.src) == r.lead(first.src) && lane_of(edges[i + j]) == lane_of(edges[i]) + j &&
                              e.src_port == first.src_port && e.channel == first.channel && e.lag == first.lag;
                    }
                    for (uint32_t j = 0; run && j < kLanes; ++j) in_run[edges[i + j]] = true;
                }
            }
        }
    }
    bool gathers_lanes(const PlanEdge& e) const { return in_run[static_cast<size_t>(&e - r.plan_.edges.data())]; }

    // The edge of member m of a team that stands where edge k of its lead stands.
    uint32_t twin(uint32_t k, uint32_t m) const {
        const uint32_t lead = r.plan_.edges[k].dst;
        const auto& in = r.plan_.nodes[lead].in;
        return r.plan_.nodes[lead + m].in[static_cast<size_t>(std::find(in.begin(), in.end(), k) - in.begin())];
    }
    // Whether a team reads the lanes of another as they are: member from member.
    bool is_straight(uint32_t k) const {
        const PlanEdge& e = r.plan_.edges[k];
        const Team *to = r.team(e.dst), *from = r.team(e.src);
        if (!to) return true;
        if (!from || from->count != to->count) return false;
        for (uint32_t m = 0; m < to->count; ++m)
            if (r.plan_.edges[twin(k, m)].src != from->first + m) return false;
        return true;
    }
    int32_t shown_channels(const PlanEdge& e) const {
        return e.channel >= 0 ? 1 : r.plan_.nodes[e.src].out_channels[e.src_port];
    }
    void pack_slots(uint32_t u, std::vector<int>& pending) {
        if (!r.team(u)) return;
        for (uint32_t k : r.plan_.nodes[u].in)
            if (!is_straight(k)) pending.push_back(pack_slot[k] = slot(u, shown_channels(r.plan_.edges[k])));
    }

    void check(uint32_t u) const {
        for (uint32_t k = 0; k < contract(u).n_params; ++k) {
            if (values.is_default(u, k)) continue;
            Tensor scratch;
            for (const Value& v :
                 {values.in_force(u, k, scratch), values.given(u, k, scratch)})  // clear_params goes back
                if (v.tensor && !v.tensor->data.empty())
                    check_shape(r.plan_, u, k, *v.tensor, r.common_.config.batches, "configure");
        }
    }

    void parameter_slots(uint32_t u, std::vector<int>& pending) {
        const auto& c = contract(u);
        for (uint32_t k = 0; k < c.n_params; ++k) {
            if (c.params[k].rate == AMP_RATE_FIXED || c.params[k].kind != AMP_PARAM_NUMBER) continue;
            const Shape s = widest_shape(u, k);
            if (s.channels) pending.push_back(param_slot[u][k] = slot(u, s.channels));
        }
        if (reads_curve(u))
            pending.push_back(gather_slot[u][-1] = slots.take(static_cast<uint64_t>(r.env_.width), r.parts_(u)));
    }

    // A node that adds up by itself reads a few edges in one go, without a step before it.
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

    void choose_block() {
        uint64_t rows = 0;
        for (uint64_t n : slots.rows()) rows += n;
        const uint64_t bytes = std::max<uint64_t>(1, rows) * sizeof(double);
        const auto fit =
            static_cast<uint32_t>(std::min<uint64_t>(kMostBlock, kWorkingSet / bytes / kBlockStep * kBlockStep));
        r.block_ = r.common_.config.block_frames ? r.common_.config.block_frames : std::max(kLeastBlock, fit);
    }

    int64_t slice_row(int64_t width) const { return (int64_t{r.block_} + kPad) * width; }

    // A stream shares nothing: every output keeps its tokens in a ring of its own. What stood in front of the first
    // token is what readers that lag see first; the raw frames of a latency go there too.
    void unshare() {
        for (uint32_t u = 0; u < r.work_.size(); ++u)
            for (size_t k = 0; k < r.work_[u].out.size(); ++k) {
                Port& p = r.work_[u].out[k];
                p.held = false;
                p.history = std::max<int64_t>(1, r.plan_.nodes[u].latency);
                out_slot[u][k] = -1;
            }
        for (const PlanEdge& e : r.plan_.edges) {
            Port& p = r.work_[e.src].out[e.src_port];
            if (!has_tokens(r.plan_, e)) p.history = std::max(p.history, static_cast<int64_t>(e.delay));
        }
    }
    int64_t room(uint32_t u) const {
        return r.common_.ring_frames ? r.common_.ring_frames : r.plan_.lead(u) + 2 * int64_t{r.block_};
    }
    int64_t written(uint32_t u) const { return r.common_.streams ? r.plan_.nodes[u].latency : 0; }
    int64_t behind(const PlanEdge& e) const { return static_cast<int64_t>(r.common_.streams ? e.delay : e.lag); }

    // Pass 2: memory.
    void place() {
        for (uint64_t rows : slots.rows())
            slot_data.push_back(r.arena_.doubles(rows * static_cast<uint64_t>(slice_row(1))));
        for (uint32_t u = 0; u < r.work_.size(); ++u)
            for (size_t k = 0; k < r.work_[u].out.size(); ++k) {
                Port& p = r.work_[u].out[k];
                const uint64_t rows = Shape{p.channels, p.groups}.rows();
                if (p.held) {
                    p.row = kLanes;
                    p.data = r.arena_.doubles(rows * kLanes);
                } else if (p.history == 0) {
                    p.row = slice_row(p.width);
                    p.data = slot_data[static_cast<size_t>(out_slot[u][k])];
                } else {
                    p.room = room(u);
                    window(p);
                }
            }
        for (const auto& [place, s] : lift_slot) {
            const Port& lanes = r.work_[place.first].out[place.second];
            Port& p = r.edge_ports_.emplace_back();
            p.channels = lanes.channels;
            p.groups = static_cast<int32_t>(r.env(place.first).batches);
            p.history = lanes.history;
            lifted[place] = &p;
            if (s < 0) {
                window(p);
                continue;
            }
            p.row = slice_row(1);
            p.data = slot_data[static_cast<size_t>(s)];
        }
    }

    // A window slides over its memory and is moved back to the start when it reaches the end.
    void window(Port& p) {
        p.capacity = 2 * p.history + (r.common_.streams ? 2 * p.room : r.block_);
        p.pos = p.history;
        p.row = (p.capacity + kPad) * p.width;
        p.data = r.arena_.doubles(Shape{p.channels, p.groups}.rows() * static_cast<uint64_t>(p.row));
        r.windows_.push_back(&p);
    }

    void show(View& view, const Port& p, int64_t delay, int32_t channel = -1) { show_from(view, p, delay, channel, 0); }
    // The same from a place further on in the rows.
    void show_from(View& view, const Port& p, int64_t delay, int32_t channel, int64_t place) {
        view = view_of(p, delay, channel);
        view.data += place;
        if (p.capacity) r.patches_.push_back({&view, &p, delay, row_of(p, channel) + place, shown_to});
    }

    // Pass 3: steps.
    void steps() {
        std::map<uint32_t, const Port*> token_port;
        for (uint32_t k = 0; k < r.plan_.edges.size(); ++k)
            if (has_tokens(r.plan_, r.plan_.edges[k])) token_port[k] = &token_window(k);
        for (uint32_t u = 0; u < r.work_.size(); ++u)
            if (!r.is_led(u)) node(u, token_port);
        settle();
        for (const auto& [k, port] : token_port) {
            const PlanEdge& e = r.plan_.edges[k];
            shown_to = e.src;
            Step& s = gather(e.src, port->channels, 1);
            show(s.in[0], r.work_[e.src].out[e.src_port], written(e.src), e.channel);
            show(s.out[0], *port, written(e.src));
            r.work_[e.src].after.push_back(&s);
        }
        early(token_port);
        lift();
    }

    // What other nodes read of a team stands lane by lane behind it.
    void lift() {
        for (const auto& [place, port] : lifted) {
            const auto [u, k] = place;
            Step& s = gather(u, port->channels, 1);
            s.fire = r.table_->unpack;
            s.tick = r.table_->unpack_tick;
            shown_to = u;
            show(s.in[0], r.work_[u].out[k], 0);
            show(s.out[0], *port, 0);
            r.work_[u].after.push_back(&s);
            if (!r.work_[u].early.empty()) r.work_[u].early.push_back(&s);
        }
    }

    // What stands in for the tokens of an output, and of edges with initial tokens, until the first comes.
    void early(const std::map<uint32_t, const Port*>& token_port) {
        for (uint32_t u = 0; u < r.work_.size(); ++u)
            for (const Port& p : r.work_[u].out) early_step(u, p);
        for (const auto& [k, port] : token_port) {
            Step* s = early_step(r.plan_.edges[k].src, *port);
            if (!s) continue;
            auto* view = r.arena_.make<View>(1);
            *view = tokens(k);
            s->source = view;
            s->source_frames = static_cast<int64_t>(r.plan_.edges[k].delay);
        }
    }

    Step* early_step(uint32_t u, const Port& p) {
        const PlanNode& n = r.plan_.nodes[u];
        if (n.arrival + n.latency == 0) return nullptr;
        Step& s = gather(u, p.channels, 0);
        s.fire = before_first_token;
        s.tick = early_tick;
        s.arrival = n.arrival + n.latency;
        shown_to = u;
        show(s.out[0], p, written(u));
        r.work_[u].early.push_back(&s);
        return &s;
    }

    // Initial tokens of an edge for the batches of this shard, (b, c, n) order.
    View tokens(uint32_t k) const {
        const Tensor& t = r.plan_.descriptors.edges[r.plan_.edges[k].descriptor].tokens;
        const int64_t frames = static_cast<int64_t>(t.frames), of_batch = frames * t.channels;
        auto* data = const_cast<double*>(t.data.data());  // views are for reading and writing; this one is read
        return {data + (t.batches == 1 ? 0 : r.first_batch_ * of_batch), t.channels == 1 ? 0 : frames,
                t.batches == 1 ? 0 : of_batch, 1};
    }

    // One step behind each output whose edge delays inside a loop, so that loops without state of their own decay to
    // zero.
    void settle() {
        std::set<const Port*> done;
        for (const PlanEdge& e : r.plan_.edges) {
            const uint32_t src = r.lead(e.src);
            const Port& p = r.work_[src].out[e.src_port];
            if (!recurs(r.plan_, e) || !done.insert(&p).second) continue;
            Step& s = gather(src, p.channels, 0);
            s.fire = r.table_->settle[r.layout(src)];
            s.tick = r.table_->settle_tick[r.layout(src)];
            shown_to = src;
            show(s.out[0], p, written(src));
            r.work_[src].after.push_back(&s);
        }
    }

    const Port& token_window(uint32_t k) {
        const PlanEdge& e = r.plan_.edges[k];
        const Tensor& t = r.plan_.descriptors.edges[e.descriptor].tokens;
        Port& p = r.edge_ports_.emplace_back();
        p.channels = carried(r.plan_, e);
        p.groups = r.env_.groups;
        p.width = r.env_.width;
        p.history = behind(e);
        if (r.common_.streams) p.history = std::max<int64_t>({1, p.history, r.plan_.nodes[e.src].latency});
        p.room = room(e.src);
        window(p);
        if (t.batches != 1 && t.batches != r.common_.config.batches)
            throw Failure(AMP_E_SHAPE, "configure",
                          text("%s: initial tokens (got %u batches, allowed 1 or %u).", name(e.dst).c_str(), t.batches,
                               r.common_.config.batches),
                          name(e.dst));
        Step fill{};
        View source = tokens(k), out = view_of(p, p.history);
        fill.env = &r.env_;
        fill.channels = p.channels;
        fill.groups = p.groups;
        fill.source = &source;
        fill.source_frames = static_cast<int64_t>(e.delay);
        fill.out = &out;
        const PlanNode& n = r.plan_.nodes[e.src];
        const int64_t start = r.common_.streams ? 0 : n.arrival + n.latency;
        before_first_token(fill, {-p.history - start, 0, static_cast<uint32_t>(p.history)});
        return p;
    }

    Step& gather(uint32_t u, int32_t channels, int32_t n_in, uint32_t mode = AMP_GATHER_SUM) {
        Step& s = *r.arena_.make<Step>(1);
        s.fire = r.table_->gather[mode][r.layout(u)];
        s.tick = r.table_->gather_tick[mode][r.layout(u)];
        s.env = &r.env(u);
        s.node = u;
        s.arrival = r.plan_.nodes[u].arrival;
        s.channels = channels;
        s.groups = s.env->groups;
        s.n_in = n_in;
        s.in = r.arena_.make<View>(static_cast<uint64_t>(n_in));
        s.out = r.arena_.make<View>(1);
        return s;
    }

    // A step and, just before it, what its firings work on.
    Step& make_step(uint64_t state, uint64_t coef, uint64_t lines) {
        constexpr uint64_t kLine = alignof(Step);
        const uint64_t first = coef % kLine ? state : (state + kLine - 1) / kLine * kLine;
        const uint64_t before = (first + coef + lines + kLine - 1) / kLine * kLine;
        auto* memory = static_cast<unsigned char*>(r.arena_.take(before + sizeof(Step)));
        Step& s = *new (memory + before) Step();
        s.state = memory;
        s.coef = memory + first;
        s.lines = memory + first + coef;
        return s;
    }

    void node(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
        const PlanNode& n = r.plan_.nodes[u];
        const auto& c = contract(u);
        Work& w = r.work_[u];
        const LayoutOps& ops = n.type->ops[r.layout(u)];
        const uint64_t rows = Shape{n.channels, r.env(u).groups}.rows();
        Step& s = make_step(rows * ops.state_bytes, rows * ops.coef_bytes, rows * ops.line_bytes);
        w.main = &s;
        s.fire = passed(u) ? [](Step&, const Firing&) { return kFired; } : ops.fire;
        s.tick = ops.tick;
        s.env = &r.env(u);
        s.node = u;
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
        r.lay(u);
        if (n.type->aux_frames) {
            s.aux_frames = n.type->aux_frames(s);
            s.aux = r.arena_.doubles(rows * s.aux_frames * static_cast<uint64_t>(s.env->width));
        }
        ops.reset(s);
        ops.prepare(s);
    }

    // The one parameter that moves is left to the node, if it is the one the node can work out by itself.
    void fuse(uint32_t u) {
        const Work& w = r.work_[u];
        const auto moving = [](const Step* s) { return s != nullptr; };
        const int32_t fast = r.plan_.nodes[u].type->fast;
        if (fast < 0 || r.plan_.nodes[u].component >= 0 || r.common_.config.flags & AMP_RUN_HEAT ||
            std::count_if(w.parameter.begin(), w.parameter.end(), moving) != 1)
            return;
        Step* p = w.parameter[static_cast<size_t>(fast)];
        if (!p || p->n_mods != 1 || p->clamp) return;
        p->fuses = true;
        w.main->fused = p;
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

    // `channel`: one of those the edge carries, -1 all.
    void source(View& view, uint32_t k, const std::map<uint32_t, const Port*>& token_port, int32_t channel = -1) {
        const PlanEdge& e = r.plan_.edges[k];
        const auto own = token_port.find(k);  // holds nothing but what the edge carries
        if (own != token_port.end())
            show(view, *own->second, behind(e), channel);
        else if (!is_straight(k))
            view = view_of(pack(k), 0, e.channel >= 0 ? -1 : channel);
        else if (!r.team(e.dst) && r.team(e.src))
            show_lane(view, e, e.channel >= 0 ? e.channel : channel, 0);
        else
            show(view, r.work_[r.lead(e.src)].out[e.src_port], behind(e), e.channel >= 0 ? e.channel : channel);
    }

    // Batch b of what an edge carries, wherever its source keeps it: for nodes that are no team, and for packing.
    void show_lane(View& view, const PlanEdge& e, int32_t channel, uint32_t b) {
        const uint32_t lead = r.lead(e.src), lane = r.first_lane(e.src) + b;
        const auto apart = r.team(e.dst) || gathers_lanes(e) ? lifted.end() : lifted.find({lead, e.src_port});
        const Port& p = apart != lifted.end() ? *apart->second : r.work_[lead].out[e.src_port];
        const int64_t group = lane / static_cast<uint32_t>(p.width);
        show_from(view, p, behind(e), channel, group * p.row + lane % static_cast<uint32_t>(p.width));
    }

    // The step that brings what the members of a team read into its lanes, made when the first asks for it.
    const Port& pack(uint32_t k) {
        if (const auto it = packed.find(k); it != packed.end()) return it->second;
        const PlanEdge& e = r.plan_.edges[k];
        const Team& team = *r.team(e.dst);
        Step& s = gather(team.first, shown_channels(e), static_cast<int32_t>(team.env.batches));
        s.fire = r.table_->pack;
        s.tick = r.table_->pack_tick;
        for (uint32_t l = 0; l < team.env.batches; ++l)
            show_lane(s.in[l], r.plan_.edges[twin(k, l / r.env_.batches)], e.channel, l % r.env_.batches);
        const Port p = slice(pack_slot.at(k), team.first, s.channels);
        s.out[0] = view_of(p);
        add_before(team.first, s, is_outside(team.first, {k}));
        return packed.emplace(k, p).first->second;
    }

    // The step that makes one signal of the edges of a port.
    Step& meet(uint32_t u, uint32_t port, const std::vector<uint32_t>& edges,
               const std::map<uint32_t, const Port*>& token_port) {
        const int32_t channels = gathered(u, port);
        if (!stacks(contract(u).inputs[port])) {
            Step& s = gather(u, channels, static_cast<int32_t>(edges.size()), contract(u).inputs[port].gather);
            for (size_t k = 0; k < edges.size(); ++k) source(s.in[k], edges[k], token_port);
            return s;
        }
        Step& s = gather(u, channels, channels, AMP_GATHER_CONCAT);
        View* view = s.in;
        for (uint32_t k : edges)
            for (int32_t c = 0; c < carried(r.plan_, r.plan_.edges[k]); ++c) source(*view++, k, token_port, c);
        return s;
    }

    void inputs(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
        const auto& c = contract(u);
        Step& s = *r.work_[u].main;
        for (uint32_t p = 0; p < c.n_inputs; ++p) {
            const auto edges = entering(u, static_cast<int32_t>(p), -1);
            if (!edges.empty()) s.fed |= 1u << p;
            if (edges.empty()) {
                Tensor t;
                t.data = {c.inputs[p].neutral};
                values.hold(r.arena_.doubles(kLanes), t, s.in[p]);
            } else if (edges.size() == 1 || adds_up(u, edges.size())) {
                source(s.in[p], edges.front(), token_port);
                s.more = r.arena_.make<View>(edges.size() - 1);
                for (size_t k = 1; k < edges.size(); ++k) source(s.more[s.n_more++], edges[k], token_port);
            } else {
                Step& met = meet(u, p, edges, token_port);
                met.port = static_cast<int32_t>(p);
                Port out = slice(gather_slot[u].at(static_cast<int32_t>(p)), u, met.channels);
                s.in[p] = met.out[0] = view_of(out);
                add_before(u, met, is_outside(u, edges));
            }
        }
        if (reads_curve(u)) curve_input(u);
    }

    Port slice(int slot, uint32_t u, int32_t channels) const {
        Port p;
        p.data = slot_data[static_cast<size_t>(slot)];
        p.width = r.env(u).width;
        p.row = slice_row(p.width);
        p.channels = channels;
        p.groups = r.env(u).groups;
        return p;
    }

    // Null until a history is set: execute refuses to begin without one.
    const CurveData* curve(const std::string& key) const {
        const auto it = r.common_.history.find(key);
        return it == r.common_.history.end() ? nullptr : &it->second;
    }

    void curve_input(uint32_t u) {
        const auto& c = contract(u);
        Step& main = *r.work_[u].main;
        for (uint32_t k = 0; k < c.n_params; ++k) {
            if (c.params[k].kind != AMP_PARAM_TEXT || std::string(c.params[k].key) != "curve") continue;
            const auto i = static_cast<size_t>(r.plan_.nodes[u].parameter[k]);
            const std::string& key = r.plan_.nodes[u].descriptor->parameters[i].text;
            Step& s = values.make_step(u, k, slot_data[static_cast<size_t>(gather_slot[u].at(-1))], 1, 1,
                                       slice_row(r.env_.width));
            s.curve = curve(key);
            s.low = -INFINITY;
            s.high = INFINITY;
            main.in[0] = s.out[0];
            add_before(u, s, true);
        }
    }

    void parameters(uint32_t u, const std::map<uint32_t, const Port*>& token_port) {
        const auto& c = contract(u);
        Work& w = r.work_[u];
        w.parameter.assign(c.n_params, nullptr);
        for (uint32_t k = 0; k < c.n_params; ++k) {
            const bool matrix = c.params[k].kind == AMP_PARAM_MATRIX;
            if (c.params[k].rate == AMP_RATE_FIXED || (c.params[k].kind != AMP_PARAM_NUMBER && !matrix)) continue;
            const auto slot = param_slot[u].find(k);
            if (slot != param_slot[u].end()) {
                const Shape shape = widest_shape(u, k);
                Step& s = values.make_step(u, k, slot_data[static_cast<size_t>(slot->second)], shape.channels,
                                           shape.groups, slice_row(r.env(u).width));
                const auto mods = entering(u, -1, static_cast<int32_t>(k));
                modulations(s, mods, token_port);
                w.main->par[k] = s.out[0];
                w.parameter[k] = &s;
                add_before(u, s, is_outside(u, mods));
            }
            if (const Team* team = r.team(u)) {
                w.parameter[k] ? values.install_lanes(*team, k) : values.hold_lanes(*team, k, w.main->par[k]);
                continue;
            }
            Tensor scratch;
            const Value v = values.in_force(u, k, scratch);
            if (v.curve)
                w.parameter[k]->curve = curve(*v.curve);
            else
                base(u, k, *v.tensor);
        }
    }

    // Like Values::install, but before there are coefficients to prepare.
    void base(uint32_t u, uint32_t k, const Tensor& t) {
        if (r.work_[u].parameter[k]) {
            values.install(u, k, t);
            return;
        }
        const int32_t elements = static_cast<int32_t>(t.channels * t.frames);  // more than one per channel: a matrix
        const uint64_t rows = Shape{std::max(r.plan_.nodes[u].channels, elements), r.env(u).groups}.rows();
        values.hold(r.arena_.doubles(rows * kLanes), t, r.work_[u].main->par[k],
                    values.clamp_range(contract(u).params[k]));
    }

    void modulations(Step& s, const std::vector<uint32_t>& mods, const std::map<uint32_t, const Port*>& token_port) {
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
        s.mods = list;
        s.n_mods = static_cast<int32_t>(mods.size());
    }
};

void build(Shard& r) {
    Builder b{r};
    b.assign();
    if (r.common_.streams) b.unshare();
    b.choose_block();
    b.place();
    b.steps();
    for (const Patch& q : r.patches_)
        if (r.moving_.empty() || r.moving_.back() != q.node) r.moving_.push_back(q.node);
    std::sort(r.moving_.begin(), r.moving_.end());
    r.moving_.erase(std::unique(r.moving_.begin(), r.moving_.end()), r.moving_.end());
}

}  // namespace amp
