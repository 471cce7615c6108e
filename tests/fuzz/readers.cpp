// SPDX-License-Identifier: MIT
// A libFuzzer target of the readers of files: a file is a model or an array, or an Error is thrown, in 2 s of the processor's
// time and in memory that its size explains. The last argument names the reader: fuzz_readers CORPUS... -max_len=1000000 onnx

#include <mote/io/load.hpp>
#include <mote/io/npz.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>

extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                              void (*free_hook)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void* p);
}

namespace {

using namespace mote;

/// What an option lets constants and archives expand to.
constexpr std::size_t expansion_limit = std::size_t{16} << 20;
constexpr double most_seconds = 2.0;

/// Bytes on the heap now, and the most since an input began.
std::atomic<std::size_t> live_bytes = 0, peak_bytes = 0;

void count_malloc(const volatile void*, std::size_t bytes) {
    const std::size_t live = live_bytes += bytes;
    if (live > peak_bytes) peak_bytes = live;
}
void count_free(const volatile void* p) {
    if (p != nullptr) live_bytes -= __sanitizer_get_allocated_size(p);
}

using Reader = void (*)(FileBytes);

void read_onnx_file(FileBytes file) {
    import_onnx(read_onnx("fuzzed.onnx", std::move(file)), {.max_constant_bytes = expansion_limit});
}
void read_onnx_tensor_file(FileBytes file) {
    read_onnx_tensor("fuzzed.pb", std::move(file));
}
void read_tflite_file(FileBytes file) {
    import_tflite(read_tflite("fuzzed.tflite", file.bytes, file.owner), {.max_constant_bytes = expansion_limit});
}
/// Its size and checksum are set right first: behind wrong ones nothing is read.
void read_mote_file(FileBytes file) {
    using namespace detail::mote_file;
    std::string bytes(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    if (bytes.size() >= header_bytes + checksum_bytes) {
        const std::uint64_t size = bytes.size(), rest = size - checksum_bytes;
        std::memcpy(bytes.data(), magic, sizeof magic);
        std::memcpy(bytes.data() + 8, &size, sizeof size);
        const std::uint64_t sum = checksum(reinterpret_cast<const std::byte*>(bytes.data()), rest);
        std::memcpy(bytes.data() + rest, &sum, sizeof sum);
    }
    const FileBytes whole = aligned_bytes({}, std::as_bytes(std::span(bytes)), storage_alignment);
    BasicModel<AnyModel::layers>(graph_of<AnyModel::layers>("fuzzed.mote", whole));
}
void read_npy_file(FileBytes file) {
    read_npy("fuzzed.npy", std::move(file));
}
void read_npz_file(FileBytes file) {
    const NpzFile archive("fuzzed.npz", std::move(file), {.expansion_limit = expansion_limit});
    for (const std::string& name : archive.names()) {
        try {
            archive.array(name);
        } catch (const Error&) {  // the others are read all the same
        }
    }
}

constexpr std::pair<std::string_view, Reader> readers[] = {{"onnx", read_onnx_file},     {"onnx_tensor", read_onnx_tensor_file},
                                                           {"tflite", read_tflite_file}, {"mote", read_mote_file},
                                                           {"npy", read_npy_file},       {"npz", read_npz_file}};
Reader reader = nullptr;

[[noreturn]] void give_up(const char* what, double figure) {
    std::fprintf(stderr, "fuzz_readers: %s: %g\n", what, figure);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    const std::string_view wanted = (*argv)[*argc - 1];
    for (const auto& [name, function] : readers) {
        if (name == wanted) reader = function;
    }
    if (reader == nullptr) {
        std::fputs("fuzz_readers: the last argument is a reader: onnx, onnx_tensor, tflite, mote, npy or npz\n", stderr);
        std::exit(2);
    }
    --*argc;
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // On the heap, to the byte: what reads beyond is seen.
    const std::shared_ptr<std::byte> owner(static_cast<std::byte*>(std::malloc(size == 0 ? 1 : size)), std::free);
    std::memcpy(owner.get(), data, size);
    const std::size_t before = live_bytes;
    peak_bytes = before;
    const std::clock_t begin = std::clock();
    try {
        reader({owner, {owner.get(), size}});
    } catch (const Error&) {}
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    if (seconds > most_seconds) give_up("seconds of the processor's time", seconds);
    const std::size_t peak = peak_bytes - before;
    if (peak > 16 * size + (std::size_t{64} << 20)) give_up("bytes of memory", static_cast<double>(peak));
    return 0;
}
