// Parameters, bound samples and control histories: what is refused, when a value takes effect, what clear_params
// restores.
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using rig::Runtime;
using Samples = std::vector<double>;

bool says(const Runtime& r, const char* words) { return std::strstr(r.error.message, words) != nullptr; }

void parameters() {
    Runtime r(graphs::chain());
    CHECK(r.configure(2, 16) == AMP_OK);
    const Samples quiet = r.render(64, 2);
    CHECK(r.set("nobody", "gain", 1) == AMP_E_INVALID_ARG && r.set("level", "volume", 1) == AMP_E_INVALID_ARG);
    CHECK(r.set("tone", "channels", 1) == AMP_E_INVALID_ARG && says(r, "fixed by the graph"));
    CHECK(r.set("level", "gain", 1e9) == AMP_E_INVALID_ARG && r.set("level", "gain", NAN) == AMP_E_INVALID_ARG);
    CHECK(r.set("level", "gain", blob::Tensor{3, 1, 1, {1, 2, 3}}) == AMP_E_SHAPE);
    CHECK(says(r, "amp_graph_runtime_set_param_shape_mismatch") && says(r, "(3, 1, 1)") && says(r, "1 or 2"));
    CHECK(r.set("level", "gain", 1, 63) == AMP_E_INVALID_ARG && says(r, "earliest is 64"));
    CHECK(r.set("level", "gain", blob::Tensor{1, 1, 2, {1, 2}}) == AMP_E_UNSUPPORTED);
    CHECK(r.set("level", "gain", blob::Tensor{1, 1, 2, {1, 2}}, 100) == AMP_E_UNSUPPORTED);
    CHECK(r.set("level", "gain", 0.0) == AMP_OK && r.set("level", "gain", 2.0, 100) == AMP_OK &&
          r.set("level", "gain", 1.0, 90) == AMP_OK);
    CHECK(r.set("tone", "amplitude", blob::Tensor{2, 2, 1, {1, 1, 1, 3}}) == AMP_OK);
    const Samples y = r.render(64, 2);  // frames 64..127
    CHECK(r.status == AMP_OK && y[0] == 0.0 && y[25] == 0.0 && y[26] != 0.0);
    Runtime plain(graphs::chain());
    CHECK(plain.configure(2, 128) == AMP_OK);
    const Samples whole = plain.render(128, 2);  // with gain 0.5
    for (const size_t n : {70u, 89u, 90u, 99u, 100u, 127u}) {
        const double gain = n < 90 ? 0.0 : n < 100 ? 1.0 : 2.0;
        CHECK(y[n - 64] == whole[n] / 0.5 * gain);
        CHECK(std::fabs(y[3 * 64 + n - 64] - whole[3 * 128 + n] / 0.5 * gain * 3.0) < 1e-12);
    }
    CHECK(amp_graph_runtime_clear_params(r.raw) == AMP_OK);
    CHECK(r.render(64, 2).size() == 256 && r.configure(2, 16) == AMP_OK && r.render(64, 2) == quiet);
}

// A value given as a curve or with a frame axis is restored after another value replaced it, before or during the
// render.
void clearing_goes_back_to_curves() {
    for (const bool early : {true, false}) {
        Runtime r(graphs::voice()), plain(graphs::voice());
        for (Runtime* x : {&r, &plain})
            CHECK(x->history(graphs::voice_curves()) == AMP_OK && x->configure(1, 32) == AMP_OK);
        CHECK(plain.render(64).size() == 128);
        if (!early) CHECK(r.render(64).size() == 128);
        CHECK(r.set("svf", "cutoff_hz", 500) == AMP_OK && r.set("osc", "pulse_width", 0.3) == AMP_OK);
        if (early) CHECK(r.render(64).size() == 128);
        CHECK(amp_graph_runtime_clear_params(r.raw) == AMP_OK);
        const auto at = [](Runtime& x, const char* node) { return x.render(64, 1, node); };
        CHECK(at(r, "osc") == at(plain, "osc") && r.status == AMP_OK);
    }
}

// A value per batch can replace a curve at any frame. A value per channel can do so at frame 0 only: later it is
// refused, not truncated.
void wide_values_are_not_cut() {
    blob::Graph g = graphs::chain();
    g.nodes[1].params = {blob::curve("gain", "fade")};
    Runtime r(g);
    CHECK(r.history({{"fade", 1, {{0, 0}, {1, 1}}}}) == AMP_OK && r.configure(2, 16) == AMP_OK);
    CHECK(r.render(16, 2).size() == 64);
    CHECK(r.set("level", "gain", blob::Tensor{2, 1, 1, {0, 2}}) == AMP_OK);
    const Samples wide = r.render(16, 2);
    CHECK(wide.size() == 64 && wide[5] == 0.0 && wide[32 + 5] != 0.0);
    CHECK(r.set("level", "gain", blob::Tensor{1, 2, 1, {1, 2}}, 64) == AMP_E_UNSUPPORTED && says(r, "per channel"));
    CHECK(r.set("level", "gain", 0.5) == AMP_OK && r.render(16, 2).size() == 64);
    CHECK(r.configure(2, 16) == AMP_OK && r.set("level", "gain", blob::Tensor{2, 1, 1, {0, 2}}) == AMP_OK);
    const Samples y = r.render(16, 2);
    CHECK(r.status == AMP_OK && y[5] == 0.0 && y[32 + 5] != 0.0);
}

