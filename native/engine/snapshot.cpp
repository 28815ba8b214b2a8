// snapshot and restore. Sizes come from the plan, never from the blob. Restoring builds new shards next to the old ones
// and reads into the new, so a refused blob changes nothing. Coefficients, constant outputs and slices are not saved:
// they follow from the parameters in force.
#include "engine/snapshot.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/build/parameter_values.hpp"

namespace amp {

namespace {

constexpr const char* kMagic = "AMPS";
// format of the payload; raised when the meaning of anything below, or of a node's state, changes
constexpr uint32_t kLayout = 2;
constexpr int64_t kFarthest = int64_t{1} << 61;

struct Save {  // saving and loading share one traversal of the memory
    Writer& w;
    void raw(const void* p, size_t size, const std::string&) const { w.raw(p, size); }
};

struct Load {
    Reader& r;
    void raw(void* p, size_t size, const std::string& what) const { r.raw(p, size, what.c_str()); }
};

void put_place(Writer& w, uint32_t node, uint32_t param) { w.put(node), w.put(param); }

void put_change(Writer& w, const Change& c) {
    w.put(c.time), put_place(w, c.node, c.param), w.put(uint8_t{c.given});
    if (!c.given) w.tensor(*c.value);
}

std::pair<uint32_t, uint32_t> get_place(Reader& in, const Plan& plan) {
    const auto node = in.get<uint32_t>("node of a parameter"), param = in.get<uint32_t>("parameter");
    if (node >= plan.nodes.size()) in.fail(text("node %u of a parameter is not in the plan", node));
    const amp_node_contract& c = *plan.nodes[node].type->contract;
    if (param >= c.n_params || !is_settable(c.params[param]))
        in.fail(text("%s has no parameter %u that can be set", plan.nodes[node].name.c_str(), param));
    return {node, param};
}

bool get_flag(Reader& in, const char* what) {
    const auto v = in.get<uint8_t>(what);
    if (v > 1) in.fail(text("%s is %u (allowed 0 or 1)", what, v));
    return v == 1;
}

// Reads a parameter value and checks it as set_param would.
Tensor get_value(Reader& in, const Common& common, uint32_t node, uint32_t param) {
    Tensor t = in.tensor("value of a parameter");
    try {
        check_shape(common.plan, node, param, t, common.config.batches, "restore");
        check_range(common.plan, node, param, t);
    } catch (const Failure& f) { in.fail("the value of a parameter does not fit: " + f.message); }
    return t;
}

Change get_change(Reader& in, const Common& common) {
    Change c{};
    c.time = in.get<int64_t>("time of a change");
    std::tie(c.node, c.param) = get_place(in, common.plan);
    c.given = get_flag(in, "kind of a change");
    if (!c.given) c.value = std::make_shared<const Tensor>(get_value(in, common, c.node, c.param));
    return c;
}

// Checks that layout, plan, schedule, batches, batch offset (it numbers the noise) and AMP_RUN_HEAT match this runtime.
void check_header(Reader& in, const Common& common) {
    if (const auto layout = in.get<uint32_t>("layout"); layout != kLayout)
        in.fail(text("layout %u is not known (this library reads %u)", layout, kLayout), "Take the snapshot again.");
    if (const auto digest = in.get<uint64_t>("plan digest");
        digest != common.plan.digest && digest != plan_digest_version_1(common.plan.descriptors))
        throw Failure(AMP_E_DRIFT, "restore",
                      text("snapshot: it is of another plan (got digest %s, this runtime has %s).", hex(digest).c_str(),
                           hex(common.plan.digest).c_str()),
                      "Restore it into a runtime of the graph it was taken from.");
    if (const auto order = in.get<uint64_t>("schedule digest"), mine = order_digest(common.plan); order != mine)
        throw Failure(AMP_E_INVALID_ARG, "restore",
                      text("schedule: not that of the snapshot (got %s, the snapshot has %s).", hex(mine).c_str(),
                           hex(order).c_str()),
                      "Set the schedule of the snapshot, or none in both.");
    const auto same = [&](const char* what, uint32_t mine) {
        if (const auto got = in.get<uint32_t>(what); got != mine)
            throw Failure(AMP_E_INVALID_ARG, "restore",
                          text("%s: not that of the snapshot (got %u, the snapshot has %u).", what, mine, got),
                          "Configure like it.");
    };
    same("batches", common.config.batches);
    same("batch_offset", common.config.batch_offset);
    same("heat", common.config.flags & AMP_RUN_HEAT);
}

}  // namespace

// All state of a runtime that a restore replaces.
struct Snapshot::Progress {
    Arena arena;
    Overrides overrides;
    std::vector<std::unique_ptr<Shard>> shards;
    std::vector<Change> changes;
    Moved moved;
    int64_t clock = 0, position = 0;
    bool cleared = false, failed = false;

