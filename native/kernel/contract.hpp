// Shorthands for contract tables.
#pragma once
#include "amp/node.h"

namespace amp::AMP_KNS {

template <class T, uint32_t N> constexpr uint32_t count(const T (&)[N]) { return N; }

// A real parameter that may change every frame.
constexpr amp_param_contract number(const char* key, const char* unit, double low, double high, double value,
                                    const char* doc, uint32_t scale = AMP_SCALE_LINEAR,
                                    uint32_t range = AMP_RANGE_ERROR) {
    return {key, unit, doc, AMP_PARAM_NUMBER, scale, AMP_RATE_FRAME, range, low, high, 0, 0, value, nullptr};
}
// A frequency: upper limit 0.49 of the sample rate.
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
// A real parameter fixed by the descriptor (sizes of memory and the like).
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

// C_out x C_in numbers that hold over frames.
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