// Changes over time: a queued value takes effect before a later call for the same frame; configure drops both;
// clear_params restores the descriptor's values.
void changes_in_time() {
    blob::Graph g = graphs::chain();
    g.nodes[1].params = {blob::tensor("gain", {2, 1, 1, {1, 2}})};
    Runtime r(g);
    CHECK(r.configure(4, 16) == AMP_E_SHAPE);  // the given value must fit even while another replaces it
    CHECK(r.configure(2, 16) == AMP_OK && r.set("level", "gain", 0.5) == AMP_OK);
    CHECK(r.configure(4, 16) == AMP_E_SHAPE && r.configure(2, 16) == AMP_OK);
    CHECK(r.set("level", "gain", 1, 32) == AMP_OK && r.render(32, 2).size() == 128);
    CHECK(r.set("level", "gain", 0) == AMP_OK);
    const Samples silent = r.render(16, 2);
    CHECK(silent[5] == 0.0 && silent[32 + 5] == 0.0);  // the value set last, not the queued one
    CHECK(r.configure(2, 16) == AMP_OK);
    const Samples start = r.render(16, 2);
    CHECK(start[5] != 0.0 && start[5] == start[32 + 5]);  // the value 0.5 that was set before the first frame
    CHECK(amp_graph_runtime_clear_params(r.raw) == AMP_OK);
    CHECK(r.configure(2, 16) == AMP_OK);
    const Samples given = r.render(16, 2);
    CHECK(given[32 + 5] == 2.0 * given[5]);
    CHECK(r.configure(2, 16) == AMP_OK);
    CHECK(r.set("level", "gain", blob::Tensor{1, 1, 3, {1, 2, 3}}, 100) ==
          AMP_E_UNSUPPORTED);  // refused by the call, not at frame 100
}

void inputs() {
    blob::Graph g = graphs::chain();
    g.nodes[0] = {"tone", "input"};
    Runtime r(g);
    Samples x{1, 2, 3};
    amp_buffer b = rig::view(x, 1, 1, 3);
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "tone", &b)) == AMP_E_INVALID_ARG && says(r, "not configured"));
    CHECK(r.configure(3, 2) == AMP_OK);
    CHECK(r.render(2, 3) == Samples(6, 0.0));
    CHECK(r.configure(3, 2) == AMP_OK && r.note(amp_graph_runtime_bind_input(r.raw, "tone", &b)) == AMP_OK);
    CHECK(r.render(4, 3) == Samples({0.5, 1, 1.5, 0, 0.5, 1, 1.5, 0, 0.5, 1, 1.5, 0}));
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "level", &b)) == AMP_E_INVALID_ARG && says(r, "takes no samples"));
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "nobody", &b)) == AMP_E_INVALID_ARG);
    Samples six{1, 2, 3, 4, 5, 6};
    const amp_buffer two = rig::view(six, 2, 1, 3), stereo = rig::view(six, 1, 2, 3), each = rig::view(six, 3, 1, 2);
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "tone", &two)) == AMP_E_SHAPE);
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "tone", &stereo)) == AMP_E_SHAPE);
    CHECK(r.note(amp_graph_runtime_bind_input(r.raw, "tone", &each)) == AMP_OK);
    CHECK(r.configure(3, 2) == AMP_OK && r.render(2, 3) == Samples({0.5, 1, 1.5, 2, 2.5, 3}));
    CHECK(r.configure(2, 2) == AMP_E_SHAPE && says(r, "3 batches"));
}

void histories() {
    Runtime r(graphs::voice());
    CHECK(r.configure() == AMP_OK && r.render(8).empty() && r.status == AMP_E_INVALID_ARG &&
          says(r, "no control history"));
    auto curves = graphs::voice_curves();
    curves.pop_back();
    CHECK(r.history(curves) == AMP_E_INVALID_ARG && says(r, "missing cutoff"));
    curves = graphs::voice_curves();
    curves.push_back({"extra", 0, {{0, 1}}});
    CHECK(r.history(curves) == AMP_E_INVALID_ARG && says(r, "not in the graph: extra"));
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.render(8).size() == 16);
    CHECK(r.history(graphs::voice_curves()) == AMP_E_INVALID_ARG && says(r, "before the first execute"));
    CHECK(r.configure() == AMP_OK && r.render(8).size() == 16);
}

}  // namespace

int main() {
    parameters();
    clearing_goes_back_to_curves();
    wide_values_are_not_cut();
    changes_in_time();
    inputs();
    histories();
    return check::finish("values");
}
