// Runtimes in several threads are independent, a runtime with threads of its own gives what one thread gives, and a
// render can be cancelled from outside.
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
    CHECK(r.configure(batches, block, flags, threads) == AMP_OK);
}

Samples render(const blob::Graph& g, uint32_t batches, uint32_t block = 32,
               uint32_t flags = AMP_RUN_HEAT | AMP_RUN_TRACE, uint32_t threads = 0) {
    rig::Runtime r(g);
    prepare(r, g, batches, block, flags, threads);
    return r.render(2000, batches);
}

// Every graph in every thread at once, each from blob to samples, gives what it gives alone.
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

void threads_change_no_bit() {
    for (const auto& g : graphs::all())
        for (const uint32_t batches : {1u, 5u, 16u, 64u}) {
            const Samples want = render(g, batches, 64, 0, 1);
            CHECK(!want.empty());
            for (const uint32_t threads : {0u, 2u, 4u})
                for (const uint32_t block : {7u, 256u}) CHECK(render(g, batches, block, 0, threads) == want);
        }
}

// As many as there is work for; a trace is in the order of one.
void threads_are_counted() {
    rig::Runtime r(graphs::chain());
    CHECK(amp_graph_runtime_threads(r.raw) == 1 && amp_graph_runtime_threads(nullptr) == 0);
    CHECK(r.configure(64, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 4);
    CHECK(r.configure(16, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 2);
    CHECK(r.configure(4, 32, 0, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 1);
    CHECK(r.configure(64, 32, AMP_RUN_TRACE, 4) == AMP_OK && amp_graph_runtime_threads(r.raw) == 1);
    CHECK(r.configure(64, 32, 0, 4) == AMP_OK);
    amp_flight flight{};
    amp_graph_runtime_set_flight(r.raw, &flight);
    CHECK(amp_graph_runtime_threads(r.raw) == 1 && r.render(300, 64).size() == 2 * 64 * 300);
    amp_graph_runtime_set_flight(r.raw, nullptr);
    CHECK(amp_graph_runtime_threads(r.raw) == 4);
    CHECK(r.configure(64, 32, 0, AMP_MOST_THREADS + 1) == AMP_E_INVALID_ARG && std::strstr(r.error.message, "threads"));
}

// Taken with so many threads, gone on with with so many others.
void snapshots_know_nothing_of_threads() {
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

// The earliest frame counts, then the first node, then the first batch, whoever saw which first.
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
// The copy of a runtime in a fork has no threads: it goes on by itself.
void a_fork_goes_on_alone() {
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
    CHECK(amp_graph_runtime_threads(r->raw) == 4 && r->render(2000, 40) == want);
}
#endif

// cancel is heard after the block, again and again, and the render goes on where it stopped.
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
    threads_are_counted();
    snapshots_know_nothing_of_threads();
    faults_are_the_same_for_every_count();
#ifndef _WIN32
    a_fork_goes_on_alone();
#endif
    for (const uint32_t batches : {1u, 24u}) cancel_from_another_thread(batches);
    return check::finish("threads");
}
