// An allocator that counts allocations and refuses one on request. It replaces operator new in the whole process,
// library included, so it works only where one definition serves all modules (not on Windows). Include it in one source
// file of a program.
#pragma once
#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AMP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define AMP_SANITIZED 1
#endif
#endif

namespace {

std::atomic<long> allocations = 0, live = 0;  // live: allocated by operator new and not freed
std::atomic<long> refused = 0;
long fail_at = -1;                      // number of the allocation that is refused; -1: none
bool fail_on = false;                   // later allocations are refused, too
std::atomic<bool> failing = false;      // an allocation has been refused
[[maybe_unused]] bool no_maps = false;  // reserving address space is refused

bool refuse() {
    const long n = allocations++;
    const bool now = fail_at >= 0 && (n == fail_at || (fail_on && n > fail_at));
    if (now) failing = true, ++refused;
    return now;
}

}  // namespace

#if defined(__GLIBC__) && !defined(AMP_SANITIZED)  // sanitizers bring their own malloc
extern "C" void* __libc_malloc(size_t size);
extern "C" void* malloc(size_t size) { return refuse() ? nullptr : __libc_malloc(size); }
static void* get(size_t size) { return __libc_malloc(size); }
extern "C" [[gnu::visibility("default")]] void* mmap(void* at, size_t size, int protection, int flags, int file,
                                                     off_t offset) noexcept {
    if (no_maps) return MAP_FAILED;
    return reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, file, offset));
}
static constexpr bool kMapsFail = true;
#else
static constexpr bool kMapsFail = false;
static void* get(size_t size) { return std::malloc(size); }
#endif

void* operator new(size_t size) {
    void* p = refuse() ? nullptr : get(size ? size : 1);
    if (!p) throw std::bad_alloc();
    ++live;
    return p;
}
void* operator new[](size_t size) { return operator new(size); }
// Callers of this form can do without the memory: it is not refused.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    ++live;
    return get(size ? size : 1);
}
void* operator new[](size_t size, const std::nothrow_t& none) noexcept { return operator new(size, none); }
// Not inlined: otherwise the compiler reports a mismatch of free() and operator new.
[[gnu::noinline]] void operator delete(void* p) noexcept {
    live -= p != nullptr;
    std::free(p);
}
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete(void* p, size_t) noexcept { operator delete(p); }
void operator delete[](void* p, size_t) noexcept { operator delete(p); }
