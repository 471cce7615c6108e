// SPDX-License-Identifier: MIT
// .npy files: what is written is read, NumPy's own headers too, and nothing else.

#include <mote/io/npy.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace npy_test {

/// The array in a file with this header and data.
mote::NpyArray read(std::string header, std::string_view data, char version = 1) {
    std::string bytes("\x93NUMPY", 6);
    bytes += version;
    bytes += '\0';
    bytes += static_cast<char>(header.size());
    bytes += '\0';
    if (version > 1) bytes.append(2, '\0');
    bytes += header;
    bytes += data;
    mote::write_file("array.npy", bytes);
    return mote::load_npy("array.npy");
}

template <class P>
void check_round_trip(std::initializer_list<typename P::value_type> values) {
    const mote::Tensor<P> tensor({1, values.size()}, values);
    mote::save_npy(tensor, "array.npy");
    const mote::NpyArray array = mote::load_npy("array.npy");
    CHECK(array.shape == tensor.shape());
    CHECK(array.element == P::element);
    CHECK(std::memcmp(array.bytes.data(), tensor.data(), tensor.bytes()) == 0);
}

}  // namespace npy_test

TEST_CASE("npy: every element comes back") {
    npy_test::check_round_trip<mote::f32>({1.5f, -2.0f});
    npy_test::check_round_trip<mote::f64>({1.5, -2.0, 3.0});
    npy_test::check_round_trip<mote::i64>({1, -2});
    npy_test::check_round_trip<mote::i8>({1, -2, 127});
    npy_test::check_round_trip<mote::u8>({1, 255});
    npy_test::check_round_trip<mote::b8>({true, false});
    std::remove("array.npy");
}

TEST_CASE("npy: headers as NumPy writes them") {
    const auto a =
        npy_test::read("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }   \n", std::string_view("\1\0\2\0", 4));
    CHECK(a.shape == mote::Shape{2, 1});
    CHECK(a.values<std::int16_t>()[1] == 2);
    CHECK(npy_test::read("{'shape': (), 'descr': '|u1', 'fortran_order': False}", "x", 2).shape.rank() == 0);
    CHECK(npy_test::read("{'shape': (0,), 'descr': '<f4', 'fortran_order': False}", "").shape.elements() == 0);
    CHECK_ERROR(a.values<float>(), "i16", "f32");
    std::remove("array.npy");
}

TEST_CASE("npy: what is not supported or damaged is named") {
    using npy_test::read;
    CHECK_ERROR(read("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "1234"), "array.npy", ">f4", "supported");
    CHECK_ERROR(read("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", "1234"), "Fortran");
    CHECK_ERROR(read("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "1234"), "4 bytes", "8");
    CHECK_ERROR(read("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "1234"), "extents");
    CHECK_ERROR(read("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "1234"), "absurdly");
    CHECK_ERROR(read("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296)}", "1234"), "array.npy");
    CHECK_ERROR(read("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\2"), "truth value");
    CHECK_ERROR(read("{}", ""), "type");
    mote::write_file("array.npy", std::string_view("\x93NUMPY\1\0\xff\xff", 10));
    CHECK_ERROR(mote::load_npy("array.npy"), "longer than the file");
    mote::write_file("array.npy", "nothing of the kind");
    CHECK_ERROR(mote::load_npy("array.npy"), "no .npy file");
    std::remove("array.npy");
}
