#include "engine/run/thread_pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/failure.hpp"
#include "engine/run/floating_point.hpp"

#ifdef __linux__
#include <sched.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif

namespace amp {

namespace {

// Times a waiting thread polls a value, about 0.1 ms in all, before it sleeps. Waking a sleeping thread takes about
// half as long.
constexpr int kLooks = 2000;

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
    return 0;  // this system has no fork
#else
    return getpid();
#endif
}

}  // namespace

uint32_t usable_threads() {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

Pool::Pool(uint32_t workers, uint32_t pieces) : takers_(workers + 1), process_(this_process()), taken_(pieces) {
    for (auto& t : taken_) t.store(true, std::memory_order_relaxed);
    threads_.reserve(workers);
    try {
        while (threads_.size() < workers) threads_.emplace_back([this, k = this->workers() + 1] { work(k); });
    } catch (const std::system_error&) {
        const uint32_t got = this->workers() + 1;
        stop();
        throw Failure(AMP_E_NOMEM, "configure",
                      text("threads: the system has no more (got %u, asked for %u).", got, takers_), "Use fewer.");
    } catch (...) {
        stop();
        throw;
    }
}

Pool::~Pool() { stop(); }

void Pool::stop() {
    over_.store(true, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (auto& t : threads_)
        if (works_here())
            t.join();
        else
            t.detach();  // after a fork: the handle is a copy, and the thread exists in the parent process only
}

bool Pool::works_here() const { return process_ == this_process(); }

void Pool::work(uint32_t thread) {
    const FloatingPoint rounding;
    for (uint32_t round = 0;;) {
        round = wait_while(round_, round);
        if (over_.load(std::memory_order_relaxed)) return;
        take(thread);
    }
}

void Pool::take(uint32_t thread) {
    const uint32_t n = pieces();
    const auto first = static_cast<uint32_t>(uint64_t{thread} * n / takers_);
    for (uint32_t i = 0; i < n; ++i) {
        const uint32_t k = (first + i) % n;
        if (taken_[k].load(std::memory_order_relaxed) || taken_[k].exchange(true, std::memory_order_acquire)) continue;
        try {
            job_(context_, k);
        } catch (...) {
            const std::lock_guard lock(failing_);
            if (!failure_) failure_ = std::current_exception();
        }
        if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == n) done_.notify_one();
    }
}

void Pool::run(Job job, const void* context) {
    job_ = job, context_ = context;
    done_.store(0, std::memory_order_relaxed);
    for (auto& t : taken_) t.store(false, std::memory_order_release);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    take(0);
    for (uint32_t done = done_.load(std::memory_order_acquire); done != pieces();) done = wait_while(done_, done);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace amp
