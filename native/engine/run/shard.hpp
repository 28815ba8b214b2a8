// One share of the batches of a runtime, with all its memory: states, windows, slices, steps.
#pragma once
#include <array>
#include <bit>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "amp/diag.h"
#include "amp/metrics.h"
#include "core/arena.hpp"
#include "core/clock.hpp"
#include "core/signals/history.hpp"
#include "engine/run/partition.hpp"
#include "engine/run/thread_pool.hpp"
#include "plan/plan.hpp"

namespace amp {

// How the tokens of an output are kept. Builder::storage decides it.
enum class Storage : uint8_t {
    constant,  // one value per row for all frames: eight equal copies, or eight lanes
    shared,    // a slice of the block, which other outputs take when it is not read any more
    ring,      // a window that keeps `history` frames before the block; in streams, until all have read them
    kept,      // every frame of a render, for a reverse pass; not used yet
};

// Where the tokens of one output live. Frame i of the block stands at data + (pos + i) * width in each row.
struct Port {
    double* data = nullptr;
    int64_t row = 0;  // doubles per row
    int64_t history = 0, capacity = 0, pos = 0;
    int64_t room = 0;  // streams: tokens it holds beside the history before it has to grow
    int32_t channels = 1, groups = 1;
    int32_t width = 1;  // doubles per frame: lanes of a group
    Storage storage = Storage::shared;
    bool is_constant() const { return storage == Storage::constant; }
};

struct Patch {  // a view into a window moves with it
    View* view;
    const Port* port;
    int64_t delay;
    int64_t row;    // doubles before the channel it shows
    uint32_t node;  // whose step looks through it
};

struct Work {  // one node: steps before it (parameters, gathers), itself, steps after it (token edges)
    std::vector<Step*> before, after;
    std::vector<Step*> before_first;  // in place of `after` until its first token
    Step* main = nullptr;
    std::vector<bool> outside;  // per step before: reads nothing from the node's own component
    std::vector<Port> out;
    std::vector<Step*> parameter;  // per contract parameter: its step, or null while it holds
    bool is_constant() const { return !out.empty() && out[0].is_constant(); }
    bool fired_once = false;  // a constant output that is already there
    // metrics
    double ticks = 0;
    int64_t timed_frames = 0, frames = 0, calls = 0;
    int64_t measured_lag = 0;  // frames consumed for which no token came out
};

struct HeatTrack {                      // per node, when heat is asked for; (batch, frame) order, one row per batch
    Port own;                           // h as the kernel writes it (no data: the node has no heat formula)
    double *h = nullptr, *q = nullptr;  // windows like a Port's: rows of `capacity`, frame 0 of the block at pos
    int64_t history = 0, capacity = 0, pos = 0;
    int64_t place(uint32_t batch, int64_t frame) const { return batch * capacity + pos + frame; }
    std::vector<double> own_sum, q_sum;  // [batch][8] by n mod 8, of the window being filled
    std::vector<double> total;           // per batch, H at the end of the last full window
    std::vector<double> temperature;     // per batch
};

enum class HeatValue : uint8_t { own, total, temperature };  // of a window and node, see amp/metrics.h

// What is recorded at the end of each window of AMP_HEAT_WINDOW frames: three values per node, in pages of the arena.
// Each page holds twice as many windows as the one before, so that no record moves.
class HeatRecords {
public:
    uint64_t windows() const { return windows_; }  // closed so far
    double& at(uint64_t window, HeatValue value, uint32_t node) const {
        const uint32_t page = page_of(window);
        return pages_[page][((window - first_of(page)) * 3 + static_cast<uint64_t>(value)) * nodes_ + node];
    }
    uint64_t close() { return windows_++; }  // its number; there has to be room for it
    void set_windows(uint64_t windows) { windows_ = windows; }
    void set_nodes(uint64_t nodes) { nodes_ = nodes; }
    uint32_t pages() const { return count_; }
    void reserve(Arena& arena, uint64_t windows);       // room for so many more; throws AMP_E_NOMEM
    void drop_from(uint32_t pages) { count_ = pages; }  // takes back what reserve added; nothing was recorded there

private:
    static constexpr uint64_t kFirst = 16;  // windows of the first page
    static uint64_t first_of(uint32_t page) { return kFirst * ((uint64_t{1} << page) - 1); }
    static uint32_t page_of(uint64_t window) { return static_cast<uint32_t>(std::bit_width(window / kFirst + 1)) - 1; }
    std::array<double*, 56> pages_{};  // for as many windows as 64 bits of frames have
    uint32_t count_ = 0;
    uint64_t nodes_ = 0, windows_ = 0;
};

struct Fault {                   // the earliest thing that went wrong in a block
    int64_t time = INT64_MAX;    // virtual
    uint32_t node = UINT32_MAX;  // its rank
    Failure failure{AMP_OK, "", ""};
};

// What a parameter needs that changes after frame 0. Made when the change is announced, so that nothing is allocated
// when it is due. Of a lane group: every member has the value it plays, the leader the memory of all.
struct LaterValue {
    std::shared_ptr<const Tensor> value;  // installed; NULL: what was in force when the shard was built
    View* view = nullptr;                 // onto values with a frame axis
    double* lanes = nullptr;              // of a lane group: such values lane by lane
    uint64_t lane_frames = 0;             // that fit there
};

using Overrides = std::map<std::pair<uint32_t, uint32_t>, Tensor>;  // (node, parameter) -> value
using Inputs = std::map<uint32_t, amp_buffer>;                      // node -> samples

struct Event {  // a firing as it happens: ticks of the clock, virtual time, place of the node
    int64_t start, stop, frame;
    uint32_t node, frames;
};

// What all shards of a runtime have in common. Owned by the runtime, read by the shards while they run.
struct Common {
    Plan plan;
    const KernelTable* table = nullptr;
    amp_config config{};
    Arena arena;  // of all shards
    Overrides overrides;
    Inputs inputs;
    History history;
    bool streams = false;     // run by a Stream: every output has a ring
    int64_t ring_frames = 0;  // tokens a ring holds to begin with, 0: enough for what the plan knows
    uint32_t parts = 1;       // a shard may have
    Pool* pool = nullptr;     // that runs them; none: they run one after the other
    amp_flight* flight = nullptr;
    std::vector<Event> events;    // a ring
    Event* next_event = nullptr;  // its place
    uint64_t laps = 0;            // round the ring
    Clock clock;                  // of events and times, both in its ticks

