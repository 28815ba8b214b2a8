// What a node type declares: a record with named members, and functions that make the entries of its tables.
#pragma once
#include "amp/node.h"

namespace amp::AMP_KNS {

template <class T> struct Table {  // an array and its length
    const T* first = nullptr;
    uint32_t count = 0;
    constexpr Table() = default;
    template <uint32_t N> constexpr Table(const T (&a)[N]) : first(a), count(N) {}
};

// Members that are left out have the defaults below. A role names a parameter by its key.
struct Declaration {
    const char* id;         // unique type id; never changes
    uint32_t revision = 1;  // raised when the sound changes
    const char* group;      // source | control | filter | mix | delay | dynamics | io
    const char* summary;    // one line
    const char* doc;        // paragraphs: maths, units, reference
    Table<amp_param_contract> params{};
    Table<amp_case_contract> cases{};  // each case is a law test, a golden and a figure
    uint32_t io = AMP_IO_NONE;
    const char* curve = nullptr;     // the parameter that names the control curve the node plays
    const char* channels = nullptr;  // the parameter that sets how many channels a source has
    // values of parameter `limited` may not exceed the value of parameter `limit`
    const char *limited = nullptr, *limit = nullptr;
    int64_t latency_frames = 0;            // with default parameters, at 48 kHz
    uint32_t adjoint = AMP_ADJOINT_EXACT;  // for differentiation, which is planned
    const char* heat = "";                 // formula of its own heat, in words
    uint32_t laws = 0;                     // AMP_LAW_*
    const char* bound = nullptr;           // AMP_LAW_BOUNDED: the parameter that bounds |output|; NULL: 1 is the bound
};

void no_such_parameter();  // not defined: a role that names no parameter does not compile

// The place of a parameter plus 1; 0 if `key` is NULL.
constexpr uint32_t place_of(const char* key, const Table<amp_param_contract>& params) {
    if (!key) return 0;
    for (uint32_t k = 0; k < params.count; ++k) {
        const char *a = key, *b = params.first[k].key;
        while (*a && *a == *b) ++a, ++b;
        if (*a == *b) return k + 1;
    }
    no_such_parameter();
    return 0;
}

consteval amp_node_contract contract(const Declaration& d, Table<amp_port_contract> inputs,
                                     Table<amp_port_contract> outputs) {
    amp_node_contract c{};
    c.struct_size = sizeof c;
    c.revision = d.revision;
    c.id = d.id, c.group = d.group, c.summary = d.summary, c.doc = d.doc, c.heat = d.heat;
    c.inputs = inputs.first, c.n_inputs = inputs.count;
    c.outputs = outputs.first, c.n_outputs = outputs.count;
    c.params = d.params.first, c.n_params = d.params.count;
    c.cases = d.cases.first, c.n_cases = d.cases.count;
    c.latency_frames = d.latency_frames, c.oversample_max = 1;
    c.adjoint = d.adjoint, c.laws = d.laws;
    c.io = d.io;
    c.curve_param = place_of(d.curve, d.params);
    c.channels_param = place_of(d.channels, d.params);
    c.has_channels = c.channels_param != 0;
    c.limited_param = place_of(d.limited, d.params);
    c.limit_param = place_of(d.limit, d.params);
    c.bound_param = place_of(d.bound, d.params);
    return c;
}

// A real parameter that may change per frame.
constexpr amp_param_contract number(const char* key, const char* unit, double low, double high, double value,
                                    const char* doc, uint32_t scale = AMP_SCALE_LINEAR,
                                    uint32_t range = AMP_RANGE_ERROR) {
    return {key, unit, doc, AMP_PARAM_NUMBER, scale, AMP_RATE_FRAME, range, low, high, 0, 0, value, nullptr};
}
// A frequency in Hz; its upper limit is 0.49 of the sample rate.
constexpr amp_param_contract frequency(const char* key, double low, double value, const char* doc,
                                       uint32_t range = AMP_RANGE_ERROR) {
    return {key, "Hz", doc, AMP_PARAM_NUMBER, AMP_SCALE_LOG, AMP_RATE_FRAME, range, low, 0.49, 1, 0, value, nullptr};
}
template <uint32_t N>
constexpr amp_param_contract choice(const char* key, const char* const (&choices)[N], uint32_t value, const char* doc) {
    return {key,     "", doc, AMP_PARAM_ENUM, AMP_SCALE_LINEAR, AMP_RATE_FIXED, AMP_RANGE_ERROR, 0,
            N - 1.0, 0,  N,   double(value),  choices};
}
constexpr amp_param_contract integer(const char* key, double low, double high, double value, const char* doc) {
    return {key, "",    doc,    AMP_PARAM_INTEGER, AMP_SCALE_LINEAR, AMP_RATE_FIXED, AMP_RANGE_ERROR, low, high, 0,
            0,   value, nullptr};
}
// A real parameter that only the descriptor sets (for example a memory size).
constexpr amp_param_contract fixed(const char* key, const char* unit, double low, double high, double value,
                                   const char* doc) {
    return {key, unit, doc,   AMP_PARAM_NUMBER, AMP_SCALE_LINEAR, AMP_RATE_FIXED, AMP_RANGE_ERROR, low, high,
            0,   0,    value, nullptr};
}
constexpr amp_param_contract text(const char* key, const char* doc) {
    return {key, "", doc, AMP_PARAM_TEXT, AMP_SCALE_LINEAR, AMP_RATE_FIXED, AMP_RANGE_ERROR, 0, 0, 0, 0, 0, nullptr};
}
constexpr amp_param_contract channels() {
    return integer("channels", 1, 1024, 1, "Number of channels this source makes.");
}

// A matrix parameter: C_out x C_in numbers that are constant over frames.
constexpr amp_param_contract matrix(const char* key, double low, double high, const char* doc) {
    return {key, "1", doc, AMP_PARAM_MATRIX, AMP_SCALE_LINEAR, AMP_RATE_BATCH, AMP_RANGE_ERROR, low, high,
            0,   0,   1.0, nullptr};
}

constexpr amp_port_contract input(const char* key, const char* doc, uint32_t gather = AMP_GATHER_SUM) {
    return {key, doc, AMP_CHANNELS_MATCH, gather, 0, 0, 0.0};
}
constexpr amp_port_contract optional_input(const char* key, double neutral, const char* doc) {
    return {key, doc, AMP_CHANNELS_MATCH, AMP_GATHER_SUM, 1, 0, neutral};
}
constexpr amp_port_contract output(const char* key, const char* doc, uint32_t channels = AMP_CHANNELS_MATCH) {
    return {key, doc, channels, 0, 0, 0, 0.0};
}

constexpr amp_port_contract scattering_output(const char* key, uint32_t scatter, const char* doc) {
    return {key, doc, AMP_CHANNELS_MATCH, scatter, 0, 0, 0.0};
}
constexpr amp_port_contract mapping_output(const char* key, uint32_t map, const char* doc) {
    return {key, doc, AMP_CHANNELS_MATCH, AMP_SCATTER_BROADCAST, 0, map, 0.0};
}

constexpr const char* kExactReason = "every operation is defined down to the last bit, so equality is exact";

}  // namespace amp::AMP_KNS
