// SPDX-License-Identifier: MIT
// ONNX Runtime in the race, by the C interface of the library in its Python package: no interpreter stands in what is timed.
//
// The interface is a table of functions that only ever grows at its end (its documentation, "ABI stability"), so that a number
// tells a function in every version. Graph optimizations are all on and the threads spin, as they do unless told otherwise.

#include "side.hpp"

#include <algorithm>
#include <cstdint>

namespace {

using race::fail;

enum Function : std::size_t {
    get_error_message = 2,
    create_env = 3,
    create_session = 7,
    run_session = 9,
    create_session_options = 10,
    set_log_severity = 22,
    set_optimization_level = 23,
    set_intra_op_threads = 24,
    output_count = 31,
    input_name = 36,
    output_name = 37,
    create_tensor_with_data = 49,
    get_tensor_data = 51,
    get_element_type = 60,
    get_dimension_count = 61,
    get_dimensions = 62,
    get_type_and_shape = 65,
    create_cpu_memory_info = 69,
    default_allocator = 78,
};

struct ElementType {
    int number;
    race::Element element;
};
constexpr ElementType element_types[] = {{1, race::Element::f32}, {2, race::Element::u8}, {3, race::Element::i8}};

struct ApiBase {
    void* const* (*api)(std::uint32_t version);
    const char* (*version)();
};

class Api {
  public:
    explicit Api(const std::string& library)
        : table_(race::symbol<const ApiBase*()>(race::open_library(library), "OrtGetApiBase")()->api(16)) {
        if (table_ == nullptr) fail("the library does not offer version 16 of its interface");
    }
    /// Calls a function that returns a status. Throws what it says where that is not null.
    template <class... A>
    void call(Function function, A... arguments) const {
        if (const void* status = reinterpret_cast<const void* (*)(A...)>(table_[function])(arguments...)) {
            fail(reinterpret_cast<const char* (*)(const void*)>(table_[get_error_message])(status));
        }
    }

  private:
    void* const* table_;
};

void run(const race::Arguments& arguments) {
    using Names = std::vector<const char*>;
    using Values = std::vector<void*>;
    const Api api(arguments.library);
    void *env = nullptr, *options = nullptr, *session = nullptr, *allocator = nullptr, *memory = nullptr, *input = nullptr;
    api.call(create_env, 3, "race", &env);
    api.call(create_session_options, &options);
    api.call(set_log_severity, options, 3);
    api.call(set_optimization_level, options, 99);
    api.call(set_intra_op_threads, options, arguments.threads);
    api.call(create_session, env, arguments.model.c_str(), options, &session);
    api.call(default_allocator, &allocator);
    std::size_t outputs = 0;
    api.call(output_count, session, &outputs);
    char* name = nullptr;
    api.call(input_name, session, std::size_t{0}, allocator, &name);
    const Names in{name};
    Names out;
    for (std::size_t i = 0; i < outputs; ++i) {
        api.call(output_name, session, i, allocator, &name);
        out.push_back(name);
    }

    const race::NpyArray array = race::load_npy(arguments.input);
    std::vector<std::byte> bytes(array.bytes.begin(), array.bytes.end());
    const std::vector<std::int64_t> dimensions(array.shape.begin(), array.shape.end());
    const auto* given = std::ranges::find(element_types, array.element, &ElementType::element);
    if (given == std::end(element_types)) fail("the input is ", element_name(array.element), "; f32, i8 or u8 is expected");
    api.call(create_cpu_memory_info, 1, 0, &memory);
    api.call(create_tensor_with_data, memory, static_cast<void*>(bytes.data()), bytes.size(), dimensions.data(),
             dimensions.size(), given->number, &input);

    Values answers(outputs, nullptr);  // made by the first run, filled by the others
    const auto session_run = [&] {
        api.call(run_session, session, static_cast<void*>(nullptr), in.data(), &input, std::size_t{1}, out.data(), outputs,
                 answers.data());
    };
    session_run();
    for (std::size_t i = 0; i < outputs; ++i) {
        void *info = nullptr, *data = nullptr;
        int type = 0;
        std::size_t rank = 0;
        api.call(get_type_and_shape, answers[i], &info);
        api.call(get_element_type, info, &type);
        const auto* found = std::ranges::find(element_types, type, &ElementType::number);
        if (found == std::end(element_types)) fail("output '", out[i], "' has elements of type ", type);
        api.call(get_dimension_count, info, &rank);
        std::vector<std::int64_t> extents(rank);
        api.call(get_dimensions, info, extents.data(), rank);
        api.call(get_tensor_data, answers[i], &data);
        race::save_answer(arguments, i, race::shape_of(extents), found->element, data);
    }
    race::serve(session_run);
}

}  // namespace

int main(int argc, char** argv) {
    return race::main_of(argc, argv, run);
}
