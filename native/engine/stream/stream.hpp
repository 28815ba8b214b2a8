// A graph that runs until input runs out: samples are pushed into inputs and outputs are pulled through any number of
// taps. It runs the same steps as a Runtime, but each node has a clock: the number of frames it has fired. Its output
// then has the tokens below clock - L. See docs/design/streaming.md.
#pragma once
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "amp/stream.h"
#include "engine/runtime.hpp"
#include "engine/stream/shard_acts.hpp"

namespace amp {

inline constexpr int64_t kMostFrames = int64_t{1} << 30;  // most frames of a ring, and of one push

inline int64_t in_range(const char* what, int64_t value, int64_t low, int64_t high, const char* stage) {
    if (value >= low && value <= high) return value;
    throw Failure(AMP_E_INVALID_ARG, stage,
                  text("%s: out of range (got %lld, allowed %lld to %lld).", what, static_cast<long long>(value),
                       static_cast<long long>(low), static_cast<long long>(high)),
                  "Give a number inside.");
}

struct Tap {  // A reader outside the graph.
    uint32_t ring = 0;
    uint32_t policy = AMP_TAP_LOSSLESS;
    int64_t keep = 0;      // AMP_TAP_LATEST: the newest tokens kept for it
    int64_t position = 0;  // the next token it reads
    int64_t skipped = 0, underruns = 0;
    bool open = false;
};

// The tokens of one output, or of an edge with initial tokens of its own. Positions are the same in every shard.
struct Ring {
    uint32_t node, port;
    int32_t edge;                                       // -1: the ring belongs to the output
    std::vector<std::pair<uint32_t, int64_t>> readers;  // (node, delay in frames)
    std::vector<uint32_t> taps;
    // tokens it may hold now and at most; the memory has room for twice as many, so that moves are rare
    int64_t capacity, most_capacity;
    int64_t pos;       // offset of token 0 in the memory, in frames
    int64_t most = 0;  // most tokens it has held
    uint32_t grown = 0;
};

// A parameter of a node and its new value.
struct Setting {
    std::string key;
    Tensor value;
};

class Stream {
public:
    Stream(Plan plan, const amp_stream_config& config);

    void set_history(History history);
    void bind_input(const std::string& node, const amp_buffer& samples);
    // Sets values of one node, at least one, all from the same frame on or none of them. `at_frame` -1: the next frame
    // the node fires. Returns the frame.
    int64_t set_params(const std::string& node, std::span<Setting> settings, int64_t at_frame);
    void extend(const std::string& curve, const double* times, const double* values, size_t count);
    void push(std::string_view node, const amp_buffer& samples);
    void end(std::string_view node);
    uint32_t open_tap(const char* node, const char* port, uint32_t policy, int64_t keep);
    void close_tap(uint32_t tap);
    void pull(uint32_t tap, const amp_buffer& out, uint32_t flags, int64_t& got);
    int64_t advance(uint32_t tap, int64_t ahead, int64_t most);

    int64_t clock(std::string_view node) const;  // frames fired; -1: unknown node
    size_t rings() const { return rings_.size(); }
    void describe_ring(size_t ring, amp_stream_ring& out) const;
    void describe_tap(uint32_t tap, amp_stream_tap& out) const;
    void set_flight(amp_flight* flight) { rt_.set_flight(flight); }
    const Runtime& runtime() const { return rt_; }

private:
    void check_setting(const std::string& node, const Setting& x, int64_t at_frame) const;
    struct Act {  // A decided action, which flush() applies to every shard.
        enum { kFire, kLoop, kMove } kind;
        uint32_t index;        // node, component or ring
        int64_t first, count;  // kFire: frames of the node; kLoop: virtual times; kMove: tokens that are kept
    };
    // Why a node cannot fire: a source has no token for it (`ring` is kNoRing), or its own `ring` is full.
    struct Wait {
        uint32_t node, ring;
    };
    struct Cause {  // Why a node cannot reach a frame: names, quoted as they appear in the message.
        std::set<std::string> inputs, gates, nodes;
        std::string first;  // the first input, for the error record
    };

