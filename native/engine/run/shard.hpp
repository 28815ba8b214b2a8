// A shard: the part of a runtime's batches that one thread at a time executes, with all its memory (states, windows,
// slices, steps). The runtime owns its shards.
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

// How the tokens of an output are stored. Builder::storage decides it at configure.
enum class Storage : uint8_t {
    constant,  // one value per row for all frames, stored as eight equal copies or as eight lanes
    shared,    // a slice of the block; after its last reader has fired, the memory is reused for another output
    ring,      // a window: also keeps `history` frames before the block; in streams, all unread tokens
    kept,      // every frame of a render, for a reverse pass; not implemented
};

// Memory of one output. Frame i of the block is at data + (pos + i) * width in each row. The arena owns `data`.
struct Port {
    double* data = nullptr;
    int64_t row = 0;                             // doubles per row
    int64_t history = 0, capacity = 0, pos = 0;  // frames: kept before the block, per row, place of the block
    int64_t room = 0;  // streams: tokens that fit in addition to `history` before the ring has to grow
    int32_t channels = 1, groups = 1;
    int32_t width = 1;  // doubles per frame: 1, or the lanes of a group
    Storage storage = Storage::shared;
    bool is_constant() const { return storage == Storage::constant; }
};

struct Patch {         // A view into a window: its pointer is updated whenever the window moves.
    View* view;        // of a step; updated in place
    const Port* port;  // the window
    int64_t delay;     // frames by which the view lags the block
    int64_t row;       // offset in doubles of the first channel it reads
    uint32_t node;     // the node whose step reads or writes through the view
};

// The steps of one node, in firing order: `before` (parameters, gathers), `main` (its kernel), `after` (token edges).
// The arena owns the steps.
struct Work {
    std::vector<Step*> before, after;
    std::vector<Step*> before_first;  // run instead of `after` until the node's first token
    Step* main = nullptr;
    std::vector<bool> outside;     // per step of `before`: it reads nothing from the node's own feedback component
    std::vector<Port> out;         // one per output port
    std::vector<Step*> parameter;  // per contract parameter: its step; NULL while the value is constant over frames
    bool is_constant() const { return !out.empty() && out[0].is_constant(); }
    bool fired_once = false;  // the value of a constant output has been written
    // metrics: clock ticks of the timed firings and the frames they made; all frames and calls
    double ticks = 0;
    int64_t timed_frames = 0, frames = 0, calls = 0;
    int64_t measured_lag = 0;  // frames fired for which no token came out
};

// Heat of one node, with AMP_RUN_HEAT; one row of frames per batch. Energies in J, temperatures in K above ambient.
struct HeatTrack {
    Port own;  // h as the kernel writes it; data == NULL: the node has no heat formula
    // windows laid out like a Port's: rows of `capacity` doubles, frame 0 of the block at `pos`
    double *h = nullptr, *q = nullptr;
    int64_t history = 0, capacity = 0, pos = 0;  // frames, as in Port
    int64_t place(uint32_t batch, int64_t frame) const { return batch * capacity + pos + frame; }
    std::vector<double> own_sum, q_sum;  // [batch][8]: partial sums by n mod 8 of the heat window being filled
    std::vector<double> total;           // per batch, H at the end of the last full window
    std::vector<double> temperature;     // per batch
};

// the three values recorded per window and node, see amp/metrics.h
enum class HeatValue : uint8_t { own, total, temperature };

// The values recorded at the end of each window of AMP_HEAT_WINDOW frames, three per node, in pages that the arena
// owns. Each page holds twice as many windows as the one before it, so growing moves no record.
class HeatRecords {
public:
    uint64_t windows() const { return windows_; }  // windows closed so far
    double& at(uint64_t window, HeatValue value, uint32_t node) const {
        const uint32_t page = page_of(window);
        return pages_[page][((window - first_of(page)) * 3 + static_cast<uint64_t>(value)) * nodes_ + node];
    }
    // returns the number of the window it closes; reserve() must have made room for it
    uint64_t close() { return windows_++; }
    void set_windows(uint64_t windows) { windows_ = windows; }
    void set_nodes(uint64_t nodes) { nodes_ = nodes; }
    uint32_t pages() const { return count_; }
    void reserve(Arena& arena, uint64_t windows);       // makes room for this many more windows; throws AMP_E_NOMEM
    void drop_from(uint32_t pages) { count_ = pages; }  // undoes a reserve() whose pages hold no records yet

private:
    static constexpr uint64_t kFirst = 16;  // windows in the first page
    static uint64_t first_of(uint32_t page) { return kFirst * ((uint64_t{1} << page) - 1); }
    static uint32_t page_of(uint64_t window) { return static_cast<uint32_t>(std::bit_width(window / kFirst + 1)) - 1; }
    std::array<double*, 56> pages_{};  // 56 pages hold as many windows as there are 64-bit frame numbers
    uint32_t count_ = 0;
    uint64_t nodes_ = 0, windows_ = 0;
};

