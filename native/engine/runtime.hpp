// One compiled graph with its memory.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "amp/diag.h"
#include "amp/metrics.h"
#include "core/arena.hpp"
#include "core/history.hpp"
#include "plan/plan.hpp"

namespace amp {

// Where the tokens of one output live: a slice of the block, a window that keeps `history` frames before the block,
// or a held value. Frame i of the block stands at data + (pos + i) * width in each row.
struct Port {
    double* data = nullptr;
    int64_t row = 0;              // doubles per row
    int64_t history = 0, capacity = 0, pos = 0;
    int32_t channels = 1, groups = 1;
    bool held = false;
};

struct Patch {                    // a view into a window moves with it
    View* view;
    const Port* port;
    int64_t delay;
};

struct Work {                     // one node: steps before it (parameters, gathers), itself, steps after it (token edges)
    std::vector<Step*> before, after;
    Step* main = nullptr;
    std::vector<bool> outside;    // per step before: reads nothing from the node's own component
    std::vector<Port> out;
    std::vector<Step*> parameter; // per contract parameter: its step, or null while it holds
    bool fired_once = false;      // a held output that is already there
    // metrics
    double seconds = 0;
    int64_t timed_frames = 0, frames = 0, calls = 0;
};

struct HeatTrack {                // per node, when heat is asked for; (batch, frame) order, one row per batch
    Port own;                     // h as the kernel writes it (no data: the node has no heat formula)
    std::vector<double> h, q;     // q keeps `history` frames before the block
    int64_t history = 0;
    std::vector<double> own_sum, q_sum;   // [batch][8] by n mod 8, of the window being filled
    std::vector<double> total;            // per batch, H at the end of the last full window
    std::vector<double> temperature;      // per batch
    std::vector<double> own_trace, total_trace, temperature_trace;
};

struct Change {                   // a parameter set for a later frame
    int64_t frame;
    uint32_t node, param;
    Tensor value;
};

struct Fault {                    // the earliest thing that went wrong in a block
    int64_t frame = INT64_MAX;
    Failure failure{AMP_OK, "", ""};
};

class Runtime {
public:
    explicit Runtime(Plan plan);

    void configure(const amp_config& config);
    void set_param(const std::string& node, const std::string& key, Tensor value, int64_t at_frame);
    void clear_params();
    void bind_input(const std::string& node, const amp_buffer& samples);
    void set_history(History history);
    amp_status execute(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps);

    void metrics(const std::string& node, amp_node_metrics& out) const;
    void trace(amp_trace_event* out, size_t capacity, size_t* count, uint64_t* dropped) const;
    void heat(const std::string& node, double* own, double* total, double* temperature, size_t capacity, size_t* count) const;
    int32_t port_channels(const char* node, const char* port) const;
    int64_t position() const { return position_; }
    uint32_t block_frames() const { return block_; }
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    void set_flight(amp_flight* flight) { flight_ = flight; }

    amp_error last_error{};

private:
    friend struct Builder;
    friend struct Values;
    friend void build(Runtime& runtime);

    struct TapCopy {
        uint32_t node, port;
        amp_buffer buffer;
    };

    uint32_t find(const std::string& node, const char* stage) const;
    void advance_windows(uint32_t frames);
    void apply_due_changes();
    uint32_t next_block(int64_t left) const;
    std::vector<TapCopy> resolve_taps(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps) const;
    void run_block(const Firing& f, const std::vector<TapCopy>& taps, int64_t delivered, bool timed);
    void run_node(uint32_t node, const Firing& f, bool timed, const std::vector<TapCopy>& taps, int64_t delivered);
    void run_component(const Component& component, const Firing& f, bool timed);
    void run_frames(const Component& component, const Firing& f);
    void run_firings(const Component& component, const Firing& f);
    void fire(uint32_t node, const Firing& f);
    void copy_tap(const TapCopy& tap, const Firing& f, int64_t delivered) const;
    void unit_heat(uint32_t node, const Firing& f);
    void add_heat(uint32_t node, const Firing& f);
    void close_heat(const Firing& f);
    void close_heat_window(int64_t frame);
    void record(uint32_t node, const Firing& f, double start, double stop);
    void note(uint32_t node, Step& step, uint32_t verdict, const Firing& f);   // keeps the earliest fault of the block
    void rebuild();
    void attach_input(uint32_t node, const amp_buffer& samples);
    void build_heat();
    double accumulated_heat(uint32_t node) const;
#ifdef AMP_TEST_HOOKS
    void test_hook(uint32_t node, const Firing& f) const;   // engine/hooks.cpp
#else
    void test_hook(uint32_t, const Firing&) const {}
#endif
    double now() const;

    Plan plan_;
    std::unordered_map<std::string, uint32_t> places_;
    const KernelTable* table_;
    amp_config config_{};
    Environment env_{};
    int layout_ = 0;              // index into LayoutOps: 0 width 1, 1 width 8
    bool configured_ = false, failed_ = false;
    uint32_t block_ = 0;
    int64_t position_ = 0;
    uint64_t blocks_ = 0;
    Arena arena_;
    std::deque<Step> steps_;
    std::vector<Work> work_;
    std::deque<Port> edge_ports_; // windows of edges that carry their own initial tokens
    std::vector<Port*> windows_;
    std::vector<Patch> patches_;
    std::map<std::pair<uint32_t, uint32_t>, Tensor> overrides_;
    std::vector<Change> changes_; // sorted by frame
    std::map<uint32_t, amp_buffer> inputs_;
    History history_;
    std::vector<HeatTrack> heat_;
    std::vector<amp_trace_event> events_;
    uint64_t n_events_ = 0;
    std::chrono::steady_clock::time_point epoch_;
    amp_flight* flight_ = nullptr;
    std::atomic<bool> cancelled_{false};
    Fault fault_;
    std::vector<Step*> frame_table_;       // of the component being run; capacity reserved by configure
    std::vector<uint64_t> component_done_; // per node: frames of the block fired so far
};

// Pointer arithmetic shared by the engine's files.
inline View view_of(const Port& p, int width, int64_t delay = 0) {
    View v;
    v.step = p.held ? 0 : width;
    v.data = p.data + (p.held ? 0 : (p.pos - delay) * width);
    v.channel_stride = p.channels == 1 ? 0 : p.row * p.groups;
    v.group_stride = p.groups == 1 ? 0 : p.row;
    return v;
}

}  // namespace amp
