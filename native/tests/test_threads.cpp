// Runtimes in several threads are independent, a runtime with several threads gives the same bits as one thread, and a
// render can be cancelled from another thread.
#include <atomic>
#include <cstring>
#include <thread>

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.hpp"
#include "rig.hpp"

namespace {

using Samples = std::vector<double>;

void prepare(rig::Runtime& r, const blob::Graph& g, uint32_t batches, uint32_t block, uint32_t flags,
             uint32_t threads) {
    if (g.nodes[0].type == "controller") r.history(graphs::voice_curves());
    r.configure(batches, block, flags, threads);
}

Samples render(const blob::Graph& g, uint32_t batches, uint32_t block = 32,
               uint32_t flags = AMP_RUN_HEAT | AMP_RUN_TRACE, uint32_t threads = 0) {
    rig::Runtime r(g);
    prepare(r, g, batches, block, flags, threads);
    return r.render(2000, batches);
}

// Every graph, in several threads at once from blob to samples, gives the same result as alone.
void runtimes_are_independent() {
    std::vector<Samples> alone;
    for (const auto& g : graphs::all()) alone.push_back(render(g, 6));
    std::vector<std::vector<Samples>> got(4);
    std::vector<std::thread> threads;
    for (auto& list : got)
        threads.emplace_back([&list] {
            for (const auto& g : graphs::all()) list.push_back(render(g, 6));
        });
    for (auto& t : threads) t.join();
    for (const auto& list : got) CHECK(list == alone && !list[0].empty());
}

// Voices that share an lfo and are mixed; every third has a short or a longer loop; all follow a curve.
blob::Graph voices(uint32_t count) {
    blob::Graph g;
    g.nodes = {{"gate", "controller", {blob::text("curve", "gate")}},
               {"lfo", "lfo", {blob::number("rate_hz", 7)}},
               {"all", "mix", {blob::number("gain", 0.1)}},
               {"out", "output"}};
    g.edges = {{"all", "out"}};
    const auto add = [&](std::string name, const char* type, blob::Param param) -> std::string {
        g.nodes.push_back({name, type, {param}});
        return name;
    };
    for (uint32_t v = 0; v < count; ++v) {
        const std::string n = std::to_string(v);
        const auto x = add("x" + n, v % 2 ? "noise" : "input", blob::integer("channels", 1)),
                   sum = add("sum" + n, "mix", blob::number("gain", 0.5)),
                   pole = add("pole" + n, "one_pole", blob::curve("cutoff_hz", "cutoff")),
                   amp = add("amp" + n, "gain", blob::number("gain", 0.3)),
                   end = add("end" + n, "gain", blob::number("gain", 0.9));
        g.edges.insert(g.edges.end(), {{x, sum}, {sum, pole}, {pole, amp}, {amp, end}});
        g.edges.push_back({end, "all", 0, "out", "in", static_cast<int32_t>(v)});
        if (v % 3 == 0) g.edges.push_back({amp, sum, v % 2 ? 1u : 30u, "out", "in", 1});
        g.modulations.push_back({"lfo", amp, "gain", 1, 0.1, 1});
        g.modulations.push_back({"gate", end, "gain", 1, 0.1, 1, -1, 0, 0, "out"});
    }
    g.output = "out";
    return g;
}

// A flavour with test hooks or a log executes in one thread.
uint32_t counted(uint32_t threads) {
    const char* flavour = std::strstr(amp_build_info(), "flavour ");
    return std::strstr(flavour, "logging") || std::strstr(flavour, "hooks") ? 1 : threads;
}

// One shard is divided into parts: voices run at the same time, after what they share and before their mix.
void parts_change_no_bit() {
    const auto g = voices(60);
    for (const uint32_t batches : {1u, 3u, 8u}) {
        const Samples want = render(g, batches, 64, 0, 1);
        CHECK(!want.empty());
        for (const uint32_t threads : {2u, 3u, 4u})
            for (const uint32_t block : {256u, 700u}) {
                CHECK(render(g, batches, block, 0, threads) == want);
                rig::Runtime r(g);
                prepare(r, g, batches, block, 0, threads);
                CHECK(amp_graph_runtime_threads(r.raw) == counted(threads));
                CHECK(!r.render(500, batches, "amp6").empty() &&
                      r.render(1000, batches, "lfo").size() == batches * 1000);
            }
    }
}

void faults_of_parts_are_the_same() {
    const auto g = voices(60);
    for (const uint32_t threads : {1u, 2u, 4u})
        for (int again = 0; again < 5; ++again) {
            rig::Runtime r(g);
            prepare(r, g, 1, 300, AMP_RUN_STOP_NONFINITE, threads);
            std::vector<Samples> x(60, Samples(2000, 0.25));
            for (const size_t v : {50u, 14u, 32u}) x[v][1200] = NAN;
            x[2][1201] = NAN;
            for (size_t v = 0; v < 60; v += 2) {
                const amp_buffer b = rig::view(x[v], 1, 1, 2000);
                CHECK(amp_graph_runtime_bind_input(r.raw, ("x" + std::to_string(v)).c_str(), &b) == AMP_OK);
            }
            CHECK(r.render(2000).empty() && r.status == AMP_E_NONFINITE && r.error.frame == 1200);
            static const std::string want = r.error.message;
            CHECK(want == r.error.message);
        }
}

void threads_change_no_bit() {
    for (const auto& g : graphs::all())
        for (const uint32_t batches : {1u, 5u, 16u, 64u}) {
            const Samples want = render(g, batches, 64, 0, 1);
            CHECK(!want.empty());
            for (const uint32_t threads : {0u, 2u, 4u})
                for (const uint32_t block : {7u, 256u}) CHECK(render(g, batches, block, 0, threads) == want);
        }
}

// There are no more threads than pieces of work; with a trace there is one.
void threads_are_counted() {
    rig::Runtime r(graphs::chain());
    CHECK(amp_graph_runtime_threads(r.raw) == 1 && amp_graph_runtime_threads(nullptr) == 0);
    CHECK(r.configure(64, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == counted(4));
    CHECK(r.configure(16, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == counted(2));
    CHECK(r.configure(4, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 1);
    CHECK(r.configure(64, 32, AMP_RUN_TRACE, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 1);
    CHECK(r.configure(64, 32, 0, 4) == AMP_OK);
    amp_flight flight{};
    amp_graph_runtime_set_flight(r.raw, &flight);
    CHECK(amp_graph_runtime_threads(r.raw) == 1 && r.render(300, 64).size() == 2 * 64 * 300);
    amp_graph_runtime_set_flight(r.raw, nullptr);
    CHECK(amp_graph_runtime_threads(r.raw) == counted(4));
    CHECK(r.configure(64, 32, 0, AMP_MOST_THREADS + 1) == AMP_E_INVALID_ARG && std::strstr(r.error.message, "threads"));
}

// Saved with one number of threads, restored with another.
void snapshots_do_not_depend_on_threads() {
    const auto g = graphs::voice();
    const Samples want = render(g, 20, 64, 0, 1);
    for (const auto& [first, second] : {std::pair{1u, 4u}, std::pair{4u, 1u}, std::pair{2u, 3u}}) {
        rig::Runtime before(g), after(g);
        prepare(before, g, 20, 64, 0, first);
        prepare(after, g, 20, 100, 0, second);
        CHECK(before.render(700, 20).size() && after.restore(before.snapshot()) == AMP_OK);
        const Samples rest = after.render(1300, 20);
        const size_t rows = rest.size() / 1300;
        CHECK(rows && want.size() == rows * 2000);
        for (size_t k = 0; k < rows; ++k)
            CHECK(std::equal(&rest[k * 1300], &rest[k * 1300] + 1300, &want[k * 2000 + 700]));
    }
}

// The fault at the earliest frame is reported, then that of the first node, then of the first batch, whichever thread
// found it first.
void faults_are_the_same_for_every_count() {
    blob::Graph g = graphs::chain();
    g.nodes[0] = {"tone", "input", {blob::integer("channels", 1)}};
    std::string want;
    for (const uint32_t threads : {1u, 2u, 4u, 1u})
        for (int again = 0; again < 5; ++again) {
            rig::Runtime r(g);
            CHECK(r.configure(64, 32, AMP_RUN_STOP_NONFINITE, threads) == AMP_OK);
            Samples x(64 * 9000, 0.25);
            for (const size_t batch : {61u, 29u, 44u}) x[batch * 9000 + 5000] = NAN;
            x[3 * 9000 + 5001] = INFINITY;
            const amp_buffer b = rig::view(x, 64, 1, 9000);
            CHECK(amp_graph_runtime_bind_input(r.raw, "tone", &b) == AMP_OK);
            CHECK(r.render(9000, 64).empty() && r.status == AMP_E_NONFINITE);
            CHECK(r.error.batch == 29 && r.error.frame == 5000 && amp_graph_runtime_position(r.raw) <= 5000);
            if (want.empty()) want = r.error.message;
            CHECK(want == r.error.message);
        }
}

#ifndef _WIN32
// In a forked process a runtime has no threads: the calling thread executes alone.
void a_fork_executes_on_one_thread() {
    const auto g = graphs::chain();
    const Samples want = render(g, 40, 32, 0, 1);
    auto r = std::make_unique<rig::Runtime>(g);
    prepare(*r, g, 40, 32, 0, 4);
    const pid_t child = fork();
    if (child == 0) {
        const bool same = amp_graph_runtime_threads(r->raw) == 1 && r->render(2000, 40) == want;
        r.reset();
        _exit(same ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(amp_graph_runtime_threads(r->raw) == counted(4) && r->render(2000, 40) == want);
}
#endif

// cancel takes effect after a slice, repeatedly, and the render continues where it stopped.
void cancel_from_another_thread(uint32_t batches) {
    rig::Runtime r(graphs::voice());
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(batches, 64, 0, 3) == AMP_OK);
    std::atomic<bool> over{false};
    std::thread other([&] {
        while (!over) {
            amp_graph_runtime_cancel(r.raw);
            std::this_thread::yield();
        }
    });
    int64_t last = 0;
    int cancelled = 0;
    for (int i = 0; i < 1000 && cancelled < 20; ++i) {
        const amp_status s = amp_graph_runtime_execute(r.raw, 1 << 20, nullptr, nullptr, 0);
        const int64_t now = amp_graph_runtime_position(r.raw);
        CHECK((s == AMP_OK || s == AMP_E_PENDING) && now >= last);
        cancelled += s == AMP_E_PENDING;
        last = now;
    }
    over = true;
    other.join();
    CHECK(cancelled == 20);
    CHECK(r.configure(batches, 64) == AMP_OK && r.render(100, batches).size() == 200 * batches);
}

}  // namespace

int main() {
    runtimes_are_independent();
    threads_change_no_bit();
    parts_change_no_bit();
    faults_of_parts_are_the_same();
    threads_are_counted();
    snapshots_do_not_depend_on_threads();
    faults_are_the_same_for_every_count();
#ifndef _WIN32
    a_fork_executes_on_one_thread();
#endif
    for (const uint32_t batches : {1u, 24u}) cancel_from_another_thread(batches);
    return check::finish("threads");
}