    int64_t now() const { return clock.now(); }
    void record(uint32_t u, const Firing& f, int64_t start, int64_t stop) {
        *next_event = {start, stop, f.frame, u, f.frames};
        if (++next_event == events.data() + events.size()) next_event = events.data(), ++laps;
    }
};

// A cohort executed as one lane-layout kernel: lane = member * batches + batch. The first member, the leader, owns the
// steps and the outputs of all.
struct LaneGroup {
    uint32_t first, count;
    Environment env;  // batches: lanes
};

struct TapCopy {
    uint32_t node, port;
    amp_buffer buffer;  // of all batches
};

inline constexpr uint32_t kLaneLayoutFrom = 5;  // batches from which eight lanes pay

// Least frames chosen: shorter blocks cost more than slices in L2. The slices of lane groups are eight times as wide,
// and so is the work for which a step is fetched.
inline constexpr uint32_t kLeastBlock = 256, kLeastBlockOfLaneGroups = 128;

// Whether no cache would hold it to the end.
inline bool is_far(const amp_buffer& b) {
    constexpr uint64_t kFarFrom = uint64_t{1} << 20;  // values, 8 MiB
    return uint64_t{b.batches} * b.channels * static_cast<uint64_t>(b.frames) >= kFarFrom;
}

#if defined(AMP_TEST_HOOKS) || defined(AMP_NATIVE_ENABLE_LOGGING)
inline constexpr bool kDiagnostic = true;  // every firing passes the hooks
#else
inline constexpr bool kDiagnostic = false;
#endif

struct Tick {
    TickFn run;
    Step* step;
};

inline uint32_t idle(Step&, const Firing&) { return kFired; }  // of a node whose source has done its work

struct Span {  // of the flat list: the steps of some nodes that fire as one, up to `end`
    uint32_t end, first, count;
};

class Shard {
public:
    Shard(Common& common, uint32_t first_batch, uint32_t batches);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    // Runs virtual times [clock, clock + frames); what time `origin` delivers is the first frame of the taps. A fault
    // stops the shard at the end of its block.
    void run(int64_t clock, int64_t frames, const std::vector<TapCopy>& taps, int64_t origin);
    void check_fits(uint32_t node, uint32_t param, const Tensor& value) const;
    void announce(uint32_t node, uint32_t param, const Tensor& value);  // it will be installed; takes memory for it
    void install(uint32_t node, uint32_t param, std::shared_ptr<const Tensor> value);  // it is kept while it is read
    void follow_history();  // plays the curves of the history that was set, from frame 0; the only thing it decides
    bool is_fresh() const { return blocks_ == 0; }  // no block was run
    void follow_curve(uint32_t node, uint32_t param, const std::string& curve);
    void attach_input(uint32_t node, const amp_buffer& samples);
    double accumulated_heat(uint32_t node) const;