    // stream.cpp, push_pull.cpp: life cycle, input and output
    void reset();
    template <class F> void rebuild(F&& change);
    void need_usable(const char* stage) const;
    bool begun() const;
    void need_fresh(const char* what) const;
    uint32_t input(std::string_view node, const char* stage) const;
    Tap& tap(uint32_t id, const char* stage);
    const Tap& tap(uint32_t id, const char* stage) const { return const_cast<Stream*>(this)->tap(id, stage); }
    void attach(uint32_t tap);
    void check_finite(uint32_t node, const amp_buffer& samples) const;
    int64_t ready(const Tap& t) const;
    void skip_to(Tap& t, int64_t position);

    // firing.cpp: which node fires when
    void produce(const Tap& t, int64_t token);
    void run(int64_t until, uint32_t node);
    void fire_all();
    bool step(uint32_t node);
    bool step_together(uint32_t component);
    int64_t room(uint32_t node);
    void install_due(uint32_t node);
    // the clock up to which node u is run: to now_, or as far as the pushed samples allow
    int64_t limit(uint32_t u) const { return std::min(now_ - plan_.nodes[u].arrival, reach_[u]); }
    int64_t fed(uint32_t node) const;
    int64_t free(const Ring& r) const;  // tokens it can take before it is full
    int64_t oldest(const Ring& r, bool of_all) const;
    // one past the newest token of a ring; below 0 before the first
    int64_t head(const Ring& r) const { return clock_[r.node] - plan_.nodes[r.node].latency; }
    // number of tokens that node u has made
    int64_t made(uint32_t u) const { return std::max<int64_t>(0, clock_[u] - plan_.nodes[u].latency); }
    void make_place(uint32_t ring, int64_t frames);
    void act(const Act& a);
    void flush();
    void look_for_faults();

    // waiting.cpp: which node waits for which
    void find_reach();
    int64_t own_reach(uint32_t node) const;
    Cause cause(uint32_t node) const;
    [[noreturn]] void starve(uint32_t node, int64_t frame) const;
    void unblock(uint32_t node);
    std::optional<uint32_t> starving(uint32_t node) const;
    uint32_t full_ring(uint32_t node) const;
    std::optional<uint32_t> slowest(const Ring& r) const;
    void grow(uint32_t ring, int64_t tokens, int64_t most);
    [[noreturn]] void refuse(const Ring& r, int64_t tokens) const;
    std::string name(const Ring& r) const;

    Runtime rt_;
    const Plan& plan_ = rt_.common_.plan;
    int64_t limit_;  // largest capacity of every ring, in tokens
    std::vector<Ring> rings_;
    std::vector<std::vector<uint32_t>> of_;  // per node: its rings
    std::vector<Tap> taps_;                  // by number; closed ones are reused
    std::vector<int64_t> clock_;             // per node: frames fired
    std::vector<int64_t> reach_;             // per node: the clock that the pushed samples allow it to reach
    // per node: changes later than its clock; their time is the node's own frame
    std::vector<std::vector<Change>> changes_;
    std::vector<bool> live_;          // per node: it is an input that expects more pushes
    bool usable_ = false;             // false while the shards are being built
    int64_t now_ = 0;                 // virtual time up to which the graph has been run
    int64_t block_ = 0;               // most frames of a firing
    std::vector<Act> acts_;           // decided, not yet applied to the shards
    std::vector<uint32_t> seen_;      // scratch of unblock()
    std::vector<Wait> path_;          // scratch of unblock(): the chain of waits
    std::vector<double*> larger_;     // scratch of grow()
    std::optional<Failure> failure_;  // why the stream stopped; tokens before fault_time_ can still be read
    int64_t fault_time_ = INT64_MAX;  // virtual time of the fault
};

}  // namespace amp
