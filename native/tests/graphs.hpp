// Small graphs that together use every feature of a plan: short and long feedback, modulation, tokens, curves, tensors,
// several channels, heat.
#pragma once
#include "blob_writer.hpp"

namespace graphs {

using blob::Graph;

// sine -> gain -> output
inline Graph chain() {
    Graph g;
    g.nodes = {{"tone", "sine", {blob::number("frequency_hz", 997), blob::integer("channels", 2)}},
               {"level", "gain", {blob::number("gain", 0.5)}},
               {"out", "output"}};
    g.edges = {{"tone", "level"}, {"level", "out"}};
    g.output = "out";
    return g;
}

// A loop of one frame through two filters, excited by noise.
inline Graph short_loop() {
    Graph g;
    g.nodes = {{"noise", "noise", {blob::integer("seed", 3)}},
               {"sum", "mix"},
               {"pole", "one_pole", {blob::number("cutoff_hz", 900)}},
               {"back", "gain", {blob::number("gain", -0.7)}},
               {"out", "output"}};
    g.edges = {
        {"noise", "sum"}, {"back", "sum", 1, "out", "in", 1}, {"sum", "pole"}, {"pole", "back"}, {"pole", "out"}};
    g.edges[1].tokens = {{1, 1, 1, {0.25}}};
    g.output = "out";
    return g;
}

// A loop of 40 frames with initial tokens, and a delay line whose time is modulated by an lfo.
inline Graph long_loop() {
    Graph g;
    blob::Tensor ramp{1, 2, 40, {}};
    for (int i = 0; i < 80; ++i) ramp.data.push_back(0.01 * i);
    g.nodes = {
        {"in", "input", {blob::integer("channels", 2)}},
        {"sum", "mix"},
        {"line", "delay_line", {blob::number("delay_s", 0.002), blob::number("max_delay_s", 0.01)}},
        {"wobble", "lfo", {blob::number("rate_hz", 5), blob::number("depth", 0.3), blob::number("offset", 1)}},
        {"out", "output"},
    };
    g.edges = {{"in", "sum"}, {"line", "sum", 40, "out", "in", 7}, {"sum", "line"}, {"line", "out"}};
    g.edges[1].tokens = {ramp};
    g.edges[1].gates = {"beat"};
    g.modulations = {{"wobble", "line", "delay_s", 0, 1, 0, -1, 0, 3}};
    g.output = "out";
    return g;
}

// A voice: gate and cutoff follow curves, the cutoff of a filter is modulated twice, thermo constants are given.
inline Graph voice() {
    Graph g;
    g.nodes = {
        {"gate", "controller", {blob::text("curve", "gate")}},
        {"env", "envelope", {blob::number("attack_s", 0.001), blob::number("release_s", 0.003)}},
        {"osc",
         "oscillator",
         {blob::text("waveform", "square"), blob::tensor("pulse_width", {1, 1, 3, {0.2, 0.5, 0.8}})}},
        {"vca", "gain", {blob::number("gain", 1)}},
        {"svf",
         "svf",
         {blob::text("mode", "lowpass"), blob::curve("cutoff_hz", "cutoff"), blob::number("q", 2)},
         0,
         1,
         1e-6,
         0.5,
         0.1},
        {"drift", "noise", {blob::number("amplitude", 0.1)}},
        {"pan", "pan", {blob::number("position", -0.5)}},
        {"out", "output"},
    };
    g.edges = {{"gate", "env", 0, "out", "gate"}, {"osc", "vca"}, {"vca", "svf"}, {"svf", "pan"}, {"pan", "out"}};
    g.edges[2].kappa = 0.5;
    g.modulations = {{"env", "vca", "gain", 0, 1, 0, -1, 0, 0, "amplitude"},
                     {"env", "svf", "cutoff_hz", 1, 100, 0, 0, 1, 2, "amplitude"},
                     {"drift", "svf", "cutoff_hz", 0, 1, 1}};
    g.output = "out";
    g.budget_w = 1e9;
    g.policy = 1;
    return g;
}

inline std::vector<blob::Curve> voice_curves() {
    return {{"gate", AMP_CURVE_HOLD, {{0.0, 0.0}, {0.001, 1.0}, {0.004, 0.0}}},
            {"cutoff", AMP_CURVE_EXPONENTIAL, {{0.0, 200.0}, {0.01, 2000.0}}}};
}

// Eight channels of constants and tensors through a biquad and the limiter.
inline Graph wide() {
    Graph g;
    g.nodes = {
        {"dc", "constant", {blob::number("value", 0.25), blob::integer("channels", 8)}},
        {"wave", "oscillator", {blob::integer("channels", 8), blob::text("quality", "naive")}},
        {"mix", "mix", {blob::tensor("gain", {1, 8, 1, {1, 2, 3, 4, 5, 6, 7, 8}})}},
        {"eq", "biquad", {blob::text("design", "peak"), blob::number("gain_db", 6)}},
        {"safe", "safety", {blob::number("ceiling", 0.9)}},
        {"out", "output"},
    };
    g.edges = {{"dc", "mix", 0, "out", "in", 2},
               {"wave", "mix", 5, "out", "in", -1},
               {"mix", "eq"},
               {"eq", "safe"},
               {"safe", "out"}};
    g.output = "out";
    return g;
}

// Two nodes with latency in parallel and one in a loop, joined by a gate, then initial tokens and a modulation.
inline Graph ahead() {
    Graph g;
    g.nodes = {
        {"noise", "noise", {blob::integer("channels", 2)}},
        {"fir", "fir", {blob::integer("half_length", 20)}},
        {"limit", "lookahead_limiter", {blob::number("lookahead_s", 0.001), blob::number("ceiling", 0.4)}},
        {"sum", "mix", {blob::number("gain", 0.7)}},
        {"loop", "fir", {blob::integer("half_length", 9)}},
        {"slow", "sine", {blob::number("frequency_hz", 30)}},
        {"meter", "gain"},
        {"out", "output"},
    };
    g.edges = {{"noise", "fir"},
               {"noise", "limit"},
               {"fir", "sum", 0, "out", "in", 0},
               {"limit", "sum", 0, "out", "in", 1},
               {"loop", "sum", 12, "out", "in", 2},
               {"sum", "loop"},
               {"noise", "meter"},
               {"sum", "out"}};
    g.edges[4].tokens = {{1, 1, 12, {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1}}};
    g.edges[6].gates = g.edges[7].gates = {"beat"};
    g.modulations = {{"slow", "sum", "gain", 1, 0.1, 0}};
    g.output = "out";
    return g;
}

// Every way to combine edges and to split channels: stacked, split, averaged, by a matrix, the first of two edges; all
// batches mixed; a held signal.
inline Graph routing() {
    Graph g;
    g.nodes = {
        {"tone", "sine", {blob::number("frequency_hz", 997)}},
        {"hiss", "noise", {blob::integer("channels", 2)}},
        {"all", "stack"},
        {"matrix", "matrix_mix", {blob::tensor("matrix", {1, 2, 3, {1, 0.5, 0.25, -1, 0.125, 2}})}},
        {"parts", "split"},
        {"left", "gain", {blob::number("gain", 0.5)}},
        {"mean", "average"},
        {"either", "first"},
        {"step", "hold", {blob::integer("hop_frames", 5)}},
        {"crowd", "batch_mix"},
        {"out", "output"},
    };
    g.edges = {{"tone", "all", 0, "out", "in", 1},
               {"hiss", "all"},
               {"all", "matrix"},
               {"matrix", "parts"},
               {"parts", "left"},
               {"parts", "mean", 3, "out", "in", 2},
               {"left", "mean"},
               {"hiss", "mean", 20, "out", "in", 1},
               {"mean", "either", 0, "out", "in", 4},
               {"hiss", "either", 0, "out", "in", 9},
               {"either", "step"},
               {"step", "crowd"},
               {"step", "out"}};
    g.edges[4].channel = 1;
    g.edges[5].channel = 0;
    g.edges[5].tokens = {{1, 1, 3, {1, 2, 3}}};
    g.edges[7].channel = 1;
    g.output = "out";
    return g;
}

inline std::string numbered(const char* name, int i) { return std::string(name) + "_" + std::to_string(i); }

// `voices` voices into one mix: lfo -> tone -> body -> loop (sum -> pole -> sum after one frame) -> pan.
inline Graph choir(int voices) {
    Graph g;
    for (int i = 0; i < voices; ++i) {
        const auto name = [i](const char* s) { return numbered(s, i); };
        g.nodes.push_back({name("lfo"), "lfo", {blob::number("rate_hz", 3 + i)}});
        g.nodes.push_back({name("tone"), "sine", {blob::number("frequency_hz", 100 + 7 * i)}});
        g.nodes.push_back({name("body"), "gain", {blob::number("gain", 0.1)}});
        g.nodes.push_back({name("sum"), "mix"});
        g.nodes.push_back({name("pole"), "one_pole", {blob::number("cutoff_hz", 900 + i)}});
        g.edges.push_back({name("tone"), name("body")});
        g.edges.push_back({name("body"), name("sum")});
        g.edges.push_back({name("pole"), name("sum"), 1, "out", "in", 1});
        g.edges.push_back({name("sum"), name("pole")});
        g.edges.push_back({name("pole"), "all", 0, "out", "in", i});
        g.modulations.push_back({name("lfo"), name("tone"), "frequency_hz", 0, 0.01, 1});
    }
    g.nodes.push_back({"all", "mix"});
    g.nodes.push_back({"out", "output"});
    g.edges.push_back({"all", "out"});
    g.output = "out";
    return g;
}

inline std::vector<Graph> all() { return {chain(), short_loop(), long_loop(), voice(), wide(), ahead(), routing()}; }

}  // namespace graphs