    const Fault& fault() const { return fault_; }
    int64_t frames_of(uint32_t node) const;
    int64_t calls_of(uint32_t node) const;
    uint32_t block_frames() const { return block_; }
    uint32_t parts() const { return std::max(1u, parts_.count); }  // that may run at a time
    const std::vector<Work>& work() const { return work_; }
    bool has_heat() const { return !heat_.empty(); }
    const HeatRecords& heat_records() const { return heat_records_; }
    HeatRecords& heat_records() { return heat_records_; }

private:
    friend struct Builder;
    friend struct Share;
    friend struct Snapshot;
    friend struct Values;

    const LaneGroup* lane_group(uint32_t node) const {
        return lane_groups_.empty() || !lane_group_of_[node] ? nullptr : &lane_groups_[lane_group_of_[node] - 1];
    }
    uint32_t leader(uint32_t node) const { return lane_group(node) ? lane_group(node)->first : node; }
    bool is_leader(uint32_t node) const { return leader(node) == node; }  // it does the work of its group, or its own
    uint32_t fired_with(uint32_t node) const {
        return lane_group(node) ? lane_group(node)->count : 1;
    }  // nodes, from the leader on
    const Environment& env(uint32_t node) const { return lane_group(node) ? lane_group(node)->env : env_; }
    int layout(uint32_t node) const { return env(node).width == kLanes; }  // index into LayoutOps: 0 width 1, 1 width 8
    uint32_t first_lane(uint32_t node) const {
        return lane_group(node) ? (node - lane_group(node)->first) * env_.batches : 0;
    }
    void make_lane_groups();
    void count(uint32_t lead, uint32_t frames, uint32_t calls, bool before_first);
    void share_time(uint32_t lead, const Firing& f, double ticks);
    void record(uint32_t lead, const Firing& f, int64_t start, int64_t stop);
    void advance_windows(uint32_t frames);
    // Firings are in virtual time from here on; each step is shown its own logical frames.
    void run_block(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin, bool timed);
    bool started(uint32_t node, const Firing& f) const { return f.frame >= plan_.nodes[node].arrival; }
    bool is_before_first(uint32_t node, const Firing& f) const {  // no token of it is out yet
        return f.frame < plan_.nodes[node].arrival + plan_.nodes[node].latency;
    }
    void fire(uint32_t node, const Firing& f);
    void fire_constant(uint32_t node, const Firing& f);
    template <bool kLate, bool kTraced>
    void run_flat(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin);
    template <bool kLate> void run_op(const Op& op, const Firing& f);
    template <bool kLate> void run_series(const Op* ops, uint32_t n, const Firing& f);
    bool continues(const Step& from, const Step& to) const;
    template <bool kLate> void run_ops(uint32_t first, uint32_t end, const Firing& f);
    template <bool kLate>
    bool run_to_tap(uint32_t first, uint32_t end, const Firing& f, const TapCopy* tap, int64_t origin);
    bool writes_out(const Step& s, const TapCopy& tap) const;
    template <bool kLate> const Span* run_spans(const Span* span, uint32_t first, uint32_t stop, const Firing& f);
    // engine/run/partition.cpp
    void divide(uint32_t threads);
    void list_units();
    bool goes_apart(const Firing& f) const;
    void run_apart(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin);
    void run_units(uint32_t group, const Firing& f, const std::vector<TapCopy>& taps, int64_t origin);
    void list_ops();
    void run_component(const Component& component, const Firing& f, bool timed);
    void reserve_ticks();
    void list_ticks(std::vector<Tick>& ticks, const Component& component, const Firing& f);
    void hand_on(std::vector<Tick>& ticks) const;
    Carried first_carried(const Step& s) const {  // of the frame before the block
        const auto* ways = carrying(s);
        return Carried{ways && ways[1][0] ? carried_in(s).data[0] : 0.0};
    }
    Carried watched_tick(const Tick& tick, uint32_t i, int64_t time, Carried before);
    bool wrote_finite(const Step& step, const Firing& f) const;
    void note_tick(Step& step, const Firing& f);
    Carried tick_once(const Tick* first, const Tick* end, const Firing& f, Carried now);
    // Ways of a step of one row to take a value from the tick before (see LayoutOps); NULL: none.
    const TickFn (*carrying(const Step& s) const)[2] {
        const bool one = s.channels == 1 && s.env->groups == 1 && s.env->width == 1 && s.kind == StepKind::node;
        const auto& ways = plan_.nodes[s.place].type->ops[layout(s.place)].carry[!s.varying];
        return one && ways[0][0] ? ways : nullptr;
    }
    static const View& carried_in(const Step& s) {
        return s.of_node.n_more ? s.of_node.more[s.of_node.n_more - 1] : s.in[0];
    }
    void bind_rows(uint32_t node) {
        const LayoutOps& ops = plan_.nodes[node].type->ops[layout(node)];
        if (ops.bind_rows && work_[node].main) ops.bind_rows(*work_[node].main);
    }
    void run_frames(const Component& component, const Firing& f);
    void run_firings(const Component& component, const Firing& f);
    void copy_tap(const TapCopy& tap, const Firing& f, int64_t origin) const;
    void copy_out(const View& from, uint32_t frames, const amp_buffer& to, int64_t at) const;
    void build_heat();
    void advance_heat(uint32_t frames);
    int64_t heat_lag(const PlanEdge& e) const;
    void unit_heat(uint32_t node, const Firing& f);
    void add_heat(uint32_t node, const Firing& f);
    void transport_heat(const Firing& f);
    void close_heat_window();
    // Keep the earliest fault of the block: of all nodes a step fires, of one of them.
    void note(uint32_t lead, Step& step, uint32_t verdict, const Firing& f);
    void note_node(uint32_t node, Step& step, uint32_t verdict, const Firing& f);
#ifdef AMP_TEST_HOOKS
    void test_hook(uint32_t node, const Firing& f) const;  // engine/run/fault_hooks.cpp
#else
    void test_hook(uint32_t, const Firing&) const {}
#endif

