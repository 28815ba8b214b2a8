// A few threads that wait for work. Nothing is allocated while they do it, and what runs where changes no bit.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace amp {

unsigned usable_threads();  // processors this process may run on, 1 at least

class Pool {
public:
    explicit Pool(unsigned workers);  // throws AMP_E_NOMEM if the system has no more threads
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    unsigned workers() const { return static_cast<unsigned>(threads_.size()); }
    bool works_here() const;  // a fork of the process that made it has no workers
    // Calls job(0) to job(n - 1), each once, on the workers and the caller, who gets the first failure when all are
    // done.
    template <class F> void run(uint32_t n, const F& job) {
        run(n, [](const void* f, uint32_t i) { (*static_cast<const F*>(f))(i); }, &job);
    }

private:
    using Job = void (*)(const void* context, uint32_t index);
    static constexpr uint32_t kStop = UINT32_MAX;

    void run(uint32_t n, Job job, const void* context);
    void work();
    void take_all();
    void stop();

    std::vector<std::thread> threads_;
    int64_t process_;
    // Written by `run` while nothing is left to do, read by whoever has taken one.
    Job job_ = nullptr;
    const void* context_ = nullptr;
    uint32_t n_ = 0;
    std::mutex failing_;
    std::exception_ptr failure_;
    alignas(64) std::atomic<uint32_t> left_{0};  // calls nobody has taken; kStop: leave
    alignas(64) std::atomic<uint32_t> done_{0};  // calls that have returned
};

}  // namespace amp
