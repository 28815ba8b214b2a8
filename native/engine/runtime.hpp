// A compiled graph that can be executed: the plan, the values set on it, and the shards, each with a part of the
// batches.
#pragma once
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/run/shard.hpp"
#include "engine/run/thread_pool.hpp"
#include "plan/schedule.hpp"

namespace amp {

struct Change {    // A parameter value queued for a later frame.
    int64_t time;  // virtual time: frame + arrival of the node
    uint32_t node, param;
    std::shared_ptr<const Tensor> value;  // NULL: the curve that the descriptor names
    bool given;                           // the change goes back to the descriptor's value
};

// Parameters changed after frame 0: (node, parameter) -> the change in force; empty while it is still queued.
using Moved = std::map<std::pair<uint32_t, uint32_t>, std::optional<Change>>;

class Runtime {
public:
    explicit Runtime(Plan plan);

    void set_schedule(const Schedule& schedule);  // `schedule` has passed check()
    void configure(const amp_config& config);
    void set_param(const std::string& node, const std::string& key, Tensor value, int64_t at_frame);
    void clear_params();
    void bind_input(const std::string& node, const amp_buffer& samples);
    void set_history(History history);
    void execute(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps);

    size_t nodes() const { return plan_.nodes.size(); }
    void metrics(std::string_view node, amp_node_metrics& out) const;
    void all_metrics(void* out, size_t distance) const;  // one record per node, in firing order, `distance` bytes apart
    void trace(amp_trace_event* out, size_t capacity, size_t* count, uint64_t* dropped) const;
    void heat(std::string_view node, double* own, double* total, double* temperature, size_t capacity,
              size_t* count) const;
    int32_t port_channels(const char* node, const char* port) const;
    const Plan& plan() const { return plan_; }
    int64_t position() const { return position_; }
    uint32_t block_frames() const { return shards_.empty() ? 0 : shards_.front()->block_frames(); }
    uint32_t threads() const { return goes_apart() ? pool_->workers() + 1 : 1; }
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    void set_flight(amp_flight* flight) { common_.flight = flight; }

    amp_error last_error{};

private:
    friend struct Snapshot;
    friend class Stream;

    // Node by name; throws AMP_E_INVALID_ARG with this stage.
    uint32_t find(std::string_view node, const char* stage) const;
    void metrics_of(uint32_t node, double scale, amp_node_metrics& out) const;
    std::pair<uint32_t, uint32_t> find_output(const char* node, const char* port, const char* stage) const;
    void check_history(const History& history) const;
    void need_history(const char* stage) const;
    std::pair<uint32_t, uint32_t> find_param(const std::string& node, const std::string& key) const;
    int64_t earliest_change() const { return clock_ > 0 ? position_ + plan_.latency : 0; }  // logical frame
    void put_off(Change change);
    std::shared_ptr<const Tensor> value_given(uint32_t node, uint32_t param) const;
    void announce(const Change& change);  // allocates what applying the change will need
    void apply(const Change& change);
    void need_configured(const char* stage) const;
    void rebuild();
    void build_shards();
    uint32_t most_threads() const;
    void lease_threads();
    bool goes_apart() const { return pool_ && !common_.flight && pool_->works_here(); }
    int64_t next_slice(int64_t delivered) const;
    void reserve_heat(int64_t frames);
    void run_shards(int64_t frames, int64_t origin);
    void resolve_taps(int64_t frames, const amp_buffer* out, const amp_tap* taps, uint32_t n_taps);
    void add_tap(uint32_t node, uint32_t port, const amp_buffer& buffer, int64_t frames);
    void apply_due_changes();
    const Fault* first_fault() const;
    std::optional<Failure> over_budget(uint64_t first_window) const;
    void stop_if_wrong(int64_t frames);
    bool watches_budget() const {
        return plan_.descriptors.heat_policy == 1 && !std::isnan(plan_.descriptors.heat_budget_w);
    }

    Common common_;  // owns the plan, values, inputs, history and the arena of all shards
    const Plan& plan_ = common_.plan;
    std::vector<uint32_t> ranked_;  // nodes in the plan's own order, whatever schedule is followed
    std::vector<std::unique_ptr<Shard>> shards_;
    std::unique_ptr<Pool> pool_;   // NULL: the calling thread runs everything
    std::vector<Change> changes_;  // sorted by time
    Moved moved_;                  // parameters changed after frame 0
    std::vector<TapCopy> taps_;    // of the call being executed; the capacity is kept
    bool configured_ = false, failed_ = false;
    bool cleared_ = false;  // values set at frame 0 were cleared; they are removed when the shards are built again
    int64_t clock_ = 0;     // virtual time
    int64_t position_ = 0;  // frames delivered: max(0, clock - latency)
    std::atomic<bool> cancelled_{false};  // set by any thread, reset by execute
};

}  // namespace amp
