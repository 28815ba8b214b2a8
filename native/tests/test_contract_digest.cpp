// The digest of a contract changes with every field that changes sound or validity, and with no other field.
#include <functional>
#include <iterator>

#include "check.hpp"
#include "plan/contract_digest.hpp"

namespace {

// A contract with every field that a digest may use. A copy points to its own arrays.
struct Made {
    const char* choices[2] = {"soft", "hard"};
    const char* other_choices[2] = {"soft", "round"};
    amp_port_contract inputs[2] = {{"in", "The signal.", AMP_CHANNELS_MATCH, AMP_GATHER_SUM, 0, 0, 0.0},
                                   {"side", "Another.", AMP_CHANNELS_MONO, AMP_GATHER_MEAN, 1, 0, 0.5}};
    amp_port_contract outputs[1] = {{"out", "The result.", AMP_CHANNELS_MATCH, AMP_SCATTER_BROADCAST, 0, 0, 0.0}};
    amp_param_contract params[3] = {{"drive", "dB", "How far.", AMP_PARAM_NUMBER, AMP_SCALE_LINEAR, AMP_RATE_FRAME,
                                     AMP_RANGE_ERROR, -60.0, 24.0, 0, 0, 0.0, nullptr},
                                    {"knee", "", "Which.", AMP_PARAM_ENUM, AMP_SCALE_LINEAR, AMP_RATE_FIXED,
                                     AMP_RANGE_ERROR, 0.0, 1.0, 0, 2, 1.0, choices},
                                    {"thermo.heat", "J", "Own heat.", AMP_PARAM_NUMBER, AMP_SCALE_LINEAR,
                                     AMP_RATE_FRAME, AMP_RANGE_ERROR, 0.0, 1.0, 0, 0, 0.0, nullptr}};
    amp_case_contract cases[1] = {{"one", "noise", "", 1, 100, "exact", 0.0, "equal"}};
    amp_node_contract c{};