    Common& common_;
    const Plan& plan_;
    const KernelTable* table_;
    uint32_t first_batch_;
    Environment env_{};
    uint32_t block_ = 0;
    uint64_t blocks_ = 0;
    Arena& arena_;
    std::deque<LaneGroup> lane_groups_;
    std::vector<uint32_t> lane_group_of_;                        // per node: its group plus 1, 0: none
    std::map<std::pair<uint32_t, uint32_t>, LaterValue> later_;  // (node, parameter)
    // (member of a group, parameter) -> channels of the step it would have alone, 0: none; where the group's has
    // others.
    std::map<std::pair<uint32_t, uint32_t>, int32_t> alone_;
    std::vector<Work> work_;
    std::deque<Port> edge_ports_;  // windows of edges that carry their own initial tokens
    Parts parts_;
    std::vector<std::vector<uint32_t>>
        units_;                   // per group of parts_: the first nodes of its units, but for constant ones
    std::mutex noting_;           // parts may find faults at once
    std::vector<double*> curve_;  // lane layout: samples of a curve, of one parameter step of a group at a time
    std::vector<int64_t> cuts_;   // virtual times at which a node starts or its first token comes out, ascending
    std::vector<Port*> windows_;
    std::vector<Patch> patches_;
    std::vector<uint32_t> first_patch_;  // streams: per node, and the end
    std::vector<HeatTrack> heat_;        // per node
    HeatRecords heat_records_;
    Fault fault_;
    std::vector<Op> ops_;              // of all nodes outside components that do not hold
    std::vector<Tick> tick_ops_;       // the same for blocks of one frame
    std::vector<uint32_t> first_op_;   // per node, and the end
    std::vector<Span> spans_;          // traced: of all nodes outside components, and one past them
    std::vector<uint32_t> constants_;  // nodes whose output is constant
    int64_t unwatched_frames_ = 0, unwatched_calls_ = 0;
    std::vector<uint32_t> moving_;          // nodes that look into windows
    std::vector<std::vector<Tick>> ticks_;  // per group: of the component being run; capacity reserved when built
    std::vector<uint64_t> component_done_;  // per node: frames of the block fired so far
};

inline Firing logical(const Step& s, const Firing& f) { return {f.frame - s.arrival, f.offset, f.frames}; }

// Pointer arithmetic shared by the engine's files. `channel` < 0: all.
inline int64_t row_of(const Port& p, int32_t channel) { return channel < 0 ? 0 : channel * p.row * p.groups; }
inline View view_of(const Port& p, int64_t delay = 0, int32_t channel = -1) {
    View v;
    v.step = p.is_constant() ? 0 : p.width;
    v.data = p.data + row_of(p, channel) + (p.is_constant() ? 0 : (p.pos - delay) * p.width);
    v.channel_stride = p.channels == 1 || channel >= 0 ? 0 : p.row * p.groups;
    v.group_stride = p.groups == 1 ? 0 : p.row;
    return v;
}

}  // namespace amp
