// SPDX-License-Identifier: MIT
// OpenVINO in the race, by the C interface of the library in its Python package: no interpreter stands in what is timed.

#include "side.hpp"

#include <cstdint>

namespace {

using race::fail;

struct ShapeOfC {  // ov_shape_t
    std::int64_t rank;
    std::int64_t* extents;
};

class Api {
  public:
    explicit Api(const std::string& library) : library_(race::open_library(library)) {}
    /// Calls a function that returns a status. Throws where that is not 0.
    template <class... A>
    void call(const char* function, A... arguments) const {
        const int status = race::symbol<int(A...)>(library_, function)(arguments...);
        if (status != 0) {
            fail(function, ": status ", status, ": ", race::symbol<const char*()>(library_, "ov_get_last_err_msg")());
        }
    }
    void* library() const { return library_; }

  private:
    void* library_;
};

void run(const race::Arguments& arguments) {
    const Api api(arguments.library);
    void *core = nullptr, *model = nullptr, *compiled = nullptr, *request = nullptr, *tensor = nullptr, *data = nullptr;
    api.call("ov_core_create", &core);
    api.call("ov_core_read_model", core, arguments.model.c_str(), static_cast<const char*>(nullptr), &model);
    const std::string threads = std::to_string(arguments.threads);
    const auto compile =
        race::symbol<int(void*, void*, const char*, std::size_t, void**, ...)>(api.library(), "ov_core_compile_model");
    const int status =
        compile(core, model, "CPU", std::size_t{10}, &compiled, "PERFORMANCE_HINT", "LATENCY", "NUM_STREAMS", "1",
                "INFERENCE_NUM_THREADS", threads.c_str(), "INFERENCE_PRECISION_HINT", "f32", "ENABLE_CPU_PINNING", "NO");
    if (status != 0) fail("ov_core_compile_model: ", race::symbol<const char*()>(api.library(), "ov_get_last_err_msg")());
    api.call("ov_compiled_model_create_infer_request", compiled, &request);

    const race::NpyArray array = race::load_npy(arguments.input);
    std::size_t size = 0;
    api.call("ov_infer_request_get_input_tensor_by_index", request, std::size_t{0}, &tensor);
    api.call("ov_tensor_get_byte_size", tensor, &size);
    if (size != array.bytes.size()) fail("the input has ", array.bytes.size(), " bytes; ", size, " are expected");
    api.call("ov_tensor_data", tensor, &data);
    std::memcpy(data, array.bytes.data(), size);

    api.call("ov_infer_request_infer", request);
    std::size_t outputs = 0;
    api.call("ov_compiled_model_outputs_size", compiled, &outputs);
    for (std::size_t i = 0; i < outputs; ++i) {
        ShapeOfC shape{};
        api.call("ov_infer_request_get_output_tensor_by_index", request, i, &tensor);
        api.call("ov_tensor_get_shape", tensor, &shape);
        api.call("ov_tensor_get_byte_size", tensor, &size);
        api.call("ov_tensor_data", tensor, &data);
        const race::Shape extents =
            race::shape_of(std::span<const std::int64_t>(shape.extents, static_cast<std::size_t>(shape.rank)));
        race::save_answer(arguments, i, extents, size == extents.elements() ? array.element : race::Element::f32, data);
    }
    const auto infer = race::symbol<int(void*)>(api.library(), "ov_infer_request_infer");
    race::serve([&] { infer(request); });
}

}  // namespace

int main(int argc, char** argv) {
    return race::main_of(argc, argv, run);
}
