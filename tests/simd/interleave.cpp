// SPDX-License-Identifier: MIT
// Two rows become one, for every size of elements and every length.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/interleave.hpp>

#include <support/catch.hpp>

#include <vector>

namespace interleave_test {

template <class T>
void check() {
    for (std::size_t count = 0; count < 70; ++count) {
        CAPTURE(sizeof(T), count);
        std::vector<T> a(count), b(count), to(2 * count + 1, T{77});
        for (std::size_t i = 0; i < count; ++i) a[i] = static_cast<T>(2 * i), b[i] = static_cast<T>(2 * i + 1);
        mote::kernels::simd::interleave<sizeof(T)>(reinterpret_cast<char*>(to.data()), reinterpret_cast<const char*>(a.data()),
                                                   reinterpret_cast<const char*>(b.data()), static_cast<std::ptrdiff_t>(count));
        bool right = to[2 * count] == T{77};
        for (std::size_t i = 0; i < 2 * count; ++i) right &= to[i] == static_cast<T>(i);
        CHECK(right);
    }
}

}  // namespace interleave_test

TEST_CASE("interleave: elements of 1, 2, 4 and 8 bytes, of every count") {
    interleave_test::check<std::uint8_t>();
    interleave_test::check<std::uint16_t>();
    interleave_test::check<std::uint32_t>();
    interleave_test::check<std::uint64_t>();
}
#endif