struct Fault {                   // The earliest fault of a block.
    int64_t time = INT64_MAX;    // virtual time, in frames
    uint32_t node = UINT32_MAX;  // the node's rank: its place in the plan's own order
    Failure failure;
};

// Memory for a parameter that changes after frame 0. It is allocated when the change is announced, so that installing
// the value at its frame allocates nothing. In a lane group every member has an entry with its value, and the leader's
// entry also holds the lanes of all members.
struct LaterValue {
    std::shared_ptr<const Tensor> value;  // the value in force; NULL: the value from when the shard was built
    View* view = nullptr;                 // the view onto a value with a frame axis
    double* lanes = nullptr;              // leader of a lane group: values with a frame axis, lane by lane
    uint64_t lane_frames = 0;             // frames for which `lanes` has room
};

using Overrides = std::map<std::pair<uint32_t, uint32_t>, Tensor>;  // (node, parameter) -> value
using Inputs = std::map<uint32_t, amp_buffer>;                      // node -> samples

// One traced firing: start and stop in ticks of the clock, frame in virtual time, node as its place in the order.
struct Event {
    int64_t start, stop, frame;
    uint32_t node, frames;
};

// Data shared by all shards of a runtime. The runtime owns it and changes it between calls of execute; while shards run
// they only read it, except for the trace ring.
struct Common {
    Plan plan;                           // in the order of the schedule that is followed
    const KernelTable* table = nullptr;  // of the chosen instruction set; static data
    amp_config config{};                 // of the last configure
    Arena arena;                         // memory of all shards
    Overrides overrides;                 // values set at frame 0
    Inputs inputs;                       // bound samples; the caller owns their memory
    History history;                     // control curves by name
    bool streams = false;                // the owner is a Stream: every output has a ring
    int64_t ring_frames = 0;  // tokens for which a new ring has room; 0: derived from the plan's lags and the block
    uint32_t parts = 1;       // most parts a shard may be divided into
    Pool* pool = nullptr;  // threads that run the parts; NULL: the parts run one after the other on the caller's thread
    amp_flight* flight = nullptr;  // the caller's flight record; NULL: none
    std::vector<Event> events;     // trace: a ring of firings
    Event* next_event = nullptr;   // where the next firing is written
    uint64_t laps = 0;             // times the ring has wrapped
    Clock clock;                   // its ticks are the unit of events and of node times

    int64_t now() const { return clock.now(); }
    void record(uint32_t u, const Firing& f, int64_t start, int64_t stop) {
        *next_event = {start, stop, f.frame, u, f.frames};
        if (++next_event == events.data() + events.size()) next_event = events.data(), ++laps;
    }
};

// A cohort executed as one lane-layout kernel: lane = member * batches + batch. The first member, the leader, owns the
// steps and the outputs of all.
struct LaneGroup {
    uint32_t first, count;  // its members are nodes first .. first + count - 1
    Environment env;        // `batches` counts lanes
};

struct TapCopy {  // An output that execute copies to a buffer.
    uint32_t node, port;
    amp_buffer buffer;  // its batch axis has all batches of the runtime
};

// fewest batches for which the lane layout (eight at a time) is faster than the frame layout
inline constexpr uint32_t kLaneLayoutFrom = 5;

// Smallest block, in frames, that is chosen automatically: below it the overhead per block costs more than slices that
// only fit in L2. Slices of lane groups are eight times as wide, and each step does eight times the work.
inline constexpr uint32_t kLeastBlock = 256, kLeastBlockOfLaneGroups = 128;

// Whether a buffer is too large for the caches to hold it until the call returns.
inline bool is_far(const amp_buffer& b) {
    constexpr uint64_t kFarFrom = uint64_t{1} << 20;  // in doubles: 8 MiB
    return uint64_t{b.batches} * b.channels * static_cast<uint64_t>(b.frames) >= kFarFrom;
}

#if defined(AMP_TEST_HOOKS) || defined(AMP_NATIVE_ENABLE_LOGGING)
inline constexpr bool kDiagnostic = true;  // every firing calls the test hook or the log
#else
inline constexpr bool kDiagnostic = false;
#endif

