// Sketch: nodes from other people's libraries. Declarations only; docs/design/next.md says where each part will lie.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "amp/node.h"
#include "kernel/registry.hpp"
#include "plan/plan.hpp"

// ---- include/amp/run_node.h: a given layout, for which binaries exist. No field moves, none is added ----
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
    uint32_t has_audio;  // bit 0: there is data; bit 1: the last window
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
    amp_tap_set_v1 outputs, statuses;  // both empty
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

// [owner of the state] 0, or a negative status; AMP_E_SHAPE for a view that does not fit. `*out_buffer` is the callee's
// until amp_free; `*state` NULL makes a fresh one, a replaced one is released by whoever holds it. One window at a
// time, in order.
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
    amp_state_t** costate;  // backward: NULL behind the last window; in and out
} amp_node_descriptor_t;

typedef struct amp_node_metrics_t {
    uint32_t measured_delay_frames;
    float accumulated_heat;  // J
    double processing_time_seconds, logging_time_seconds, total_time_seconds, thread_cpu_time_seconds;
    double reserved[6];
} amp_node_metrics_t;

// Forward: signal inputs, then parameters in contract order; signal outputs. Backward: output cotangents, signal
// inputs, parameters; input cotangents, parameter cotangents. No adjoint: AMP_E_UNSUPPORTED and zeros. `metrics` may be
// NULL.
typedef int amp_run_node_v2_fn(const amp_node_descriptor_t* node, amp_state_t** state, const amp_buffer_t* inputs,
                               amp_buffer_t* outputs, amp_execution_mode_t mode, amp_node_metrics_t* metrics);

// ---- include/amp/plugin.h ----
typedef struct amp_host {
    uint32_t abi_version;
    uint32_t reserved;
    void* host;                                                 // first argument of what follows
    void* (*allocate)(void* host, size_t bytes, size_t align);  // [fire] gone when the firing ends; NULL: none left
    void (*log)(void* host, int32_t level, const char* text);   // [any]
    int32_t (*sample)(void* host, const char* curve, int64_t first, int64_t frames, double* out);  // [fire]
    const void* (*find_extension)(void* host, const char* id, uint32_t revision);  // [any] NULL: unknown
} amp_host;

// One node type of a plug-in. Everything it points at stays as long as the library is loaded.
typedef struct amp_plugin_node {
    const amp_node_contract* contract;  // id: vendor.node
    amp_run_node_fn* run;
    amp_run_node_v2_fn* run_v2;                                         // NULL: v1 only, and no adjoint
    int64_t (*latency)(const double* fixed, double sample_rate);        // [any] NULL: the contract's
    void (*reset)(void* state);                                         // [owner] NULL: a fresh state does
    size_t (*snapshot)(const void* state, void* out, size_t capacity);  // [owner] NULL: the graph has no snapshots
    void* (*restore)(const void* bytes, size_t size);                   // [owner] NULL where snapshot is
} amp_plugin_node;

typedef struct amp_plugin {
    uint32_t abi_version;
    uint32_t n_nodes;
    const char *vendor, *name, *version;
    const amp_plugin_node* nodes;
    amp_free_fn* free;
    amp_release_state_fn* release_state;
} amp_plugin;

// [loading] Once per library, before anything else of it is called; `host` lives as long as the library is loaded.
typedef const amp_plugin* amp_plugin_entry_fn(const amp_host* host);
}

static_assert(sizeof(amp_node_descriptor_v1) == 48 && sizeof(amp_audio_view_v1) == 24 &&
              sizeof(amp_param_view_v1) == 32 && sizeof(amp_node_inputs_v1) == 72 && sizeof(amp_curve_v1) == 40 &&
              sizeof(amp_control_history_v1) == 16);

namespace amp {

// ---- engine/foreign/library.hpp ----
// A loaded library: by path, by an explicit act only. Its symbols win inside it; it is never unloaded.
struct ForeignLibrary {
    std::string path, vendor, name, version;
    uint64_t digest = 0;  // of the file, in the digest of every plan that uses it
    bool legacy = false;  // exports the three v1 symbols; its contract lies beside it as JSON
    amp_run_node_fn* run = nullptr;
    amp_free_fn* free = nullptr;
    amp_release_state_fn* release_state = nullptr;
};
std::unique_ptr<ForeignLibrary> load_library(const std::string& path, const std::string& sidecar_json);

// ---- engine/foreign/step.hpp ----
// Step::state of a foreign node holds a pointer to this, one per shard. Made by configure, ended by the library's own
// functions, in the process that made it. A foreign node fires a window per block and a frame at a time in a loop; rows
// of either layout are turned into (b, c, n) for the call and back.
struct ForeignCall {
    const ForeignLibrary* library;
    void* state = nullptr;                 // the callee's
    std::string params_json;               // fixed parameters, modulation, declared delay, batch_offset, first_frame
    std::vector<double> audio, params;     // rows of a block as (b, c, n), contiguous; reserved by configure
    std::vector<amp_param_view_v1> views;  // inputs behind the first, parameters, "<param>.mod"
    amp_status status = AMP_OK;            // of the call that failed: the runtime stops with it, at this node and frame
    uint64_t allocations = 0;              // of the library while it rendered; shown, not forbidden
};
uint32_t fire_v1(Step& step, const Firing& f);
uint32_t fire_v2(Step& step, const Firing& f);
Carried tick_foreign(Step& step, int64_t i, int64_t time, Carried before);  // a window of one frame
bool in_no_cohort(const double* fixed);

// What the registry gets for one contract of a library: the rules of a port, parameter or latency are the contract's,
// the work is a call.
constexpr NodeType foreign_type(const amp_node_contract& contract, bool v2, int64_t (*latency)(const double*, double)) {
    const LayoutOps call{.fire = v2 ? fire_v2 : fire_v1, .tick = tick_foreign, .state_bytes = sizeof(ForeignCall*)};
    return {.kind = NodeKind::foreign,
            .contract = &contract,
            .ops = {call, call},
            .latency = latency,
            .alone = in_no_cohort};
}

}  // namespace amp
