// The writer of blobs: its bytes have the layout of the headers, it never writes beyond the memory, and every mistake
// has its sentence.
#include <cstring>
#include <memory>
#include <string>

#include "check.hpp"
#include "graphs.hpp"

namespace {

using blob::Bytes;

amp_buffer view(const blob::Tensor& t) {
    amp_buffer b{};
    b.struct_size = sizeof b, b.batches = t.batches, b.channels = t.channels, b.frames = int64_t(t.frames);
    b.channel_stride = b.frames, b.batch_stride = b.frames * t.channels;
    b.data = const_cast<double*>(t.data.data());
    return b;
}

void write(amp_writer* w, const blob::Param& p) {
    const amp_buffer values = view(p.tensor);
    switch (p.kind) {
    case blob::kNumber: amp_write_number(w, p.key.c_str(), p.number); break;
    case blob::kTensor: amp_write_tensor(w, p.key.c_str(), &values); break;
    case blob::kCurve: amp_write_curve_ref(w, p.key.c_str(), p.text.c_str()); break;
    case blob::kText: amp_write_text(w, p.key.c_str(), p.text.c_str()); break;
    default: amp_write_integer(w, p.key.c_str(), p.integer); break;
    }
}

void write(amp_writer* w, const blob::Graph& g, void* memory, size_t capacity) {
    amp_write_graph(w, memory, capacity, g.sample_rate, g.name.c_str(), g.output.c_str());
    if (g.budget_w == g.budget_w) amp_write_heat_budget(w, g.budget_w, g.policy);
    for (const blob::Node& n : g.nodes) {
        amp_write_node(w, n.name.c_str(), n.type.c_str());
        for (const blob::Param& p : n.params) write(w, p);
        if (n.heat == n.heat) amp_write_thermo(w, n.heat, n.capacity, n.conductance);
    }
    for (const blob::Edge& e : g.edges) {
        amp_write_edge(w, e.src.c_str(), e.src_port.c_str(), e.dst.c_str(), e.dst_port.c_str());
        amp_write_slot(w, e.slot);
        if (e.delay) amp_write_delay(w, e.delay);
        for (const blob::Tensor& t : e.tokens) {
            const amp_buffer tokens = view(t);
            amp_write_tokens(w, &tokens);
        }
        if (e.channel != -1) amp_write_channel(w, e.channel);
        for (const std::string& gate : e.gates) amp_write_gate(w, gate.c_str());
        if (e.kappa == e.kappa) amp_write_kappa(w, e.kappa);
    }
    for (const blob::Modulation& m : g.modulations) {
        amp_write_modulation(w, m.src.c_str(), m.src_port.c_str(), m.dst.c_str(), m.param.c_str(), m.mode, m.scale,
                             m.offset);
        amp_write_channel(w, m.channel);
        amp_write_slot(w, m.slot);
        amp_write_delay(w, m.delay);
    }
}

void write(amp_writer* w, const std::vector<blob::Curve>& curves, void* memory, size_t capacity) {
    amp_write_history(w, memory, capacity);
    for (const blob::Curve& c : curves) {
        amp_write_curve(w, c.name.c_str(), c.interpolation);
        for (const auto& [time, value] : c.points) amp_write_point(w, time, value);
    }
}

// Writes to separate allocations of every size up to the one needed: a sanitizer detects a byte too many.
template <class T> void same_bytes(const T& what, const Bytes& expected) {
    amp_writer w;
    size_t size = 0;
    write(&w, what, nullptr, 7);
    CHECK(amp_write_end(&w, &size, nullptr) == AMP_OK && size == expected.size());
    for (size_t capacity = 0; capacity <= expected.size(); ++capacity) {
        const std::unique_ptr<uint8_t[]> memory(new uint8_t[capacity]);
        amp_error error{};
        error.struct_size = sizeof error;
        write(&w, what, memory.get(), capacity);
        const amp_status status = amp_write_end(&w, &size, &error);
        CHECK(size == expected.size() && error.code == status && error.struct_size == sizeof error);
        if (capacity < expected.size())
            CHECK(status == AMP_E_INVALID_ARG && std::strstr(error.message, "too little memory"));
        else
            CHECK(status == AMP_OK && !*error.message && !std::memcmp(memory.get(), expected.data(), size));
    }
}

void bytes_are_those_of_the_layout() {
    for (const blob::Graph& g : graphs::all()) same_bytes(g, blob::descriptors(g));
    same_bytes(graphs::choir(3), blob::descriptors(graphs::choir(3)));
    same_bytes(blob::Graph{}, blob::descriptors({}));
    same_bytes(graphs::voice_curves(), blob::history(graphs::voice_curves()));
    same_bytes(std::vector<blob::Curve>{}, blob::history({}));
}

// Expects the mistake that calls after the node "tone", its edge to "out" or a curve "pitch" cause.
void mistake(const char* sentence, void (*calls)(amp_writer*), bool of_graph = true) {
    uint8_t memory[512];
    amp_writer w;
    size_t size = 1;
    amp_error error{};
    error.struct_size = sizeof error;
    if (of_graph)
        amp_write_graph(&w, memory, sizeof memory, 48000, "beep", "out");
    else
        amp_write_history(&w, memory, sizeof memory);
    calls(&w);
    CHECK(amp_write_end(&w, &size, &error) == AMP_E_INVALID_ARG && size == 0);
    CHECK(!std::strcmp(error.stage, "write") && error.batch == -1);
    if (!CHECK(std::strstr(error.message, sentence))) std::fprintf(stderr, "  %s\n", error.message);
    CHECK(amp_write_end(&w, &size, nullptr) == AMP_E_INVALID_ARG && size == 0);
}

void tone(amp_writer* w) { amp_write_node(w, "tone", "sine"); }
void edge(amp_writer* w) { tone(w), amp_write_edge(w, "tone", nullptr, "out", nullptr); }
void modulation(amp_writer* w) { tone(w), amp_write_modulation(w, "tone", nullptr, "tone", "gain", 0, 1, 0); }
double one = 1;
const amp_buffer kToken{sizeof(amp_buffer), 1, 1, 0, 1, 1, 1, &one};

void mistakes_have_sentences() {
    mistake("a parameter stands behind no node", [](amp_writer* w) { amp_write_number(w, "gain", 1); });
    mistake("out: a parameter stands behind no node", [](amp_writer* w) { edge(w), amp_write_integer(w, "seed", 1); });
    mistake("thermo constants stand behind no node", [](amp_writer* w) { amp_write_thermo(w, 1, 1, 1); });
    mistake("delay or channel stands behind no edge", [](amp_writer* w) { tone(w), amp_write_slot(w, 1); });
    mistake("delay or channel stands behind no edge", [](amp_writer* w) { amp_write_delay(w, 1); });
    mistake("delay or channel stands behind no edge", [](amp_writer* w) { tone(w), amp_write_channel(w, 1); });
    mistake("a gate stands behind no edge", [](amp_writer* w) { modulation(w), amp_write_gate(w, "beat"); });
    mistake("a heat share stands behind no edge", [](amp_writer* w) { tone(w), amp_write_kappa(w, 1); });
    mistake("tokens stand behind no edge", [](amp_writer* w) { modulation(w), amp_write_tokens(w, &kToken); });
    mistake("the heat budget comes before", [](amp_writer* w) { tone(w), amp_write_heat_budget(w, 1, 0); });
    mistake("out of order", [](amp_writer* w) { edge(w), tone(w); });
    mistake("out of order", [](amp_writer* w) { modulation(w), edge(w); });
    mistake("out of order", [](amp_writer* w) { amp_write_curve(w, "pitch", AMP_CURVE_HOLD); });
    mistake("out of order", tone, false);
    mistake("a point stands behind no curve", [](amp_writer* w) { amp_write_point(w, 0, 1); }, false);
    mistake("tokens come once", [](amp_writer* w) { edge(w), amp_write_channel(w, 0), amp_write_tokens(w, &kToken); });
    mistake("tokens come once",
            [](amp_writer* w) { edge(w), amp_write_gate(w, "beat"), amp_write_tokens(w, &kToken); });
    mistake("channel of an edge comes once",
            [](amp_writer* w) { edge(w), amp_write_channel(w, 0), amp_write_channel(w, 0); });
    mistake("channel of an edge comes once",
            [](amp_writer* w) { edge(w), amp_write_kappa(w, 0), amp_write_channel(w, 0); });
    mistake("gates come before", [](amp_writer* w) { edge(w), amp_write_kappa(w, 0), amp_write_gate(w, "beat"); });
    mistake("above 255", [](amp_writer* w) { amp_write_modulation(w, "a", nullptr, "b", "gain", 256, 1, 0); });
    mistake("above 255", [](amp_writer* w) { amp_write_curve(w, "pitch", 256); }, false);
    mistake("above 255", [](amp_writer* w) { amp_write_heat_budget(w, 1, 256); });
    mistake("tone: a tensor has no samples", [](amp_writer* w) { tone(w), amp_write_tensor(w, "gain", nullptr); });
    mistake("has ended", [](amp_writer* w) {
        size_t size;
        amp_write_end(w, &size, nullptr);
    });
    static const std::string longest(65535, 'x'), longer = longest + "x";
    mistake("longer than 65535 bytes", [](amp_writer* w) { amp_write_node(w, longer.c_str(), "sine"); });
    amp_writer w;
    size_t size;
    amp_write_graph(&w, nullptr, 0, 48000, longest.c_str(), nullptr);
    CHECK(amp_write_end(&w, &size, nullptr) == AMP_OK);
}

}  // namespace

int main() {
    bytes_are_those_of_the_layout();
    mistakes_have_sentences();
    return check::finish("writer");
}
