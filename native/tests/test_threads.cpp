// Runtimes in several threads are independent, and a render can be cancelled from outside.
#include <atomic>
#include <thread>

#include "check.hpp"
#include "rig.hpp"

namespace {

using Samples = std::vector<double>;

Samples render(const blob::Graph& g, uint32_t batches) {
    rig::Runtime r(g);
    if (g.nodes[0].type == "controller") r.history(graphs::voice_curves());
    r.configure(batches, 32, AMP_RUN_HEAT | AMP_RUN_TRACE);
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

// cancel is heard after the block, again and again, and the render goes on where it stopped.
void cancel_from_another_thread() {
    rig::Runtime r(graphs::voice());
    CHECK(r.history(graphs::voice_curves()) == AMP_OK && r.configure(1, 64) == AMP_OK);
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
    CHECK(r.configure(1, 64) == AMP_OK && r.render(100).size() == 200);
}

}  // namespace

int main() {
    runtimes_are_independent();
    cancel_from_another_thread();
    return check::finish("threads");
}