struct Tick {  // An entry of a table of ticks, which a block runs in order once per frame.
    TickFn run;
    Step* step;
};

// the kernel of a node whose output is its source's slice
inline uint32_t idle(Step&, const Firing&) { return kFired; }

// A range of ops_: the steps of `count` nodes from `first` on, which fire together. `end` is one past the last op.
struct Span {
    uint32_t end, first, count;
};

class Shard {
public:
    Shard(Common& common, uint32_t first_batch, uint32_t batches);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    // Runs virtual times [clock, clock + frames). The frame delivered at virtual time `origin` is the first frame of
    // the taps' buffers. After a fault the shard stops at the end of that block.
    void run(int64_t clock, int64_t frames, const std::vector<TapCopy>& taps, int64_t origin);
    // throws AMP_E_UNSUPPORTED if the steps that were built cannot play the value
    void check_fits(uint32_t node, uint32_t param, const Tensor& value) const;
    // allocates what install() will need for this value
    void announce(uint32_t node, uint32_t param, const Tensor& value);
    // shares ownership of the value while it is in force
    void install(uint32_t node, uint32_t param, std::shared_ptr<const Tensor> value);
    void follow_history();                          // plays the curves of the common history from frame 0 on
    bool is_fresh() const { return blocks_ == 0; }  // no block has been run
    // replaces a parameter's value by a curve of the common history
    void follow_curve(uint32_t node, uint32_t param, const std::string& curve);
    // makes an input node play these samples; the caller owns their memory
    void attach_input(uint32_t node, const amp_buffer& samples);
    double accumulated_heat(uint32_t node) const;  // H in J, over the batches of this shard

    const Fault& fault() const { return fault_; }
    int64_t frames_of(uint32_t node) const;  // frames fired
    int64_t calls_of(uint32_t node) const;   // firings
    uint32_t block_frames() const { return block_; }
    uint32_t parts() const { return std::max(1u, parts_.count); }  // parts that may run at the same time
    const std::vector<Work>& work() const { return work_; }
    bool has_heat() const { return !heat_.empty(); }
    const HeatRecords& heat_records() const { return heat_records_; }
    HeatRecords& heat_records() { return heat_records_; }

private:
    friend struct Builder;
    friend struct Share;
    friend struct Snapshot;
    friend struct Values;

