// If any one allocation fails, the call returns a status and leaks nothing.
#include <cstring>
#include <optional>
#include <utility>

#include "check.hpp"
#include "memory_cases.hpp"

namespace {

using rig::Runtime;

struct Stream {  // A stream of a graph with a tap on its output.
    amp_stream* raw = nullptr;
    uint32_t out = 0;
    Stream(const Case& c, int64_t ring_frames = 0) {
        const auto bytes = blob::descriptors(c.graph), curves = blob::history(graphs::voice_curves());
        const amp_stream_config config{sizeof config, c.batches, c.block, c.flags, 64, 0, ring_frames, 0};
        CHECK(amp_stream_create(bytes.data(), bytes.size(), nullptr, 0, &config, &raw, nullptr) == AMP_OK);
        if (has_curves(c.graph)) CHECK(amp_stream_set_history(raw, curves.data(), curves.size(), nullptr) == AMP_OK);
        CHECK(amp_stream_open_tap(raw, nullptr, nullptr, AMP_TAP_LOSSLESS, 0, &out, nullptr) == AMP_OK);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { amp_stream_destroy(raw); }
};

// Runs `f` with the first, second, ... allocation refused, alone and with all later ones, until none is refused. Calls
// `look` after each run, to check what is left.
template <class F, class L> void refuse_each(F&& f, L&& look) {
    for (const bool on : {false, true}) {
        long k = 0;
        for (bool hit = true; hit; ++k) {
            fail_at = allocations + k, fail_on = on, failing = false;
            f();
            hit = failing;
            fail_at = -1;
            look();
        }
        CHECK(k > 1);
    }
}

void expect(amp_status s, const amp_error& e) {
    CHECK(s == (failing ? AMP_E_NOMEM : AMP_OK) && e.code == s);
    CHECK((std::strstr(e.message, "memory") != nullptr) == failing);
}

void failing_allocations_of_a_stream() {
    for (blob::Graph g : graphs::all()) {
        g.policy = 0;
        const auto bytes = blob::descriptors(g);
        const amp_stream_config config{sizeof config, 9, 32, AMP_RUN_TRACE, 16, 0, 0, 0};
        amp_error e = rig::empty_error();
        const long before = live;
        refuse_each(
            [&] {
                amp_stream* raw = nullptr;
                expect(amp_stream_create(bytes.data(), bytes.size(), nullptr, 0, &config, &raw, &e), e);
                CHECK((raw == nullptr) == failing);
                amp_stream_destroy(raw);
            },
            [&] { CHECK(live == before); });
        std::vector<double> y(9 * 8 * 40), one{0.5};
        const amp_buffer value = rig::view(one, 1, 1, 1);
        const char* node = g.nodes[g.nodes.size() - 2].name.c_str();
        std::optional<Stream> s;
        const auto anew = [&] { s.reset(), s.emplace(Case{g, 9, 32, 0}); };
        anew();
        refuse_each(
            [&] {
                const auto channels = static_cast<uint32_t>(amp_stream_port_channels(s->raw, "out", nullptr));
                const amp_buffer b = rig::view(y, 9, channels, 40);
                uint32_t tap = 0;
                for (const amp_status status :
                     {amp_stream_set_param(s->raw, node, "gain", &value, -1, nullptr, nullptr),
                      amp_stream_open_tap(s->raw, node, nullptr, 1, 50, &tap, nullptr),
                      amp_stream_pull(s->raw, s->out, &b, 0, nullptr, nullptr),
                      amp_stream_set_param(s->raw, node, "gain", &value, 90, nullptr, nullptr)})
                    CHECK(status == AMP_OK || status == AMP_E_NOMEM || status == AMP_E_INVALID_ARG ||
                          status == AMP_E_PENDING);
            },
            anew);
    }
}

// Calls that keep no memory, or whose runtime ends here.
void loading_leaves_nothing(const blob::Bytes& bytes) {
    amp_error e = rig::empty_error();
    const long before = live;
    const auto nothing_left = [&] { CHECK(live == before); };
    const auto given = [&](amp_status s, amp_bytes* b) {
        expect(s, e);
        CHECK((b->data == nullptr) == failing);
        amp_bytes_free(b);
    };
    refuse_each(
        [&] {
            amp_bytes plan{};
            given(amp_plan_compile(bytes.data(), bytes.size(), &plan, &e), &plan);
        },
        nothing_left);
    refuse_each(
        [&] {
            amp_bytes plan{}, names{};
            amp_plan_facts facts{sizeof facts, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            expect(amp_plan_compile_facts(bytes.data(), bytes.size(), &plan, &facts, &names, &e), e);
            CHECK((plan.data == nullptr) == failing && (names.data == nullptr) == failing);
            amp_bytes_free(&plan);
            amp_bytes_free(&names);
        },
        nothing_left);
    refuse_each(
        [&] {
            amp_bytes json{};
            given(amp_plan_describe(bytes.data(), bytes.size(), nullptr, 0, &json, &e), &json);
        },
        nothing_left);
    refuse_each(
        [&] {
            amp_bytes schedule{};
            given(amp_schedule_derive(bytes.data(), bytes.size(), &schedule, &e), &schedule);
        },
        nothing_left);
    refuse_each(
        [&] {
            amp_bytes json{};
            given(amp_schedule_describe(bytes.data(), bytes.size(), nullptr, 0, &json, &e), &json);
        },
        nothing_left);
    refuse_each(
        [&] {
            amp_graph_runtime* raw = nullptr;
            expect(amp_graph_runtime_create(bytes.data(), bytes.size(), nullptr, 0, &raw, &e), e);
            CHECK((raw == nullptr) == failing);
            amp_graph_runtime_destroy(raw);
        },
        nothing_left);
    const amp_config config{sizeof config, 9, 32, AMP_RUN_HEAT | AMP_RUN_TRACE, 16, 0};
    for (const bool again : {false, true})  // a runtime is destroyed after its first or second configure failed
        refuse_each(
            [&] {
                const long at = std::exchange(fail_at, -1) - allocations;
                Runtime r(bytes);
                if (again) CHECK(r.configure(1, 64) == AMP_OK);
                fail_at = allocations + at;
                expect(r.note(amp_graph_runtime_configure(r.raw, &config)), r.error);
            },
            nothing_left);
}

void ready(Runtime& r, const blob::Graph& g, uint32_t batches) {
    CHECK(r.configure(batches, 32, AMP_RUN_HEAT) == AMP_OK);
    if (has_curves(g)) CHECK(r.history(graphs::voice_curves()) == AMP_OK);
}

// A runtime that was refused memory is unchanged, or can be configured again.
void runtimes_stay_usable(const blob::Graph& g, uint32_t batches) {
    const auto bytes = blob::descriptors(g), curves = blob::history(graphs::voice_curves());
    const long before = live;
    {
        Runtime r(bytes), fresh(bytes);
        const amp_config config{sizeof config, batches, 32, AMP_RUN_HEAT | AMP_RUN_TRACE, 16, 0};
        std::vector<double> one{0.5};
        const amp_buffer value = rig::view(one, 1, 1, 1);
        const auto configure = [&] { expect(r.note(amp_graph_runtime_configure(r.raw, &config)), r.error); };
        const auto any = [] {};
        refuse_each(configure, any);
        refuse_each([&] { expect(r.note(amp_graph_runtime_set_schedule(r.raw, nullptr, 0)), r.error); }, any);
        if (has_curves(g))
            refuse_each(
                [&] {
                    configure();
                    const amp_status s = amp_graph_runtime_set_history(r.raw, curves.data(), curves.size());
                    CHECK(s == AMP_OK || (s == AMP_E_NOMEM && failing));
                },
                any);
        refuse_each(
            [&] {
                const amp_status done = amp_graph_runtime_configure(r.raw, &config);
                const amp_status s =
                    amp_graph_runtime_set_param(r.raw, g.nodes[g.nodes.size() - 2].name.c_str(), "gain", &value, -1);
                CHECK(s == AMP_OK || s == AMP_E_NOMEM || s == AMP_E_INVALID_ARG);
                CHECK(failing || done == AMP_OK);
            },
            any);
        CHECK(r.configure(batches, 32) == AMP_OK && amp_graph_runtime_clear_params(r.raw) == AMP_OK);
        ready(r, g, batches), ready(fresh, g, batches);
        const auto after = r.render(200, batches);  // the failed calls changed nothing
        CHECK(!after.empty() && after == fresh.render(200, batches));
    }
    CHECK(live == before);
}

// snapshot and restore: a refused call changes nothing, and the render continues as without it.
void snapshots_fail_whole(const blob::Graph& g, uint32_t batches) {
    const long before = live;
    {
        Runtime r(g), whole(g);
        ready(r, g, batches), ready(whole, g, batches);
        CHECK(r.render(70, batches) == whole.render(70, batches));
        const blob::Bytes early = r.snapshot();
        CHECK(r.render(50, batches) == whole.render(50, batches));
        const blob::Bytes late = r.snapshot();
        blob::Bytes room(late.size());
        size_t size = 0;
        refuse_each(
            [&] {
                expect(r.note(amp_graph_runtime_snapshot(r.raw, room.data(), room.size(), &size)), r.error);
                CHECK(failing || room == late);
            },
            [&] { CHECK(amp_graph_runtime_position(r.raw) == 120); });
        refuse_each([&] { expect(r.restore(early), r.error); },
                    [&] {
                        CHECK(amp_graph_runtime_position(r.raw) == (failing ? 120 : 70));
                        CHECK(r.snapshot() == (failing ? late : early));
                        if (!failing) CHECK(r.restore(late) == AMP_OK);
                    });
        CHECK(r.render(200, batches) == whole.render(200, batches));
    }
    CHECK(live == before);
}

// A failure to reserve the arena's address space is a status.
void refused_address_space_is_a_status() {
    Runtime r(graphs::short_loop());
    CHECK(r.configure(1, 32) == AMP_OK);
    const auto begin = r.render(100);
    const blob::Bytes at = r.snapshot();
    no_maps = true;
    CHECK(r.restore(at) == AMP_E_NOMEM && r.error.code == AMP_E_NOMEM);
    CHECK(amp_graph_runtime_position(r.raw) == 100 && r.snapshot() == at);
    CHECK(r.configure(1, 32) == AMP_E_NOMEM && std::strstr(r.error.message, "address space"));
    CHECK(amp_graph_runtime_execute(r.raw, 1, nullptr, nullptr, 0) == AMP_E_INVALID_ARG);
    no_maps = false;
    CHECK(r.configure(1, 32) == AMP_OK && r.render(100) == begin);
}

// Voices of constant -> svf modulated by an lfo -> gain, in a mix.
blob::Graph voices(int count) {
    blob::Graph g;
    g.nodes = {{"out", "mix"}};
    g.output = "out";
    for (int i = 0; i < count; ++i) {
        const auto name = [i](const char* type) { return type + ("_" + std::to_string(i)); };
        for (const char* type : {"constant", "lfo", "svf", "gain"}) g.nodes.push_back({name(type), type});
        g.edges.push_back({name("constant"), name("svf")});
        g.edges.push_back({name("svf"), name("gain")});
        g.edges.push_back({name("gain"), "out", 0, "out", "in", i});
        g.modulations.push_back({name("lfo"), name("svf"), "q", 1});
    }
    return g;
}

// The number of allocations grows linearly with the number of nodes.
void allocations_are_linear() {
    long last = 0, step = 0;
    for (const int count : {400, 800, 1200, 1600}) {
        const auto bytes = blob::descriptors(voices(count));
        const long now = allocations_of([&] {
            amp_bytes plan{};
            CHECK(amp_plan_compile(bytes.data(), bytes.size(), &plan, nullptr) == AMP_OK);
            Runtime r(bytes, {plan.data, plan.data + plan.size});
            CHECK(r.configure(1, 64) == AMP_OK);
            amp_bytes_free(&plan);
        });
        if (count > 800) CHECK(std::abs(now - last - step) < step / 50);
        step = now - last;
        last = now;
    }
}

}  // namespace

int main() {
    CHECK(Runtime(graphs::chain()).configure() == AMP_OK);  // allocates what lives as long as the process
    for (const auto& g : graphs::all()) {
        loading_leaves_nothing(blob::descriptors(g));
        for (const uint32_t batches : {1u, 9u}) runtimes_stay_usable(g, batches), snapshots_fail_whole(g, batches);
    }
    allocations_are_linear();
    failing_allocations_of_a_stream();
    if (kMapsFail) refused_address_space_is_a_status();
    std::printf("%ld allocations refused\n", refused.load());
    return check::finish("memory");
}
