#include "core/arena.hpp"

#include "core/failure.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace amp {

namespace {

constexpr uint64_t kLargest = uint64_t{64} << 30, kSmallest = uint64_t{256} << 20;

#if defined(_WIN32)
void* map(uint64_t size) { return VirtualAlloc(nullptr, size, MEM_RESERVE, PAGE_READWRITE); }
void unmap(void* p, uint64_t) { VirtualFree(p, 0, MEM_RELEASE); }
bool commit(void* p, uint64_t size) { return VirtualAlloc(p, size, MEM_COMMIT, PAGE_READWRITE) != nullptr; }
#else
void* map(uint64_t size) {
    void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}
void unmap(void* p, uint64_t size) { munmap(p, size); }
bool commit(void*, uint64_t) { return true; }
#endif

}  // namespace

Arena Arena::reserve() {
    Arena a;
    for (a.size_ = kLargest; a.size_ >= kSmallest; a.size_ /= 2)
        if (void* p = map(a.size_)) {
            a.base_ = static_cast<unsigned char*>(p);
            return a;
        }
    throw Failure(AMP_E_NOMEM, "configure", "the address space for the token arena cannot be reserved.",
                  "Raise the process's memory limit.");
}

Arena::~Arena() {
    if (base_) unmap(base_, size_);
}

void* Arena::take(uint64_t bytes, uint64_t alignment) {
    // does not exceed the size, which is a multiple of the alignment
    used_ = (used_ + alignment - 1) / alignment * alignment;
    const uint64_t n = (bytes + alignment - 1) / alignment * alignment;
    if (n > size_ - used_)
        throw Failure(AMP_E_NOMEM, "configure",
                      text("the token arena is full (needs %llu bytes more, %llu of %llu are used).",
                           static_cast<unsigned long long>(n), static_cast<unsigned long long>(used_),
                           static_cast<unsigned long long>(size_)),
                      "Use shorter delays, fewer batches or a smaller block.");
    unsigned char* p = base_ + used_;
    if (n > 0 && !commit(p, n))
        throw Failure(AMP_E_NOMEM, "configure", "the system has no memory left for the token arena.",
                      "Use shorter delays or fewer batches.");
    used_ += n;
    return p;
}

}  // namespace amp
