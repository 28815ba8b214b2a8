#include "core/failure.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace amp {

namespace {
// Cuts at a character boundary of UTF-8.
void copy(char* to, size_t capacity, std::string_view from) {
    size_t n = std::min(from.size(), capacity - 1);
    if (n < from.size())
        while (n > 0 && (static_cast<unsigned char>(from[n]) & 0xc0) == 0x80) --n;
    std::memcpy(to, from.data(), n);
    to[n] = '\0';
}
void hand_over(const amp_error& full, amp_error* out) {
    if (!out) return;
    const uint32_t size = std::min<uint32_t>(out->struct_size, sizeof(amp_error));
    if (size <= sizeof(uint32_t)) return;
    std::memcpy(reinterpret_cast<char*>(out) + sizeof(uint32_t),
                reinterpret_cast<const char*>(&full) + sizeof(uint32_t), size - sizeof(uint32_t));
}
}  // namespace

void write_error(const Failure& f, amp_error* out) {
    amp_error e{};
    e.code = f.code;
    e.batch = f.batch;
    e.channel = f.channel;
    e.frame = f.frame;
    copy(e.stage, sizeof e.stage, f.stage);
    copy(e.node, sizeof e.node, f.node);
    copy(e.port, sizeof e.port, f.port);
    copy(e.message, sizeof e.message, f.message);
    hand_over(e, out);
}

void write_error(amp_status code, const char* stage, const char* message, amp_error* out) {
    amp_error e{};
    e.code = code;
    e.batch = e.channel = e.frame = -1;
    copy(e.stage, sizeof e.stage, stage);
    copy(e.message, sizeof e.message, message);
    hand_over(e, out);
}

void clear_error(amp_error* out) {
    amp_error e{};
    e.batch = e.channel = e.frame = -1;
    hand_over(e, out);
}

}  // namespace amp