    void swap(Runtime& r) {
        arena = std::exchange(r.common_.arena, std::move(arena));
        r.common_.overrides.swap(overrides);
        r.shards_.swap(shards);
        r.changes_.swap(changes);
        r.moved_.swap(moved);
        std::swap(r.clock_, clock), std::swap(r.position_, position);
        std::swap(r.cleared_, cleared), std::swap(r.failed_, failed);
    }
};

// States, node-owned frames and windows of a shard; of a window only the history before the next block.
template <class Io> void Snapshot::memory(Shard& s, const Io& io) {
    for (uint32_t u = 0; u < s.work_.size(); ++u) {
        const NodeType& type = *s.plan_.nodes[u].type;
        const std::string& name = s.plan_.nodes[u].name;
        if (!s.is_leader(u)) continue;
        Step& step = *s.work_[u].main;
        const auto rows = static_cast<size_t>(step.channels) * static_cast<size_t>(step.env->groups);
        io.raw(&s.work_[u].measured_lag, sizeof(int64_t), "delay of " + name);
        io.raw(step.state, rows * type.ops[s.layout(u)].state_bytes, "state of " + name);
        io.raw(step.aux, rows * step.aux_frames * static_cast<size_t>(step.env->width) * sizeof(double),
               "memory of " + name);
    }
    for (Port* p : s.windows_)
        for (int64_t k = 0; k < int64_t{p->channels} * p->groups; ++k)
            io.raw(p->data + k * p->row + (p->pos - p->history) * p->width,
                   static_cast<size_t>(p->history * p->width) * sizeof(double), "history of an edge");
}

// Checks that the frames that edges hold are finite. An executing runtime checks values when they are made; those from
// a blob have not been checked.
void Snapshot::check_finite(const Shard& s) {
    for (uint32_t u = 0; u < s.work_.size(); ++u)
        for (uint32_t port = 0; port < s.work_[u].out.size(); ++port) {
            const Port& p = s.work_[u].out[port];
            if (std::find(s.windows_.begin(), s.windows_.end(), &p) == s.windows_.end()) continue;
            for (int64_t k = 0; k < int64_t{p.channels} * p.groups; ++k) {
                const double* first = p.data + k * p.row + (p.pos - p.history) * p.width;
                const double* last = first + p.history * p.width;
                const double* bad = std::find_if(first, last, [](double x) { return !std::isfinite(x); });
                if (bad == last) continue;
                const PlanNode& n = s.plan_.nodes[u];
                const std::string& name = n.name;
                const char* key = n.type->contract->outputs[port].key;
                throw Failure(AMP_E_NONFINITE, "restore",
                              text("%s.%s: the snapshot holds %s among the frames that were made and not delivered.",
                                   name.c_str(), key, std::isnan(*bad) ? "NaN" : "Inf"),
                              "Restore it where nonfinite=\"allow\".", name, key);
            }
        }
}

template <class Io> void Snapshot::heat(Shard& s, const Io& io) {
    for (uint32_t u = 0; u < s.heat_.size(); ++u) {
        HeatTrack& t = s.heat_[u];
        const std::string what = "heat of " + s.plan_.nodes[u].name;
        for (double* x : {t.h, t.q})
            for (uint32_t b = 0; b < s.env_.batches; ++b)
                io.raw(x + t.place(b, -t.history), static_cast<size_t>(t.history) * sizeof(double), what);
        for (auto* v : {&t.own_sum, &t.q_sum, &t.total, &t.temperature})
            io.raw(v->data(), v->size() * sizeof(double), what);
        for (const HeatValue value : {HeatValue::own, HeatValue::total, HeatValue::temperature})
            for (uint64_t k = 0; k < s.heat_records_.windows(); ++k)
                io.raw(&s.heat_records_.at(k, value, u), sizeof(double), what);
    }
}

std::vector<uint8_t> Snapshot::take(const Runtime& r) {
    r.need_configured("snapshot");
    if (r.failed_)
        throw Failure(AMP_E_INVALID_ARG, "snapshot",
                      "the render stopped with an error before, in the middle of a block.", "Configure again first.");
    const amp_config& c = r.common_.config;
    Writer w;
    w.put(kLayout), w.put(r.plan_.digest), w.put(order_digest(r.plan_));
    w.put(c.batches), w.put(c.batch_offset), w.put(c.flags & AMP_RUN_HEAT);
    w.put(r.clock_), w.put(uint8_t{r.cleared_});
    w.put(static_cast<uint32_t>(r.common_.overrides.size()));
    for (const auto& [place, value] : r.common_.overrides) put_place(w, place.first, place.second), w.tensor(value);
    w.put(static_cast<uint32_t>(r.moved_.size()));
    for (const auto& [place, change] : r.moved_) {
        put_place(w, place.first, place.second), w.put(uint8_t{change.has_value()});
        if (change) put_change(w, *change);
    }
    w.put(static_cast<uint32_t>(r.changes_.size()));
    for (const Change& change : r.changes_) put_change(w, change);
    w.put(static_cast<uint32_t>(r.shards_.front()->heat_records().windows()));
    for (const auto& s : r.shards_) memory(*s, Save{w}), heat(*s, Save{w});
    return w.seal(kMagic);
}

// Parameters set at frame 0 determine which steps are built; later changes are installed on those steps.
void Snapshot::read_changes(Runtime& r, Reader& in) {
    for (uint32_t n = in.count("number of parameters set at frame 0", 32); n > 0; --n) {
        const auto place = get_place(in, r.plan_);
        r.common_.overrides[place] = get_value(in, r.common_, place.first, place.second);
    }
    r.build_shards();
    const auto announce = [&](Change& c) {
        if (c.given)
            c.value = r.value_given(c.node, c.param);
        else
            try {
                for (const auto& s : r.shards_) s->check_fits(c.node, c.param, *c.value);
            } catch (const Failure& f) { in.fail("the value of a parameter does not fit: " + f.message); }
        r.announce(c);
    };
    for (uint32_t n = in.count("number of parameters changed", 9); n > 0; --n) {
        const auto place = get_place(in, r.plan_);
        auto& moved = r.moved_[place];
        if (!get_flag(in, "whether a change is in force")) continue;
        moved = get_change(in, r.common_);
        if (std::pair{moved->node, moved->param} != place) in.fail("a change is of another parameter");
        announce(*moved);
        r.apply(*moved);
    }
    for (uint32_t n = in.count("number of changes that wait", 17); n > 0; --n) {
        Change c = get_change(in, r.common_);
        announce(c);
        if (c.time < (r.changes_.empty() ? r.clock_ : r.changes_.back().time)) in.fail("a change that waits is late");
        if (!r.moved_.count({c.node, c.param})) in.fail("a change that waits is of a parameter that is not changed");
        r.changes_.push_back(std::move(c));
    }
}

void Snapshot::read(Runtime& r, Reader& in) {
    r.clock_ = in.get<int64_t>("clock");
    if (r.clock_ < 0 || r.clock_ > kFarthest) in.fail("the clock is out of range");
    r.position_ = std::max<int64_t>(0, r.clock_ - r.plan_.latency);
    r.cleared_ = get_flag(in, "whether parameters were cleared");
    if (r.cleared_ && r.clock_ == 0) in.fail("parameters cleared at frame 0 are not kept");
    read_changes(r, in);
    const bool hot = r.common_.config.flags & AMP_RUN_HEAT && !r.plan_.nodes.empty();
    const uint64_t of_window = 3 * sizeof(double) * std::max<uint64_t>(1, r.plan_.nodes.size() * r.shards_.size());
    const uint32_t windows = in.count("number of heat windows", of_window);
    if (windows != (hot ? r.position_ / AMP_HEAT_WINDOW : 0)) in.fail("the heat windows are not those of the clock");
    for (const auto& s : r.shards_) {
        memory(*s, Load{in});
        if (r.common_.config.flags & AMP_RUN_STOP_NONFINITE) check_finite(*s);
        s->heat_records_.reserve(r.common_.arena, windows);
        s->heat_records_.set_windows(windows);
        heat(*s, Load{in});
        for (uint32_t u = 0; u < s->work_.size(); ++u) {
            const PlanNode& n = r.plan_.nodes[u];
            const Work& w = s->work_[u];
            if (w.measured_lag < 0 || w.measured_lag > n.latency)
                in.fail(text("the delay of %s is none it can have", n.name.c_str()));
            if (n.type->possible && w.main && !n.type->possible(*w.main))
                in.fail(text("the state of %s is none it can have", n.name.c_str()));
        }
    }
    in.end();
}

void Snapshot::restore(Runtime& r, const void* blob, size_t size) {
    r.need_configured("restore");
    Reader in(blob, size, kMagic, "restore");
    check_header(in, r.common_);
    if (!r.plan_.curves.empty() && r.common_.history.empty())
        throw Failure(AMP_E_INVALID_ARG, "restore",
                      text("the graph follows control curves (first \"%s\") and has no control history, which is not "
                           "part of a snapshot.",
                           r.plan_.curves.front().c_str()),
                      "Set it first.");
    Progress progress;
    progress.swap(r);
    try {
        read(r, in);
    } catch (...) {
        progress.swap(r);
        throw;
    }
}

}  // namespace amp
