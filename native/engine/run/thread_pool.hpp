// A pool of threads that wait for work. Running work allocates nothing, and the results do not depend on which thread
// runs which piece.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace amp {

uint32_t usable_threads();  // processors this process may run on, at least 1

// Runs the same number of pieces again and again. Each thread starts with its own share of the pieces, whose data its
// caches already hold, and then takes pieces of other shares that no thread has begun.
class Pool {
public:
    Pool(uint32_t workers, uint32_t pieces);  // throws AMP_E_NOMEM if the system cannot start the threads
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    uint32_t workers() const { return static_cast<uint32_t>(threads_.size()); }
    uint32_t pieces() const { return static_cast<uint32_t>(taken_.size()); }
    bool works_here() const;  // false in a forked process, which has no workers
    // Calls job(k) once for every piece k, on the workers and the calling thread; returns when all are done and
    // rethrows the first failure on the calling thread.
    template <class F> void run(const F& job) {
        run([](const void* f, uint32_t k) { (*static_cast<const F*>(f))(k); }, &job);
    }

private:
    using Job = void (*)(const void* context, uint32_t piece);

    void run(Job job, const void* context);
    void work(uint32_t thread);
    void take(uint32_t thread);
    void stop();

    std::vector<std::thread> threads_;
    uint32_t takers_;  // number of threads that take pieces, the caller included
    int64_t process_;
    // Written by run() while no piece is free to be taken; read by threads that have taken one.
    Job job_ = nullptr;
    const void* context_ = nullptr;
    std::mutex failing_;
    std::exception_ptr failure_;
    std::vector<std::atomic<bool>> taken_;
    alignas(64) std::atomic<uint32_t> round_{0};  // number of the current run(); workers wait for it to change
    std::atomic<bool> over_{false};
    alignas(64) std::atomic<uint32_t> done_{0};  // pieces finished in this run()
};

}  // namespace amp
