#include "core/bytes.hpp"

#include <algorithm>

namespace amp {

namespace {
constexpr size_t kHeader = 24;

}  // namespace

bool is_utf8(const std::string& s) {
    for (size_t i = 0; i < s.size();) {
        const auto at = [&](size_t k) { return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u; };
        const unsigned lead = at(0);
        const size_t n = lead < 0x80                   ? 1
                         : lead >= 0xc2 && lead < 0xe0 ? 2
                         : lead >= 0xe0 && lead < 0xf0 ? 3
                         : lead >= 0xf0 && lead < 0xf5 ? 4
                                                       : 0;
        if (n == 0) return false;
        for (size_t k = 1; k < n; ++k)
            if ((at(k) & 0xc0) != 0x80) return false;
        if ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f) || (lead == 0xf0 && at(1) < 0x90) ||
            (lead == 0xf4 && at(1) > 0x8f))
            return false;
        i += n;
    }
    return true;
}

uint64_t fnv1a(const void* data, size_t size, uint64_t h) {
    const auto* p = static_cast<const uint8_t*>(data);
    for (size_t i = 0; i < size; ++i) h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

std::string hex(uint64_t v) { return text("%016llx", static_cast<unsigned long long>(v)); }

Reader::Reader(const void* data, size_t size, const char* magic, const char* stage, uint32_t newest)
    : begin_(static_cast<const uint8_t*>(data)),
      p_(begin_),
      end_(begin_ ? begin_ + size : begin_),
      name_(magic),
      stage_(stage) {
    need(kHeader, "header");
    if (std::memcmp(p_, magic, 4) != 0) fail("the magic is wrong", "Give a blob of this kind.");
    p_ += 4;
    version_ = get<uint32_t>("version");
    if (version_ < 1 || version_ > newest)
        fail(text("version %u is not known (this library reads %s%u)", version_, newest > 1 ? "1 to " : "", newest));
    const auto length = get<uint64_t>("length");
    if (length != size - kHeader)
        fail(text("the header says %llu payload bytes, there are %zu", static_cast<unsigned long long>(length),
                  size - kHeader));
    const auto sum = get<uint64_t>("checksum");
    if (sum != fnv1a(p_, size - kHeader)) fail("the checksum does not match: the bytes were damaged");
}

void Reader::fail(const std::string& what, const char* cure) const {
    throw Failure(AMP_E_BLOB, stage_, text("%s blob at byte %td: %s.", name_, p_ - begin_, what.c_str()), cure);
}

void Reader::need(size_t n, const char* what) const {
    if (static_cast<size_t>(end_ - p_) < n) fail(text("%s is cut off (needs %zu bytes, %td left)", what, n, end_ - p_));
}

void Reader::raw(void* to, size_t size, const char* what) {
    need(size, what);
    if (size) std::memcpy(to, p_, size);
    p_ += size;
}

std::vector<uint8_t> Reader::bytes(size_t size, const char* what) {
    need(size, what);
    std::vector<uint8_t> b(p_, p_ + size);
    p_ += size;
    return b;
}

std::string Reader::str(const char* what) {
    const auto n = get<uint16_t>(what);
    need(n, what);
    std::string s(reinterpret_cast<const char*>(p_), n);
    const bool ascii = std::all_of(s.begin(), s.end(), [](char c) { return static_cast<signed char>(c) > 0; });
    if (!ascii && s.find('\0') != std::string::npos) fail(text("%s contains a zero byte", what));
    if (!ascii && !is_utf8(s)) fail(text("%s is not UTF-8", what));
    p_ += n;
    return s;
}

Tensor Reader::tensor(const char* what) {
    Tensor t;
    t.batches = get<uint32_t>(what);
    t.channels = get<uint32_t>(what);
    t.frames = get<uint64_t>(what);
    const uint64_t left = static_cast<uint64_t>(end_ - p_) / sizeof(double);
    const uint64_t rows = uint64_t{t.batches} * t.channels;  // the product of two 32-bit factors cannot overflow
    if (rows == 0 || t.frames == 0 || t.frames > left || rows > left / t.frames)
        fail(text("%s has shape (%u, %u, %llu), which the payload does not hold", what, t.batches, t.channels,
                  static_cast<unsigned long long>(t.frames)));
    t.data.resize(rows * t.frames);
    std::memcpy(t.data.data(), p_, t.data.size() * sizeof(double));
    p_ += t.data.size() * sizeof(double);
    return t;
}

uint32_t Reader::count(const char* what, size_t least) {
    const auto n = get<uint32_t>(what);
    if (n > static_cast<size_t>(end_ - p_) / least) fail(text("%s is %u, more than the payload holds", what, n));
    return n;
}

void Reader::end() {
    if (p_ != end_) fail(text("%td bytes are left over", end_ - p_));
}

void Writer::str(const std::string& s) {
    const auto n = static_cast<uint16_t>(std::min<size_t>(s.size(), 0xffff));
    put(n);
    payload_.insert(payload_.end(), s.begin(), s.begin() + n);
}

void Writer::tensor(const Tensor& t) {
    put(t.batches), put(t.channels), put(t.frames);
    raw(t.data.data(), t.data.size() * sizeof(double));
}

std::vector<uint8_t> Writer::seal(const char* magic, uint32_t version) const {
    const uint64_t length = payload_.size(), sum = fnv1a(payload_.data(), payload_.size());
    std::vector<uint8_t> blob(kHeader + payload_.size());
    std::memcpy(blob.data(), magic, 4);
    std::memcpy(blob.data() + 4, &version, sizeof version);
    std::memcpy(blob.data() + 8, &length, sizeof length);
    std::memcpy(blob.data() + 16, &sum, sizeof sum);
    std::copy(payload_.begin(), payload_.end(), blob.begin() + kHeader);
    return blob;
}

}  // namespace amp
