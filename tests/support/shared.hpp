// SPDX-License-Identifier: MIT
#pragma once
// Real networks and data beside the tree: tests that need them skip, with a message, where they are absent.

#include <support/catch.hpp>

#include <string>

namespace support {

#if defined(MOTE_SHARED_DIR)
inline bool shared_missing() {
    return false;
}
inline std::string shared_path(const std::string& file) {
    return MOTE_SHARED_DIR "/data/" + file;
}
#else
inline bool shared_missing() {
    WARN("skipped: ../shared/data is absent");
    return true;
}
inline std::string shared_path(const std::string& file) {
    return file;
}
#endif

}  // namespace support
