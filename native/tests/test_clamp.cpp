// The range of a parameter that clamps, with a type added by the test: amp::registry() is the engine's registry.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "kernel/registry.hpp"
#include "rig.hpp"

namespace {

using rig::Runtime;

// Adds a gain with the range -0.5 to 0.5 that clamps.
void add_the_type() {
    static std::vector<amp_param_contract> params;
    static amp_node_contract contract;
    static amp::NodeType type;
    const amp::NodeType* gain = amp::registry().find("gain");
    params.assign(gain->contract->params, gain->contract->params + gain->contract->n_params);
    params[0].range = AMP_RANGE_CLAMP, params[0].low = -0.5, params[0].high = 0.5, params[0].value = 0.25;
    contract = *gain->contract;
    contract.id = "clamped_gain", contract.params = params.data();
    type = *gain;
    type.contract = &contract;
    amp::registry().add({&type});
}

constexpr int64_t kFrames = 100;

// Ones through a gain of this type; an input may modulate the gain by addition.
blob::Graph ones_through(const char* type, blob::Param gain, double added = 0) {
    blob::Graph g;
    g.nodes = {{"one", "constant", {blob::number("value", 1)}},
               {"moves", "constant", {blob::number("value", added)}},
               {"level", type, {gain}},
               {"out", "output"}};
    g.edges = {{"one", "level"}, {"level", "out"}};
    if (added != 0) g.modulations = {{"moves", "level", "gain", 1}};
    g.output = "out";
    return g;
}

int64_t clamped(const Runtime& r) {
    amp_node_metrics m{};
    m.struct_size = sizeof m;
    CHECK(amp_graph_runtime_metrics(r.raw, "level", &m) == AMP_OK);
    return m.clamped_values;
}

blob::Param over_frames(double first, double rest) {
    blob::Tensor t{1, 1, kFrames, std::vector<double>(kFrames, rest)};
    t.data[0] = first;
    return blob::tensor("gain", t);
}

void values_are_clamped_and_counted() {
    const struct {
        blob::Param gain;
        double added, first, rest;
        int64_t counted;
    } cases[] = {
        {blob::number("gain", 0.25), 0, 0.25, 0.25, 0},
        {blob::number("gain", 7), 0, 0.5, 0.5, 0},  // one value, clamped when it is set
        {blob::number("gain", -7), 0, -0.5, -0.5, 0},
        {over_frames(-9, 0.125), 0, -0.5, 0.125, 1},
        {over_frames(0.125, 9), 0, 0.125, 0.5, kFrames - 1},
        {blob::number("gain", 0.25), 0.125, 0.375, 0.375, 0},
        {blob::number("gain", 0.25), 3, 0.5, 0.5, kFrames},
    };
    for (const auto& c : cases)
        for (const uint32_t block : {1u, 7u, 64u}) {
            Runtime r(ones_through("clamped_gain", c.gain, c.added));
            CHECK(r.configure(1, block) == AMP_OK);
            const auto y = r.render(kFrames);
            if (!CHECK(y.size() == kFrames)) continue;
            CHECK(y[0] == c.first && y[1] == c.rest && y[kFrames - 1] == c.rest);
            if (!CHECK(clamped(r) == c.counted))
                std::fprintf(stderr, "case %d, block %u: %lld\n", int(&c - cases), block, (long long)clamped(r));
        }
}

// Every batch and channel counts, and nothing else in the lanes they are computed in.
void batches_are_counted_one_by_one() {
    for (const uint32_t batches : {1u, 2u, 5u, 8u, 11u})
        for (const uint32_t threads : {1u, 2u}) {
            blob::Tensor t{batches, 1, kFrames, std::vector<double>(batches * kFrames, 0.125)};
            int64_t wanted = 0;
            for (uint32_t b = 0; b < batches; ++b)
                for (int64_t n = 0; n < kFrames; n += 3 + b) t.data[b * kFrames + n] = n % 2 ? 9 : -9, ++wanted;
            Runtime r(ones_through("clamped_gain", blob::tensor("gain", t)));
            CHECK(r.configure(batches, 64, AMP_RUN_STOP_NONFINITE, threads) == AMP_OK);
            CHECK(!r.render(kFrames, batches).empty());
            CHECK(clamped(r) == wanted);
            CHECK(r.configure(batches, 64, AMP_RUN_STOP_NONFINITE, threads) == AMP_OK && clamped(r) == 0);
        }
}

void the_others_refuse_them() {
    Runtime held(ones_through("gain", blob::number("gain", 1e9)));
    CHECK(held.status == AMP_E_INVALID_ARG && std::strstr(held.error.message, "level.gain: out of range"));
    Runtime moved(ones_through("gain", blob::number("gain", 1), 1e9));
    CHECK(moved.configure(1, 64) == AMP_OK && moved.render(kFrames).empty() && moved.status == AMP_E_INVALID_ARG);
}

}  // namespace

int main() {
    add_the_type();
    values_are_clamped_and_counted();
    batches_are_counted_one_by_one();
    the_others_refuse_them();
    return check::finish("test_clamp");
}
