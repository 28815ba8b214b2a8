#include "engine/pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/failure.hpp"
#include "engine/floating_point.hpp"

#ifdef __linux__
#include <sched.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif

namespace amp {

namespace {

// Looks at a value this often, some 20 us, before a thread is put to sleep and has to be woken.
constexpr int kLooks = 500;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

uint32_t wait_while(const std::atomic<uint32_t>& value, uint32_t old) {
    for (int i = 0; i < kLooks; ++i, pause())
        if (const uint32_t now = value.load(std::memory_order_acquire); now != old) return now;
    value.wait(old, std::memory_order_acquire);
    return value.load(std::memory_order_acquire);
}

int64_t this_process() {
#ifdef _WIN32
    return 0;  // there is no fork
#else
    return getpid();
#endif
}

}  // namespace

unsigned usable_threads() {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

Pool::Pool(unsigned workers) : process_(this_process()) {
    threads_.reserve(workers);
    try {
        while (threads_.size() < workers) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
        const auto got = static_cast<unsigned>(threads_.size()) + 1;
        stop();
        throw Failure(AMP_E_NOMEM, "configure",
                      text("threads: the system has no more (got %u, asked for %u). Use fewer.", got, workers + 1));
    } catch (...) {
        stop();
        throw;
    }
}

Pool::~Pool() { stop(); }

void Pool::stop() {
    left_.store(kStop, std::memory_order_release);
    left_.notify_all();
    for (auto& t : threads_)
        if (works_here())
            t.join();
        else
            t.detach();  // a copy of a handle: the thread is in the other process
}

bool Pool::works_here() const { return process_ == this_process(); }

void Pool::work() {
    const FloatingPoint rounding;
    while (wait_while(left_, 0) != kStop) take_all();
}

void Pool::take_all() {
    for (uint32_t left = left_.load(std::memory_order_acquire); left != 0 && left != kStop;) {
        if (!left_.compare_exchange_weak(left, left - 1, std::memory_order_acquire)) continue;
        const uint32_t n = n_;  // ours until the call is done: then `run` may return, and run again
        try {
            job_(context_, n - left);
        } catch (...) {
            const std::lock_guard lock(failing_);
            if (!failure_) failure_ = std::current_exception();
        }
        if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == n) done_.notify_one();
        left = left_.load(std::memory_order_acquire);
    }
}

void Pool::run(uint32_t n, Job job, const void* context) {
    if (n == 0) return;
    job_ = job, context_ = context, n_ = n;
    done_.store(0, std::memory_order_relaxed);
    left_.store(n, std::memory_order_release);
    left_.notify_all();
    take_all();
    for (uint32_t done = done_.load(std::memory_order_acquire); done != n;) done = wait_while(done_, done);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace amp
