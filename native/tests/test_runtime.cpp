// The C interface of a runtime: every call with valid, invalid and missing arguments; records of other sizes; taps.
#include <cstring>

#include "check.hpp"
#include "rig.hpp"

namespace {

using rig::Runtime;
using Samples = std::vector<double>;

bool says(const Runtime& r, const char* words) { return std::strstr(r.error.message, words) != nullptr; }

// NULL runtimes and records return a status and write nothing.
void null_arguments() {
    const amp_config config{sizeof config, 1, 64, 0, 0, 0};
    CHECK(amp_graph_runtime_configure(nullptr, &config) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_param(nullptr, "a", "b", nullptr, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_clear_params(nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_bind_input(nullptr, "a", nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_history(nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_execute(nullptr, 1, nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_metrics(nullptr, "a", nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_trace(nullptr, nullptr, 0, nullptr, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_heat(nullptr, "a", nullptr, nullptr, nullptr, 0, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_position(nullptr) == -1 && amp_graph_runtime_block_frames(nullptr) == 0);
    CHECK(amp_graph_runtime_port_channels(nullptr, "out", nullptr) == -1);
    amp_graph_runtime_cancel(nullptr);
    amp_graph_runtime_set_flight(nullptr, nullptr);
    amp_graph_runtime_last_error(nullptr, nullptr);
    amp_graph_runtime_destroy(nullptr);
    amp_error e = rig::empty_error();
    const auto bytes = blob::descriptors(graphs::chain());
    CHECK(amp_graph_runtime_create(bytes.data(), bytes.size(), nullptr, 0, nullptr, &e) == AMP_E_INVALID_ARG &&
          e.code == AMP_E_INVALID_ARG);
    amp_graph_runtime* raw = reinterpret_cast<amp_graph_runtime*>(&e);
    CHECK(amp_graph_runtime_create(nullptr, 9, nullptr, 0, &raw, nullptr) == AMP_E_INVALID_ARG && raw == nullptr);
    CHECK(amp_graph_runtime_create(bytes.data(), bytes.size(), nullptr, 9, &raw, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_create(nullptr, 0, nullptr, 0, &raw, &e) == AMP_E_BLOB && e.code == AMP_E_BLOB);

    Runtime r(graphs::chain());
    CHECK(r.note(amp_graph_runtime_configure(r.raw, nullptr)) == AMP_E_INVALID_ARG);
    CHECK(r.configure() == AMP_OK);
    Samples one{1};
    amp_buffer b = rig::view(one, 1, 1, 1);
    CHECK(amp_graph_runtime_set_param(r.raw, nullptr, "gain", &b, -1) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_param(r.raw, "level", nullptr, &b, -1) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_param(r.raw, "level", "gain", nullptr, -1) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_bind_input(r.raw, nullptr, &b) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_bind_input(r.raw, "tone", nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_history(r.raw, nullptr, 5) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_set_history(r.raw, nullptr, 0) == AMP_E_BLOB);
    CHECK(amp_graph_runtime_execute(r.raw, 1, nullptr, nullptr, 1) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_execute(r.raw, -1, nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_metrics(r.raw, "out", nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_heat(r.raw, nullptr, nullptr, nullptr, nullptr, 0, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_graph_runtime_port_channels(r.raw, nullptr, nullptr) == -1);
    for (amp_buffer bad :
         {amp_buffer{sizeof b, 1, 1, 0, 1, 1, 1, nullptr}, amp_buffer{sizeof b, 0, 1, 0, 1, 1, 1, one.data()},
          amp_buffer{sizeof b, 1, 1, 0, -1, 1, 1, one.data()}, amp_buffer{sizeof b - 8, 1, 1, 0, 1, 1, 1, one.data()},
          amp_buffer{sizeof b, ~0u, ~0u, 0, INT64_MAX, 1, 1, one.data()},
          amp_buffer{sizeof b, 1, 1, 0, 0, 1, 1, one.data()}})
        CHECK(amp_graph_runtime_set_param(r.raw, "level", "gain", &bad, -1) == AMP_E_INVALID_ARG);
    CHECK(r.render(8).size() == 16 && r.status == AMP_OK);
}

// A record of an older caller is filled up to its size; a record of unknown size is refused.
void struct_sizes() {
    for (const size_t size : {size_t{0}, size_t{3}, size_t{4}, size_t{8}, offsetof(amp_error, node) + 1,
                              sizeof(amp_error) - 1, sizeof(amp_error)}) {
        std::vector<unsigned char> memory(sizeof(amp_error), 0xee);
        const auto declared = static_cast<uint32_t>(size);
        std::memcpy(memory.data(), &declared, sizeof declared);
        auto* e = reinterpret_cast<amp_error*>(memory.data());
        amp_bytes plan{};
        CHECK(amp_plan_compile("", 0, &plan, e) == AMP_E_BLOB);
        CHECK(e->struct_size == declared);
        CHECK(size < 8 || e->code == AMP_E_BLOB);
        for (size_t i = std::max(size, sizeof declared); i < sizeof(amp_error); ++i) CHECK(memory[i] == 0xee);
    }
    Runtime r(graphs::chain());
    amp_config c{offsetof(amp_config, threads) - 4, 1, 64, 0, 0, 0, ~0u};
    CHECK(r.note(amp_graph_runtime_configure(r.raw, &c)) == AMP_E_INVALID_ARG && says(r, "struct_size"));
    c.struct_size = offsetof(amp_config, threads);  // version 1.1: fields after this are not read
    CHECK(r.note(amp_graph_runtime_configure(r.raw, &c)) == AMP_OK);
    c.struct_size = sizeof c;
    CHECK(r.note(amp_graph_runtime_configure(r.raw, &c)) == AMP_E_INVALID_ARG && says(r, "threads: out of range"));
    c.threads = 1;
    c.struct_size = sizeof c + 64;  // a newer caller
    CHECK(r.note(amp_graph_runtime_configure(r.raw, &c)) == AMP_OK);
    amp_node_metrics m{};
    CHECK(amp_graph_runtime_metrics(r.raw, "out", &m) == AMP_E_INVALID_ARG);
    struct Newer {
        amp_node_metrics known;
        int64_t more = 7;
    };
    const size_t nodes = graphs::chain().nodes.size();
    std::vector<Newer> all(nodes);
    CHECK(amp_graph_runtime_all_metrics(r.raw, &all[0].known, nodes) == AMP_E_INVALID_ARG);
    all[0].known.struct_size = sizeof(Newer);
    CHECK(amp_graph_runtime_all_metrics(r.raw, &all[0].known, nodes - 1) == AMP_E_INVALID_ARG);
    CHECK(r.render(8).size() == 16 && amp_graph_runtime_all_metrics(r.raw, &all[0].known, nodes) == AMP_OK);
    for (const Newer& n : all) CHECK(n.known.frames == 8 && n.more == 7);
    Samples y(16);
    amp_tap tap{0, 0, "out", nullptr, rig::view(y, 1, 2, 8)};
    CHECK(r.note(amp_graph_runtime_execute(r.raw, 8, nullptr, &tap, 1)) == AMP_E_INVALID_ARG && says(r, "tap"));
    amp_error small{};
    small.struct_size = 8;
    amp_graph_runtime_last_error(r.raw, &small);
    CHECK(small.struct_size == 8 && small.code == AMP_E_INVALID_ARG && small.stage[0] == 0);
}

void configurations() {
    Runtime r(graphs::chain());
    CHECK(r.render(8).empty() && r.status == AMP_E_INVALID_ARG && says(r, "not configured"));
    CHECK(r.set("level", "gain", 1) == AMP_E_INVALID_ARG && says(r, "not configured"));
    CHECK(amp_graph_runtime_block_frames(r.raw) == 0 && amp_graph_runtime_position(r.raw) == 0);
    CHECK(r.configure(0) == AMP_E_INVALID_ARG && r.configure((1u << 20) + 1) == AMP_E_INVALID_ARG);
    CHECK(r.configure(1, (1u << 20) + 1) == AMP_E_INVALID_ARG);
    CHECK(r.configure(3, 0) == AMP_OK && amp_graph_runtime_block_frames(r.raw) >= 64);
    CHECK(r.configure(2, 17) == AMP_OK && amp_graph_runtime_block_frames(r.raw) == 17);
    CHECK(r.error.code == AMP_OK && r.error.message[0] == 0 && r.error.frame == -1);
    CHECK(r.render(40, 2).size() == 160 && amp_graph_runtime_position(r.raw) == 40);
    CHECK(r.render(0, 2).empty() && r.status == AMP_OK);
    CHECK(r.configure(2, 17) == AMP_OK && amp_graph_runtime_position(r.raw) == 0);
}

// The bits depend neither on how time is divided nor on the number of batches.
void blocks_and_batches_do_not_matter() {
    for (const blob::Graph& g : graphs::all()) {
        Samples first;
        for (const auto& [batches, block] :
             {std::pair{1u, 64u}, {1u, 1u}, {3u, 7u}, {6u, 64u}, {11u, 33u}, {9u, 512u}}) {
            Runtime r(g);
            if (!g.nodes[0].params.empty() && g.nodes[0].type == "controller")
                CHECK(r.history(graphs::voice_curves()) == AMP_OK);
            CHECK(r.configure(batches, block) == AMP_OK);
            Samples y = r.render(100, batches), rest = r.render(133, batches);
            if (!CHECK(r.status == AMP_OK)) std::fprintf(stderr, "%s\n", r.error.message);
            const auto channels = static_cast<size_t>(amp_graph_runtime_port_channels(r.raw, "out", nullptr));
            Samples joined;
            for (size_t c = 0; c < channels; ++c) {
                joined.insert(joined.end(), y.begin() + long(c) * 100, y.begin() + long(c + 1) * 100);
                joined.insert(joined.end(), rest.begin() + long(c) * 133, rest.begin() + long(c + 1) * 133);
            }
            if (first.empty()) first = joined;
            CHECK(!std::memcmp(first.data(), joined.data(), first.size() * sizeof(double)));
        }
    }
}

void taps() {
    Runtime r(graphs::voice());
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(2, 16) == AMP_OK);
    CHECK(amp_graph_runtime_port_channels(r.raw, "env", nullptr) == 1 &&
          amp_graph_runtime_port_channels(r.raw, "pan", "out") == 2);
    CHECK(amp_graph_runtime_port_channels(r.raw, "env", "nothing") == -1 &&
          amp_graph_runtime_port_channels(r.raw, "nobody", nullptr) == -1);
    Samples out(2 * 2 * 300), amplitude(2 * 300), again(2 * 300), reset(2 * 300);
    const auto tap = [](const char* node, const char* port, Samples& y) {
        return amp_tap{sizeof(amp_tap), 0, node, port, rig::view(y, 2, 1, 300)};
    };
    amp_tap list[] = {tap("env", "reset", reset), tap("env", nullptr, amplitude), tap("env", "amplitude", again)};
    const amp_buffer main = rig::view(out, 2, 2, 300);
    CHECK(r.note(amp_graph_runtime_execute(r.raw, 300, &main, list, 3)) == AMP_OK);
    CHECK(amplitude == again && reset[48] == 1.0 && reset[300 + 48] == 1.0);  // the gate opens at 1 ms
    double starts = 0, most = 0;
    for (size_t n = 0; n < 300; ++n) starts += reset[n], most = std::max(most, amplitude[n]);
    CHECK(starts == 1.0 && most == 1.0 && amplitude[47] == 0.0);
    const auto refuse = [&](amp_tap t, amp_status status) {
        CHECK(r.note(amp_graph_runtime_execute(r.raw, 300, nullptr, &t, 1)) == status);
    };
    refuse(tap("nobody", nullptr, reset), AMP_E_INVALID_ARG);
    refuse(tap(nullptr, nullptr, reset), AMP_E_INVALID_ARG);
    refuse(tap("env", "nothing", reset), AMP_E_INVALID_ARG);
    refuse(tap("pan", nullptr, reset), AMP_E_SHAPE);
    refuse({sizeof(amp_tap), 0, "env", nullptr, rig::view(reset, 2, 1, 299)}, AMP_E_SHAPE);
    CHECK(amp_graph_runtime_position(r.raw) == 300);
    blob::Graph silent = graphs::chain();
    silent.output = "";
    Runtime none(silent);
    CHECK(none.configure() == AMP_OK && none.render(8).empty() && says(none, "no output node"));
}

// Every tap delivers the same logical frames, and a change takes effect at the requested frame of its node.
void latency_is_compensated() {
    Runtime r(graphs::ahead());
    CHECK(r.configure(1, 16) == AMP_OK);
    const Samples noise = r.render(100, 1, "noise"), rest = r.render(50, 1, "meter");
    CHECK(r.status == AMP_OK && amp_graph_runtime_position(r.raw) == 150);
    amp_node_metrics m{};
    m.struct_size = sizeof m;
    CHECK(amp_graph_runtime_metrics(r.raw, "limit", &m) == AMP_OK && m.frames == 207 && m.measured_delay_frames == 48);
    CHECK(amp_graph_runtime_metrics(r.raw, "out", &m) == AMP_OK && m.frames == 159 && m.measured_delay_frames == 0);
    Runtime whole(graphs::ahead());
    CHECK(whole.configure(1, 64) == AMP_OK);
    const Samples meter = whole.render(150, 1, "meter");
    for (size_t c = 0; c < 2; ++c) {
        CHECK(!std::memcmp(&meter[c * 150], &noise[c * 100], 100 * sizeof(double)));
        CHECK(!std::memcmp(&meter[c * 150 + 100], &rest[c * 50], 50 * sizeof(double)));
    }
    CHECK(r.set("meter", "gain", 0, 206) == AMP_E_INVALID_ARG && says(r, "the earliest is 207"));
    CHECK(r.set("meter", "gain", 0) == AMP_OK);
    const Samples after = r.render(100, 1, "meter");
    CHECK(after[56] != 0.0 && after[57] == 0.0 && after[99] == 0.0);
}

void names() {
    for (amp_status s = AMP_OK; s >= AMP_E_FULL; --s) CHECK(std::strcmp(amp_status_name(s), "AMP_E_UNKNOWN") != 0);
    CHECK(!std::strcmp(amp_status_name(1), "AMP_E_UNKNOWN") && !std::strcmp(amp_status_name(-13), "AMP_E_UNKNOWN"));
    CHECK(amp_abi_version() >> 16 == AMP_ABI_VERSION_MAJOR && *amp_isa() && *amp_build_info() && *amp_source_digest());
    for (uint32_t i = 0; i < amp_node_count(); ++i) {
        const amp_node_contract* c = amp_node_at(i);
        CHECK(c && amp_describe_node(c->id) == c && amp_node_digest(c->id) != 0);
    }
    CHECK(!amp_node_at(amp_node_count()) && !amp_describe_node("nothing") && !amp_describe_node(nullptr) &&
          amp_node_digest("nothing") == 0);
}

}  // namespace

int main() {
    null_arguments();
    struct_sizes();
    configurations();
    blocks_and_batches_do_not_matter();
    taps();
    latency_is_compensated();
    names();
    return check::finish("runtime");
}