    const LaneGroup* lane_group(uint32_t node) const {  // NULL: the node is in none
        return lane_groups_.empty() || !lane_group_of_[node] ? nullptr : &lane_groups_[lane_group_of_[node] - 1];
    }
    uint32_t leader(uint32_t node) const { return lane_group(node) ? lane_group(node)->first : node; }
    // the node's step computes its whole group, or the node alone
    bool is_leader(uint32_t node) const { return leader(node) == node; }
    uint32_t fired_with(uint32_t node) const {
        return lane_group(node) ? lane_group(node)->count : 1;
    }  // how many nodes fire with the leader, itself included
    const Environment& env(uint32_t node) const { return lane_group(node) ? lane_group(node)->env : env_; }
    int layout(uint32_t node) const { return env(node).width == kLanes; }  // index into LayoutOps: 0 width 1, 1 width 8
    uint32_t first_lane(uint32_t node) const {                             // lane of the node's batch 0 in its group
        return lane_group(node) ? (node - lane_group(node)->first) * env_.batches : 0;
    }
    void make_lane_groups();
    void count(uint32_t lead, uint32_t frames, uint32_t calls, bool before_first);
    void share_time(uint32_t lead, const Firing& f, double ticks);
    void record(uint32_t lead, const Firing& f, int64_t start, int64_t stop);
    void advance_windows(uint32_t frames);
    // From here on a Firing is in virtual time; each step receives it converted to its node's logical frames.
    void run_block(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin, bool timed);
    bool started(uint32_t node, const Firing& f) const { return f.frame >= plan_.nodes[node].arrival; }
    bool is_before_first(uint32_t node, const Firing& f) const {  // its first token is not out yet
        return f.frame < plan_.nodes[node].arrival + plan_.nodes[node].latency;
    }
    void fire(uint32_t node, const Firing& f);
    void fire_constant(uint32_t node, const Firing& f);
    // engine/run/untimed_blocks.cpp. kLate: the graph has latency, so virtual time differs from logical frames.
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
    bool goes_apart(const Firing& f) const;  // several threads run this block
    void run_apart(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin);
    void run_units(uint32_t group, const Firing& f, const std::vector<TapCopy>& taps, int64_t origin);
    void list_ops();
    // engine/run/feedback.cpp
    void run_component(const Component& component, const Firing& f, bool timed);
    void reserve_ticks();
    void list_ticks(std::vector<Tick>& ticks, const Component& component, const Firing& f);
    void hand_on(std::vector<Tick>& ticks) const;
    Carried first_carried(const Step& s) const {  // the value written in the frame before the block
        const auto* ways = carrying(s);
        return Carried{ways && ways[1][0] ? carried_in(s).data[0] : 0.0};
    }
    Carried watched_tick(const Tick& tick, uint32_t i, int64_t time, Carried before);
    bool wrote_finite(const Step& step, const Firing& f) const;
    void note_tick(Step& step, const Firing& f);
    Carried tick_once(const Tick* first, const Tick* end, const Firing& f, Carried now);
    // Ticks of a one-row step that take a value from the tick before in a register (see LayoutOps); NULL: none.
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
    // engine/run/shard.cpp
    void copy_tap(const TapCopy& tap, const Firing& f, int64_t origin) const;
    void copy_out(const View& from, uint32_t frames, const amp_buffer& to, int64_t at) const;
    // engine/run/heat.cpp
    void build_heat();
    void advance_heat(uint32_t frames);
    int64_t heat_lag(const PlanEdge& e) const;
    void unit_heat(uint32_t node, const Firing& f);
    void add_heat(uint32_t node, const Firing& f);
    void transport_heat(const Firing& f);
    void close_heat_window();
    // Keep a step's fault if it is the block's earliest: note() for all nodes of the step, note_node() for one.
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
    uint32_t first_batch_;  // number of its first batch in the runtime
    Environment env_{};     // of nodes outside lane groups
    uint32_t block_ = 0;    // most frames of a block
    uint64_t blocks_ = 0;   // blocks run so far
    Arena& arena_;
    std::deque<LaneGroup> lane_groups_;
    std::vector<uint32_t> lane_group_of_;                        // per node: index of its group plus 1; 0: none
    std::map<std::pair<uint32_t, uint32_t>, LaterValue> later_;  // key: (node, parameter)
    // (member of a group, parameter) -> channels of the parameter step the member would have alone (0: no step), where
    // that differs from the group's step.
    std::map<std::pair<uint32_t, uint32_t>, int32_t> alone_;
    std::vector<Work> work_;       // per node, in the plan's order
    std::deque<Port> edge_ports_;  // windows of edges with initial tokens of their own
    Parts parts_;
    std::vector<std::vector<uint32_t>>
        units_;          // per group of parts_: the first node of each unit whose output is not constant
    std::mutex noting_;  // guards fault_: parts on several threads may find faults at the same time
    // lane layout: the samples of a curve, for one parameter step at a time, per group of parts_
    std::vector<double*> curve_;
    // virtual times at which a node starts or its first token comes out, ascending; a block never spans one
    std::vector<int64_t> cuts_;
    std::vector<Port*> windows_;         // all windows: of outputs and of edges
    std::vector<Patch> patches_;         // all views into windows
    std::vector<uint32_t> first_patch_;  // streams: index into patches_ per node, plus the end
    std::vector<HeatTrack> heat_;        // per node
    HeatRecords heat_records_;
    Fault fault_;
    std::vector<Op> ops_;              // steps of all nodes that are outside feedback components and not constant
    std::vector<Tick> tick_ops_;       // the same steps as ticks, for blocks of one frame
    std::vector<uint32_t> first_op_;   // index into ops_ per node, plus the end
    std::vector<Span> spans_;          // tracing: spans of all nodes outside components, and one past them
    std::vector<uint32_t> constants_;  // nodes whose output is constant
    // frames and blocks of run_flat, which count for every node outside feedback components
    int64_t unwatched_frames_ = 0, unwatched_calls_ = 0;
    std::vector<uint32_t> moving_;  // nodes that have views into windows
    // per group of parts_: the table of the component being run; its capacity is reserved at configure
    std::vector<std::vector<Tick>> ticks_;
    std::vector<uint64_t> component_done_;  // per node: frames of the block fired so far
};

// A firing in virtual time, converted to the logical frames of the step's node.
inline Firing logical(const Step& s, const Firing& f) { return {f.frame - s.arrival, f.offset, f.frames}; }

// Address arithmetic shared by the engine's files. `channel` < 0: all channels.
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
