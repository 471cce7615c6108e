// SPDX-License-Identifier: MIT
// write_onnx: what is written is read again, equal; what could not be read is not written.

#include <mote/io/onnx/read.hpp>
#include <mote/io/onnx/write.hpp>

#include <io/onnx/files.hpp>
#include <support/error_text.hpp>

TEST_CASE("onnx write: a model with every part comes back equal") {
    const mote::OnnxModel model = onnx_test::every_part();
    const std::string file = mote::write_onnx(model);
    const mote::OnnxModel back = mote::read_onnx("file", onnx_test::bytes_of(file));
    CHECK(back.graph.nodes == model.graph.nodes);
    CHECK(back.graph.initializers == model.graph.initializers);
    CHECK(back.graph.value_info == model.graph.value_info);
    CHECK(back.functions == model.functions);
    CHECK(back == model);
    CHECK(mote::write_onnx(back) == file);
}

TEST_CASE("onnx write: every shared model comes back equal") {
    for (const std::string& path : onnx_test::shared_files(".onnx")) {
        const mote::OnnxModel model = mote::read_onnx(path);
        const std::string file = mote::write_onnx(model);
        INFO(path);
        if (mote::read_onnx(path, onnx_test::bytes_of(file)) != model) FAIL_CHECK("the model differs");
    }
}

TEST_CASE("onnx write: every shared tensor comes back equal") {
    for (const std::string& path : onnx_test::shared_files(".pb")) {
        const mote::OnnxTensor tensor = mote::read_onnx_tensor(path);
        INFO(path);
        if (mote::read_onnx_tensor(path, onnx_test::bytes_of(mote::write_onnx_tensor(tensor))) != tensor) {
            FAIL_CHECK("the tensor differs");
        }
    }
}

TEST_CASE("onnx write: a tensor whose data do not fit its dims is refused") {
    using mote::OnnxElement;
    mote::OnnxTensor tensor = onnx_test::tensor("weight", OnnxElement::int16, {2, 3});
    tensor.dims = {2, 4};
    CHECK_ERROR(mote::write_onnx_tensor(tensor), "tensor 'weight'", "12 bytes", "int16");
    tensor.dims = {-2, -3};
    CHECK_ERROR(mote::write_onnx_tensor(tensor), "tensor 'weight'");
    CHECK_ERROR(mote::write_onnx_tensor({.name = "none"}), "tensor 'none'", "undefined");
    tensor = onnx_test::tensor("words", OnnxElement::string, {2});
    tensor.strings.pop_back();
    CHECK_ERROR(mote::write_onnx_tensor(tensor), "tensor 'words'", "1 strings");
}

TEST_CASE("onnx write: an attribute whose type is not its value's is refused") {
    using Type = mote::OnnxAttributeType;
    auto with = [](mote::OnnxAttribute attribute) {
        mote::OnnxModel model;
        model.graph.nodes = {{.op_type = "Op", .attributes = {std::move(attribute)}}};
        return mote::write_onnx(model);
    };
    CHECK_FALSE(with({"a", Type::real, "", std::vector<float>{1}}).empty());
    CHECK_ERROR(with({"a", Type::real, "", std::vector<float>{1, 2}}), "attribute 'a'", "float");
    CHECK_ERROR(with({"a", Type::integers, "", std::vector<float>{1, 2}}), "attribute 'a'", "ints", "floats");
    CHECK_ERROR(with({"a", Type::integers, "", {}}), "attribute 'a'", "undefined");
    CHECK_ERROR(with({"a", Type::undefined, "", std::vector<float>{1}}), "attribute 'a'", "undefined");
    CHECK_ERROR(with({"a", Type::reals, "outer", std::vector<float>{1}}), "attribute 'a'", "reference");
}
