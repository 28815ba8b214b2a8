// Updates length and checksum after libFuzzer changed the payload, so that the blob passes the reader.
#pragma once
#include <algorithm>

#include "mutations.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace fuzz {

inline size_t keep(const blob::Bytes& b, uint8_t* data, size_t max_size) {
    const size_t n = std::min(b.size(), max_size);
    std::copy_n(b.begin(), n, data);
    return n;
}

inline size_t sealed(uint8_t* data, size_t size, size_t max_size, const char* magic) {
    blob::Payload payload;
    if (size > blob::kHeader) payload.bytes.assign(data + blob::kHeader, data + size);
    const size_t room = max_size - std::min(max_size, blob::kHeader), n = std::min(payload.bytes.size(), room);
    payload.bytes.resize(room);
    payload.bytes.resize(LLVMFuzzerMutate(payload.bytes.data(), n, room));
    uint32_t version = 1;  // keeps the version of the blob if the reader accepts it
    if (size >= blob::kHeader) std::memcpy(&version, data + 4, sizeof version);
    return keep(blob::seal(magic, payload, version == 2 ? 2 : 1), data, max_size);
}

}  // namespace fuzz
