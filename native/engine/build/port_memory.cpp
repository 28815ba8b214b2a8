// Memory of outputs and of edges that hold tokens, their initial tokens, and the flush of denormals in loops.
#include <algorithm>
#include <set>

#include "engine/build/builder.hpp"
#include "engine/build/initial_tokens.hpp"

namespace amp {

// Pass 2: places the memory.
void Builder::place() {
    for (uint64_t rows : slots.rows())
        slot_data.push_back(r.arena_.doubles(rows * static_cast<uint64_t>(slice_row(1))));
    for (uint32_t u = 0; u < r.work_.size(); ++u)
        for (size_t k = 0; k < r.work_[u].out.size(); ++k) {
            Port& p = r.work_[u].out[k];
            const uint64_t rows = Shape{p.channels, p.groups}.rows();
            switch (p.storage) {
            case Storage::constant:
                p.row = kLanes;
                p.data = r.arena_.doubles(rows * kLanes);
                break;
            case Storage::shared:
                p.row = slice_row(p.width);
                p.data = slot_data[static_cast<size_t>(out_slot[u][k])];
                break;
            case Storage::ring:
            case Storage::kept: p.room = room(u), window(p);
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

// Allocates a window. The block advances through its memory; at the end the history is moved back to the start.
void Builder::window(Port& p) {
    p.storage = Storage::ring;
    p.capacity = 2 * p.history + (r.common_.streams ? 2 * p.room : r.block_);
    p.pos = p.history;
    p.row = (p.capacity + kPad) * p.width;
    p.data = r.arena_.doubles(Shape{p.channels, p.groups}.rows() * static_cast<uint64_t>(p.row));
    r.windows_.push_back(&p);
}

// Creates the steps that write outputs, and edges with initial tokens, until the first token.
void Builder::initial_tokens(const std::map<uint32_t, const Port*>& token_port) {
    for (uint32_t u = 0; u < r.work_.size(); ++u)
        for (const Port& p : r.work_[u].out) tokens_step(u, p);
    for (const auto& [k, port] : token_port) {
        Step* s = tokens_step(r.plan_.edges[k].src, *port);
        if (!s) continue;
        auto* view = r.arena_.make<View>(1);
        *view = tokens(k);
        s->of_tokens.tokens = view;
        s->of_tokens.frames = static_cast<int64_t>(r.plan_.edges[k].delay);
    }
}

Step* Builder::tokens_step(uint32_t u, const Port& p) {
    const PlanNode& n = r.plan_.nodes[u];
    if (n.arrival + n.latency == 0) return nullptr;
    Step& s = make_step(StepKind::initial_tokens, u, {before_first_token, tick_before_first_token}, p.channels, 0);
    s.arrival = n.arrival + n.latency;
    shown_to = u;
    show(s.out[0], p, written(u));
    r.work_[u].before_first.push_back(&s);
    return &s;
}

// The initial tokens of an edge for the batches of this shard, in (b, c, n) order.
View Builder::tokens(uint32_t k) const {
    const Tensor& t = said_of(r.plan_, r.plan_.edges[k]).tokens;
    const int64_t frames = static_cast<int64_t>(t.frames), of_batch = frames * t.channels;
    // views are not const because outputs use them too; this one is only read
    auto* data = const_cast<double*>(t.data.data());
    return {data + (t.batches == 1 ? 0 : r.first_batch_ * of_batch), t.channels == 1 ? 0 : frames,
            t.batches == 1 ? 0 : of_batch, 1};
}

// Adds a flush step after each output that an edge delays inside a loop, so that loops without recursive state decay to
// zero and not to denormals.
void Builder::flush_loops() {
    std::set<const Port*> done;
    for (const PlanEdge& e : r.plan_.edges) {
        const uint32_t src = r.leader(e.src);
        const Port& p = r.work_[src].out[e.src_port];
        if (!recurs(r.plan_, e) || !done.insert(&p).second) continue;
        Step& s = make_step(StepKind::flush, src, r.table_->flush[r.layout(src)], p.channels, 0);
        shown_to = src;
        show(s.out[0], p, written(src));
        r.work_[src].after.push_back(&s);
    }
}

const Port& Builder::token_window(uint32_t k) {
    const PlanEdge& e = r.plan_.edges[k];
    const Tensor& t = said_of(r.plan_, e).tokens;
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
                      "Give one batch of them, or one per batch.", name(e.dst));
    Step fill(StepKind::initial_tokens);
    View source = tokens(k), out = view_of(p, p.history);
    fill.env = &r.env_;
    fill.channels = p.channels;
    fill.groups = p.groups;
    fill.of_tokens.tokens = &source;
    fill.of_tokens.frames = static_cast<int64_t>(e.delay);
    fill.out = &out;
    const PlanNode& n = r.plan_.nodes[e.src];
    const int64_t start = r.common_.streams ? 0 : n.arrival + n.latency;
    before_first_token(fill, {-p.history - start, 0, static_cast<uint32_t>(p.history)});
    return p;
}

}  // namespace amp