    Made() {
        c = {.struct_size = sizeof c,
             .revision = 3,
             .id = "made.up",
             .group = "filter",
             .summary = "Made up.",
             .doc = "It is not built in.",
             .inputs = inputs,
             .outputs = outputs,
             .params = params,
             .cases = cases,
             .n_inputs = 2,
             .n_outputs = 1,
             .n_params = 3,
             .n_cases = 1,
             .latency_frames = 7,
             .oversample_max = 4,
             .adjoint = AMP_ADJOINT_EXACT,
             .heat = "none",
             .laws = AMP_LAW_BLOCK_INVARIANT,
             .has_channels = 0,
             .io = AMP_IO_NONE,
             .curve_param = 0,
             .channels_param = 0,
             .limited_param = 0,
             .limit_param = 0};
    }
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
};

struct Change {
    const char* what;
    std::function<void(Made&)> make;
};

const Change kChangesDigest[] = {
    {"id", [](Made& m) { m.c.id = "made.down"; }},
    {"revision", [](Made& m) { m.c.revision = 4; }},
    {"declared latency", [](Made& m) { m.c.latency_frames = 8; }},
    {"samples are bound to it", [](Made& m) { m.c.io = AMP_IO_SOURCE; }},
    {"it delivers the result", [](Made& m) { m.c.io = AMP_IO_SINK; }},
    {"a parameter names its curve", [](Made& m) { m.c.curve_param = 1; }},
    {"a parameter counts its channels", [](Made& m) { m.c.channels_param = 1; }},
    {"another counts them", [](Made& m) { m.c.channels_param = 2; }},
    {"a parameter has a limit", [](Made& m) { m.c.limited_param = 1, m.c.limit_param = 2; }},
    {"one input less", [](Made& m) { m.c.n_inputs = 1; }},
    {"no output", [](Made& m) { m.c.n_outputs = 0; }},
    {"input key", [](Made& m) { m.inputs[0].key = "into"; }},
    {"order of inputs", [](Made& m) { std::swap(m.inputs[0], m.inputs[1]); }},
    {"channels of an input", [](Made& m) { m.inputs[0].channels = AMP_CHANNELS_STEREO; }},
    {"gather", [](Made& m) { m.inputs[0].gather = AMP_GATHER_CONCAT; }},
    {"optional", [](Made& m) { m.inputs[0].optional = 1; }},
    {"value read when unconnected", [](Made& m) { m.inputs[1].neutral = 1.0; }},
    {"output key", [](Made& m) { m.outputs[0].key = "result"; }},
    {"channels of an output", [](Made& m) { m.outputs[0].channels = AMP_CHANNELS_MONO; }},
    {"scatter", [](Made& m) { m.outputs[0].gather = AMP_SCATTER_SPLIT; }},
    {"map", [](Made& m) { m.outputs[0].map = AMP_MAP_BATCHES; }},
    {"one parameter less", [](Made& m) { m.c.n_params = 1; }},
    {"order of parameters", [](Made& m) { std::swap(m.params[0], m.params[1]); }},
    {"parameter key", [](Made& m) { m.params[0].key = "drive_db"; }},
    {"kind", [](Made& m) { m.params[0].kind = AMP_PARAM_INTEGER; }},
    {"rate", [](Made& m) { m.params[0].rate = AMP_RATE_BATCH; }},
    {"error or clamp", [](Made& m) { m.params[0].range = AMP_RANGE_CLAMP; }},
    {"low", [](Made& m) { m.params[0].low = -50.0; }},
    {"high", [](Made& m) { m.params[0].high = 25.0; }},
    {"high counts in sample rates", [](Made& m) { m.params[0].high_is_fs = 1; }},
    {"default", [](Made& m) { m.params[0].value = 1.0; }},
    {"number of choices", [](Made& m) { m.params[1].n_choices = 1; }},
    {"a choice", [](Made& m) { m.params[1].choices = m.other_choices; }},
};

const Change kKeepsDigest[] = {
    {"group", [](Made& m) { m.c.group = "dynamics"; }},
    {"summary", [](Made& m) { m.c.summary = "Other words."; }},
    {"doc", [](Made& m) { m.c.doc = "Other words."; }},
    {"doc of an input", [](Made& m) { m.inputs[0].doc = "Other words."; }},
    {"doc of an output", [](Made& m) { m.outputs[0].doc = "Other words."; }},
    {"doc of a parameter", [](Made& m) { m.params[0].doc = "Other words."; }},
    {"unit in texts", [](Made& m) { m.params[0].unit = "decibel"; }},
    {"scale of a slider", [](Made& m) { m.params[0].scale = AMP_SCALE_LOG; }},
    {"cases", [](Made& m) { m.c.n_cases = 0; }},
    {"tolerance of a case", [](Made& m) { m.cases[0].tolerance = 1.0; }},
    {"adjoint kind", [](Made& m) { m.c.adjoint = AMP_ADJOINT_UNSUPPORTED; }},
    {"largest oversampling ratio", [](Made& m) { m.c.oversample_max = 16; }},
    {"heat formula", [](Made& m) { m.c.heat = "in words"; }},
    {"laws", [](Made& m) { m.c.laws |= AMP_LAW_LINEAR | AMP_LAW_SILENCE; }},
    {"range of a reserved parameter", [](Made& m) { m.params[2].high = 2.0; }},
    {"no reserved parameter", [](Made& m) { m.c.n_params = 2; }},
    {"size of the record", [](Made& m) { m.c.struct_size += 8; }},
};

}  // namespace

int main() {
    const Made as_it_was;
    const uint64_t digest = amp::digest_version_2(as_it_was.c);
    const auto digest_after = [](const Change& change) {
        Made m;
        change.make(m);
        return amp::digest_version_2(m.c);
    };
    CHECK(digest == amp::digest_version_2(Made().c));
    for (const Change& change : kChangesDigest)
        if (!CHECK(digest_after(change) != digest)) std::fprintf(stderr, "  %s\n", change.what);
    for (const Change& change : kKeepsDigest)
        if (!CHECK(digest_after(change) == digest)) std::fprintf(stderr, "  %s\n", change.what);
    // Version 1 covers more fields, also in contracts that were added after version 2.
    Made laws;
    laws.c.laws = 0;
    CHECK(amp::digest_version_1(laws.c) != amp::digest_version_1(as_it_was.c));
    return check::finish("contract digest");
}
