// Sketch: nodes from libraries of other vendors. Declarations only; docs/design/next.md says where each part will be.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "amp/node.h"
#include "kernel/registry.hpp"
#include "plan/plan.hpp"

// ---- include/amp/run_node.h: a fixed layout, for which binaries exist. No field may be moved or added ----
extern "C" {

typedef struct amp_node_descriptor_v1 {
    const char* name;
    size_t name_len;
    const char* type_name;
    size_t type_len;
    const char* params_json;
    size_t params_len;
} amp_node_descriptor_v1;

typedef struct amp_audio_view_v1 {
    uint32_t has_audio;  // bit 0: there is data; bit 1: this is the last window
    uint32_t batches, channels, frames;
    const double* data;  // (b, c, n), contiguous; NULL: not connected
} amp_audio_view_v1;

typedef struct amp_param_view_v1 {
    const char* name;
    uint32_t batches, channels, frames;
    const double* data;
} amp_param_view_v1;

typedef struct amp_param_set_v1 {
    uint32_t count;
    amp_param_view_v1* items;
} amp_param_set_v1;

typedef struct amp_tap_set_v1 {
    void* items;
    uint32_t count;
} amp_tap_set_v1;

typedef struct amp_node_inputs_v1 {
    amp_audio_view_v1 audio;
    amp_param_set_v1 params;
    amp_tap_set_v1 outputs, statuses;  // both are empty
} amp_node_inputs_v1;

typedef struct amp_curve_v1 {
    char* name;
    uint32_t name_len;
    double* values;
    uint32_t value_count;
    double timestamp;
} amp_curve_v1;

typedef struct amp_control_history_v1 {
    uint32_t frames_hint, curve_count;
    amp_curve_v1* curves;
} amp_control_history_v1;

// [owner of the state] Returns 0 or a negative status; AMP_E_SHAPE for a view of the wrong shape. The library owns
// `*out_buffer` until amp_free. `*state` NULL: the library creates a state; the caller releases a state that is
// replaced. One window at a time, in order.
typedef int amp_run_node_fn(const amp_node_descriptor_v1* node, const amp_node_inputs_v1* inputs, int batches,
                            int channels, int frames, double sample_rate, double** out_buffer, int* out_channels,
                            void** state, const amp_control_history_v1* history);
typedef void amp_free_fn(double* buffer);
typedef void amp_release_state_fn(void* state);

typedef enum amp_execution_mode_t { AMP_FORWARD = 0, AMP_BACKWARD = 1 } amp_execution_mode_t;
typedef amp_buffer amp_buffer_t;
typedef struct amp_state_t amp_state_t;

typedef struct amp_node_descriptor_t {
    uint32_t struct_size;  // sizeof(amp_node_descriptor_t)
    uint32_t window;       // AMP_WINDOW_FIRST 1, AMP_WINDOW_LAST 2
    const char *name, *type, *params_json;
    uint32_t n_inputs, n_outputs, n_params, n_fixed;
    const double* fixed;  // enum, text (index into params_json), integer
    double sample_rate;
    int64_t first_frame, declared_delay;
    uint32_t batch_offset, oversample_ratio;
    const amp_control_history_v1* history;
    amp_state_t** costate;  // backward: NULL after the last window; read and written
} amp_node_descriptor_t;

typedef struct amp_node_metrics_t {
    uint32_t measured_delay_frames;
    float accumulated_heat;  // J
    double processing_time_seconds, logging_time_seconds, total_time_seconds, thread_cpu_time_seconds;
    double reserved[6];
} amp_node_metrics_t;

// Forward: signal inputs, then parameters in contract order; signal outputs. Backward: output cotangents, signal
// inputs, parameters; input cotangents, parameter cotangents. Without an adjoint: AMP_E_UNSUPPORTED and zeros.
// `metrics` may be NULL.
typedef int amp_run_node_v2_fn(const amp_node_descriptor_t* node, amp_state_t** state, const amp_buffer_t* inputs,
                               amp_buffer_t* outputs, amp_execution_mode_t mode, amp_node_metrics_t* metrics);

// ---- include/amp/plugin.h ----
typedef struct amp_host {
    uint32_t abi_version;
    uint32_t reserved;
    void* host;  // first argument of the functions below
    // [fire] freed when the firing ends; NULL: no memory is left
    void* (*allocate)(void* host, size_t bytes, size_t align);
    void (*log)(void* host, int32_t level, const char* text);                                      // [any]
    int32_t (*sample)(void* host, const char* curve, int64_t first, int64_t frames, double* out);  // [fire]
    const void* (*find_extension)(void* host, const char* id, uint32_t revision);  // [any] NULL: unknown
} amp_host;

// One node type of a plug-in. Everything it points to is valid while the library is loaded.
typedef struct amp_plugin_node {
    const amp_node_contract* contract;  // id: vendor.node
    amp_run_node_fn* run;
    amp_run_node_v2_fn* run_v2;                                   // NULL: version 1 only, without an adjoint
    int64_t (*latency)(const double* fixed, double sample_rate);  // [any] NULL: the contract's
    void (*reset)(void* state);                                   // [owner] NULL: a new state is created instead
    // [owner] NULL: graphs with this node have no snapshots
    size_t (*snapshot)(const void* state, void* out, size_t capacity);
    void* (*restore)(const void* bytes, size_t size);  // [owner] NULL if snapshot is
} amp_plugin_node;

typedef struct amp_plugin {
    uint32_t abi_version;
    uint32_t n_nodes;
    const char *vendor, *name, *version;
    const amp_plugin_node* nodes;
    amp_free_fn* free;
    amp_release_state_fn* release_state;
} amp_plugin;

// [loading] Called once per library, before any other function of it; `host` is valid while the library is loaded.
typedef const amp_plugin* amp_plugin_entry_fn(const amp_host* host);
}

