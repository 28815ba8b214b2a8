#include "core/failure.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace amp {

namespace {
// Copies text and cuts it at a character boundary of UTF-8.
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

// Memory that the records of the report point into.
struct Kept {
    std::shared_ptr<const std::vector<Violation>> violations;
    std::vector<amp_violation> records;
};
thread_local Kept kept;
// Separate from `kept`, whose first use on a thread allocates (it registers a destructor): a successful call on a
// thread without a report must not do that.
struct Shown {
    Report report;
    amp_violation fixed;  // the only record of a report that must not allocate
    bool keeps;
};
thread_local Shown shown;

void forget() {
    if (shown.keeps) kept = {};
    shown = {};
}

void show(amp_status code, const char* sentence, const char* cure) {
    forget();
    shown.fixed = {sizeof(amp_violation), code, "", "", sentence, cure, "", 0};
    shown.report = {&shown.fixed, 1, 1};
}

void show(const Failure& f) {
    forget();
    shown.keeps = true;
    kept.violations = f.violations;
    kept.records.reserve(kept.violations->size());
    for (const Violation& v : *kept.violations)
        kept.records.push_back({sizeof(amp_violation), v.code, v.node.c_str(), v.port.c_str(), v.sentence.c_str(),
                                v.cure.c_str(), v.src.c_str(), v.frames});
    shown.report = {kept.records.data(), kept.records.size(), std::max(f.found, kept.records.size())};
}
}  // namespace

Report report_of_thread() { return shown.report; }

void write_error(const Failure& f, amp_error* out) {
    try {
        show(f);
    } catch (...) { show(f.code, "violations: no memory is left to list them.", "The error record has the first."); }
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

void write_error(amp_status code, const char* stage, const char* sentence, const char* cure, amp_error* out) {
    show(code, sentence, cure);
    amp_error e{};
    e.code = code;
    e.batch = e.channel = e.frame = -1;
    copy(e.stage, sizeof e.stage, stage);
    const size_t written = std::strlen(sentence);  // static: both and a blank fit
    copy(e.message, sizeof e.message, sentence);
    e.message[written] = ' ';
    copy(e.message + written + 1, sizeof e.message - written - 1, cure);
    hand_over(e, out);
}

void clear_error(amp_error* out) {
    forget();
    amp_error e{};
    e.batch = e.channel = e.frame = -1;
    hand_over(e, out);
}

}  // namespace amp
