// SPDX-License-Identifier: MIT
// Start-up of a Cortex-M program under QEMU, and its words to the desk by semihosting (Arm, "Semihosting for AArch32 and
// AArch64", operations SYS_WRITE0 and SYS_EXIT_EXTENDED).

#include "board.hpp"

#include <cstdint>

extern "C" {
extern std::uint32_t data_begin[], data_end[], data_image[], bss_begin[], bss_end[];
extern std::uint32_t stack_top[];
[[noreturn]] void reset_handler();
[[noreturn]] void fault_handler();
}

namespace {

void semihosting(std::uintptr_t operation, const void* argument) {
    register std::uintptr_t r0 __asm__("r0") = operation;
    register const void* r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

using Vector = void (*)();
struct Vectors {
    void* stack;
    Vector handlers[15];
};
__attribute__((section(".vectors"), used))
const Vectors vectors = {stack_top,
                         {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, nullptr,
                          nullptr, nullptr, nullptr, fault_handler, fault_handler, nullptr, fault_handler, fault_handler}};

}  // namespace

void board::print(const char* text) {
    semihosting(0x04, text);
}

void board::stop(int status) {
    const std::uintptr_t block[2] = {0x20026, static_cast<std::uintptr_t>(status)};
    semihosting(0x20, block);
    for (;;) {}
}

void fault_handler() {
    board::print("fault\n");
    board::stop(3);
}

void reset_handler() {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    // CPACR: full access to the floating-point unit and MVE.
    *reinterpret_cast<volatile std::uint32_t*>(0xE000ED88) |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    // volatile, so that no memcpy or memset is called
    const volatile std::uint32_t* from = data_image;
    for (volatile std::uint32_t* to = data_begin; to != data_end; ++to) *to = *from++;
    for (volatile std::uint32_t* to = bss_begin; to != bss_end; ++to) *to = 0;
    board::stop(board::main());
}