static_assert(sizeof(amp_node_descriptor_v1) == 48 && sizeof(amp_audio_view_v1) == 24 &&
              sizeof(amp_param_view_v1) == 32 && sizeof(amp_node_inputs_v1) == 72 && sizeof(amp_curve_v1) == 40 &&
              sizeof(amp_control_history_v1) == 16);

namespace amp {

// ---- engine/foreign/library.hpp ----
// A loaded library. It is loaded by path, only on an explicit request, and never unloaded; inside it, its own symbols
// take precedence.
struct ForeignLibrary {
    std::string path, vendor, name, version;
    uint64_t digest = 0;  // of the file; part of the digest of every plan that uses it
    bool legacy = false;  // it exports the three symbols of version 1; its contract is a JSON file in the same folder
    amp_run_node_fn* run = nullptr;
    amp_free_fn* free = nullptr;
    amp_release_state_fn* release_state = nullptr;
};
std::unique_ptr<ForeignLibrary> load_library(const std::string& path, const std::string& sidecar_json);

// ---- engine/foreign/step.hpp ----
// Step::state of a foreign node is a pointer to this record, one per shard. configure makes it; the library's functions
// release it, in the process that made it. A foreign node fires one window per block, or one frame at a time in a loop;
// rows of either layout are converted to (b, c, n) for the call and back.
struct ForeignCall {
    const ForeignLibrary* library;
    void* state = nullptr;                 // owned by the library
    std::string params_json;               // fixed parameters, modulation, declared delay, batch_offset, first_frame
    std::vector<double> audio, params;     // rows of a block as (b, c, n), contiguous; allocated by configure
    std::vector<amp_param_view_v1> views;  // inputs after the first, parameters, "<param>.mod"
    amp_status status = AMP_OK;            // of the call that failed: the runtime stops with it, at this node and frame
    uint64_t allocations = 0;              // made by the library during a render; reported, not an error
};
uint32_t fire_v1(Step& step, const Firing& f);
uint32_t fire_v2(Step& step, const Firing& f);
Carried tick_foreign(Step& step, int64_t i, int64_t time, Carried before);  // a window of one frame
bool in_no_cohort(const double* fixed);

// The registry entry for one contract of a library: the contract gives the rules of ports, parameters and latency, and
// a call does the work.
constexpr NodeType foreign_type(const amp_node_contract& contract, bool v2, int64_t (*latency)(const double*, double)) {
    const LayoutOps call{.fire = v2 ? fire_v2 : fire_v1, .tick = tick_foreign, .state_bytes = sizeof(ForeignCall*)};
    return {.kind = NodeKind::foreign,
            .contract = &contract,
            .ops = {call, call},
            .latency = latency,
            .alone = in_no_cohort};
}

}  // namespace amp
