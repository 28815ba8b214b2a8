// A few threads that wait for work. Nothing is allocated while they do it, and what runs where changes no bit.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace amp {

uint32_t usable_threads();  // processors this process may run on, 1 at least

// Work comes in so many pieces, time and again. Each thread starts at its own share of them, which it so finds in its
// caches, and goes on with whatever the others have not begun.
class Pool {
public:
    Pool(uint32_t workers, uint32_t pieces);  // throws AMP_E_NOMEM if the system has no more threads
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    uint32_t workers() const { return static_cast<uint32_t>(threads_.size()); }
    uint32_t pieces() const { return static_cast<uint32_t>(taken_.size()); }
    bool works_here() const;  // a fork of the process that made it has no workers
    // Calls job(k) once for every piece k, on the workers and the caller, who gets the first failure when all are done.
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
    uint32_t takers_;  // threads, with the caller
    int64_t process_;
    // Written by `run` while every piece is taken, read by whoever has taken one.
    Job job_ = nullptr;
    const void* context_ = nullptr;
    std::mutex failing_;
    std::exception_ptr failure_;
    std::vector<std::atomic<bool>> taken_;
    alignas(64) std::atomic<uint32_t> round_{0};  // of work; workers wait for the next
    std::atomic<bool> over_{false};
    alignas(64) std::atomic<uint32_t> done_{0};  // pieces
};

}  // namespace amp
